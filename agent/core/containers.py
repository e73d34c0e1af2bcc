"""What did the program in a container write, by what the container's runtime made of it?

Runtimes write a line of their own for each line of the program, or for each part of a long one:
Docker's json-file driver an object; containerd and CRI-O, in the format of Kubernetes' CRI, the
time, the stream and a tag before the text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from agent.core.validation import Fault

_STREAMS = {b"stdout": "stdout", b"stderr": "stderr"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A line that a program wrote to a stream, or the next part of one; without its end."""

    stream: str
    text: bytes
    is_last: bool


class _DockerLine(msgspec.Struct, gc=False):
    log: str
    stream: Literal["stdout", "stderr"] = "stdout"


_decode = msgspec.json.Decoder(_DockerLine).decode
_NOT_DOCKER = Fault("not_docker", 'not a line of Docker\'s json-file log: {"log":…,"stream":…}')
_NOT_CRI = Fault("not_cri", "not a line of a CRI log: time, stdout or stderr, F or P, and the text")


def docker(line: bytes) -> Piece | Fault:
    """Read a line of Docker's json-file driver, which parts lines of more than 16 KiB."""
    try:
        found = _decode(line)
        text = found.log.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _NOT_DOCKER
    is_last = text.endswith(b"\n")
    return Piece(found.stream, text[:-1].removesuffix(b"\r") if is_last else text, is_last)


def cri(line: bytes) -> Piece | Fault:
    """Read a line of a CRI runtime: `2026-01-31T00:00:00.1Z stdout F text`, or P for a part."""
    parts = line.split(b" ", 3)
    if len(parts) < 3 or parts[1] not in _STREAMS or not parts[0][:4].isdigit():
        return _NOT_CRI
    tag = parts[2].partition(b":")[0]
    if tag not in (b"F", b"P"):
        return _NOT_CRI
    text = parts[3] if len(parts) == 4 else b""
    is_last = tag == b"F"
    return Piece(_STREAMS[parts[1]], text.removesuffix(b"\r") if is_last else text, is_last)


READERS: dict[str, Callable[[bytes], Piece | Fault]] = {"docker": docker, "cri": cri}
