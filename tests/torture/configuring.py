"""What is the agent told, and where do its processes and the emulator's find their modules?"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torture.script import Settings

_TESTS = Path(__file__).resolve().parent.parent


def environment() -> dict[str, str]:
    """This one, without what would configure the agent, and with the checkout to import from."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AEP_")}
    return ours | {"PYTHONPATH": f"{_TESTS}{os.pathsep}{_TESTS.parent}"}


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the agent listens."""

    admin: int
    tcp: int
    unix: Path
    http: int


def configuration(
    settings: Settings, *, url: str, flow_id: str, files: str, data_dir: Path, doors: Doors
) -> dict[str, Any]:
    """The whole configuration file."""
    return {
        "data_dir": str(data_dir),
        "inlet": {
            "url": url,
            "flow_id": flow_id,
            "compression": "auto" if settings.gzip else "none",
            "timeouts": {"connect": "2s", "answer": "2s", "total": "3s"},
        },
        "sources": [
            {"type": "file", "paths": [files], "follow": False},
            {"type": "stdin"},
            {"type": "tcp", "name": "tcp", "listen": f"127.0.0.1:{doors.tcp}"},
            {"type": "unix", "name": "unix", "listen": str(doors.unix)},
            {"type": "http", "name": "http", "listen": f"127.0.0.1:{doors.http}"},
        ],
        "batch": {
            "max_bytes": settings.max_bytes,
            "max_records": settings.max_records,
            "max_wait": "50ms",
        },
        "buffer": {
            "type": "disk",
            "max_bytes": settings.buffer_bytes,
            "memory_bytes": settings.memory_bytes,
            "write_after": f"{settings.write_after_ms}ms",
        },
        "delivery": {
            "max_in_flight": settings.max_in_flight,
            "retry": {"initial": "20ms", "max": "500ms"},
        },
        "shutdown": {"grace": "5s"},
        "admin": {"listen": f"127.0.0.1:{doors.admin}"},
        "log": {"format": "json"},
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
        return port
