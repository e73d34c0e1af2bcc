"""How does a file come to be there, whole or not at all, for its owner's eyes only?"""

import os
from pathlib import Path


def put(path: Path, content: bytes) -> None:
    """Write a file in the place of what is there; it outlives a power cut. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
