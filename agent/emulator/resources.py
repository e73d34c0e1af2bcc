"""Which objects of one kind does the emulated platform have, and do they outlive a restart?

With a file every change is one line at its end, written before anybody sees the change: what a
killed emulator had answered is there again. What was replaced since is left out of the file when it
is opened, and now and then between.
"""

import os
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from agent.errors import AgentError

SANDBOX = "prod"
_SUPERSEDED = 5_000  # lines of no use that the file may hold


class Resource(msgspec.Struct, frozen=True):
    """One object as it is now. To change its body, change a copy and replace it."""

    id: str
    body: dict[str, Any]
    sandbox: str
    created_ms: int
    updated_ms: int
    revision: int  # 1 at first, one more with every replacement
    etag: str  # another one with every replacement; without quotes


class _Line(msgspec.Struct, omit_defaults=True):
    """What became of one object: its new form, or its end."""

    kept: Resource | None = None
    gone: str | None = None


_line = msgspec.json.Decoder(_Line)


class Resources:
    """The objects of one kind in order of their making.

    `file` keeps them over a restart; `now` is the time in seconds. Raises AgentError where the file
    cannot be used. What changes them raises OSError where the file cannot be written, and then
    nothing has changed.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._new_id = new_id
        self._now = now
        self._by_id: dict[str, Resource] = {}
        self._changes = 1
        self._file = file
        self._journal: int | None = None
        self._lines = 0
        if file is not None:
            try:
                self._read(file)
                self._journal = self._rewritten(file)
            except OSError as error:
                raise AgentError(f"cannot keep resources in {file}: {error.strerror}") from None
            except msgspec.DecodeError as error:
                raise AgentError(
                    f"cannot read {file}: {error}; move it away to begin anew"
                ) from None

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._by_id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def changes(self) -> int:
        """Counts the changes: where it is the same as before, so is all the rest."""
        return self._changes

    def close(self) -> None:
        """Close the file; what is in it stays."""
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def add(
        self, body: Mapping[str, Any], *, id: str | None = None, sandbox: str = SANDBOX
    ) -> Resource:
        """Keep a new object under its id, or one that is made here. Raises KeyError: taken."""
        id_ = self._new_id() if id is None else id
        if id_ in self._by_id:
            raise KeyError(id_)
        now_ms = int(self._now() * 1000)
        etag = _new_etag(now_ms)
        return self._keep(Resource(id_, dict(body), sandbox, now_ms, now_ms, 1, etag))

    def get(self, id_: str, *, sandbox: str | None = None) -> Resource | None:
        """The object; None where there is none, or where it lies in another sandbox."""
        found = self._by_id.get(id_)
        return found if found is None or sandbox in (None, found.sandbox) else None

    def replace(self, id_: str, body: Mapping[str, Any]) -> Resource:
        """Put a new body in place of the present one. Raises KeyError where there is none."""
        old = self._by_id[id_]
        updated_ms = max(int(self._now() * 1000), old.updated_ms)
        return self._keep(
            Resource(
                id_,
                dict(body),
                old.sandbox,
                old.created_ms,
                updated_ms,
                old.revision + 1,
                _new_etag(updated_ms),
            )
        )

    def remove(self, id_: str) -> Resource:
        """Forget an object and return it. Raises KeyError where there is none."""
        old = self._by_id[id_]
        self._write(_Line(gone=id_))
        del self._by_id[id_]
        self._changes += 1
        return old

    def all(self, *, sandbox: str | None = None) -> Iterator[Resource]:
        """Every object, or those of one sandbox, in order of their making."""
        for resource in list(self._by_id.values()):
            if sandbox in (None, resource.sandbox):
                yield resource

    def _keep(self, resource: Resource) -> Resource:
        self._write(_Line(kept=resource))
        self._by_id[resource.id] = resource
        self._changes += 1
        return resource

    def _write(self, line: _Line) -> None:
        if self._journal is None or self._file is None:
            return
        if self._lines > len(self) + _SUPERSEDED:
            old, self._journal = self._journal, self._rewritten(self._file)
            os.close(old)
        end = os.fstat(self._journal).st_size
        try:
            _write_all(self._journal, msgspec.json.encode(line) + b"\n")
        except OSError:
            os.ftruncate(self._journal, end)
            raise
        self._lines += 1

    def _read(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.read_bytes() if file.exists() else b""
        for text in written.split(b"\n")[:-1]:  # behind the last line break is a torn line, if any
            line = _line.decode(text)
            if line.kept is not None:
                self._by_id[line.kept.id] = line.kept
            elif line.gone is not None:
                self._by_id.pop(line.gone, None)

    def _rewritten(self, file: Path) -> int:
        """The file with only what is there now, open at its end."""
        fresh = file.with_name(file.name + ".new")
        journal = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            lines = [msgspec.json.encode(_Line(kept=each)) + b"\n" for each in self._by_id.values()]
            _write_all(journal, b"".join(lines))
            os.fsync(journal)
            fresh.replace(file)
        except OSError:
            os.close(journal)
            raise
        self._lines = len(lines)
        return journal


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _new_etag(now_ms: int) -> str:
    """In the form the platform's have: something random, and the second."""
    return f"{secrets.token_hex(4)}-0000-0200-0000-{now_ms // 1000 & 0xFFFFFFFF:08x}0000"
