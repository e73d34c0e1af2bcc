"""Which files are written to, in numbered lines, and in which ways are they rotated meanwhile?"""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from torture.rotation.witness import Witness


@dataclass(eq=False)
class Log:
    """One file that is written to, and how it is rotated."""

    path: Path
    rotate: "Callable[[Log], bool]"  # whether it was
    lines: int = 0
    rotations: int = 0
    writer: IO[bytes] | None = None
    rests: bool = False  # until all of it is safe
    vouched: int = 0  # the number of the stream that said so of the last one that was taken away
    writes_on: int = 0  # so many times to the file it has open, though that was rotated

    def written(self) -> Iterator[bytes]:
        """Every line, wherever it is by now."""
        return (self._line(number) for number in range(self.lines))

    def write(self, count: int) -> None:
        """Add lines, each in a write of its own or many in one."""
        if self.writer is None or (self.writes_on <= 0 and not self._is_current()):
            self.close()
            self.writer = self.path.open("ab", buffering=0)
        self.writes_on -= 1
        numbers = range(self.lines, self.lines + count)
        self.writer.write(b"".join(self._line(number) + b"\n" for number in numbers))
        self.lines += count

    def close(self) -> None:
        """Write no more to the file it has open."""
        if self.writer:
            self.writer.close()
        self.writer = None

    def _line(self, number: int) -> bytes:
        return b'{"_id":"%s-%d"}' % (self.path.stem.encode(), number)

    def _is_current(self) -> bool:
        assert self.writer
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self.writer.fileno()), self.path.stat())
        return False


class Logs:
    """Eight files in a directory, each rotated in a way of its own."""

    def __init__(self, directory: Path, dice: random.Random, witness: Witness) -> None:
        self._directory = directory
        self._dice = dice
        self._witness = witness
        self._logs = directory / "logs"
        self._targets = directory / "targets"
        self._targets.mkdir(parents=True)
        self._logs.mkdir()
        self._rotating: list[subprocess.Popen[bytes]] = []
        ways = (
            self._rename,
            self._rename,
            self._logrotate_create,
            self._logrotate_copytruncate,
            self._copy_and_cut,
            self._remove,
            self._turn_link,
            self._cut,
        )
        self.all = [Log(self._logs / f"w{number}.log", way) for number, way in enumerate(ways)]
        self._turn_link(self.all[6])

    @property
    def patterns(self) -> list[str]:
        """What leads to every file that has lines."""
        return [f"{self._logs}/*.log*", f"{self._targets}/*"]

    @property
    def in_use(self) -> list[Log]:
        """Those that may be written to now."""
        return [log for log in self.all if not log.rests]

    def rotate_one(self) -> str | None:
        """Rotate one of them; in which way, if it was."""
        log = self._dice.choice(self.all)
        if log.lines and log.path.exists() and log.rotate(log):
            return log.rotate.__name__.strip("_")
        return None

    def written(self) -> set[bytes]:
        """Every line there ever was."""
        return {line for log in self.all for line in log.written()}

    def on_disk(self) -> set[bytes]:
        """Every line there is."""
        paths = [*self._logs.iterdir(), *self._targets.iterdir()]
        return {line for path in paths for line in path.read_bytes().split(b"\n")}

    def raced(self, gone: set[bytes]) -> set[bytes]:
        """Of the lines that are *gone*, those that fell between being copied and being cut: of
        logrotate that is known."""
        return {line for line in gone if line.startswith(b'{"_id":"w3-')}

    def wait_for_logrotate(self) -> None:
        """Wait until nothing is rotated any more."""
        for process in self._rotating:
            process.wait(10)

    def close(self) -> None:
        """Write and rotate no more."""
        for process in self._rotating:
            process.kill()
            process.wait()
        for log in self.all:
            log.close()

    # ---- ways to rotate; each says whether it did

    def _rename(self, log: Log) -> bool:
        log.rotations += 1
        log.path.rename(log.path.with_name(f"{log.path.name}.{log.rotations}"))
        log.writes_on = self._dice.randrange(3)
        return True

    def _logrotate_create(self, log: Log) -> bool:
        log.writes_on = self._dice.randrange(5)
        return self._logrotate(log, "create")

    def _logrotate_copytruncate(self, log: Log) -> bool:
        return self._logrotate(log, "copytruncate")

    def _logrotate(self, log: Log, way: str) -> bool:
        """Have it rotated by the real program, beside what is written meanwhile."""
        self._rotating = [process for process in self._rotating if process.poll() is None]
        if any(process.args[-1].endswith(f"{way}.conf") for process in self._rotating):
            return False
        config = self._directory / f"{way}.conf"
        config.write_text(f"{log.path} {{\n rotate 2000\n nocompress\n {way}\n missingok\n}}\n")
        config.chmod(0o644)
        state = self._directory / f"{way}.state"
        command = ["/usr/sbin/logrotate", "--force", "--state", str(state), str(config)]
        with (self._directory / "logrotate.log").open("ab") as said:
            self._rotating.append(subprocess.Popen(command, stderr=said))
        return True

    def _copy_and_cut(self, log: Log) -> bool:
        """While nobody writes, so that nothing falls between the two."""
        log.rotations += 1
        shutil.copyfile(log.path, log.path.with_name(f"{log.path.name}.{log.rotations}"))
        os.truncate(log.path, 0)
        return True

    def _remove(self, log: Log) -> bool:
        """Only when all of it is known to be safe: whoever removes before, loses."""
        if self._may_be_taken_away(log):
            log.path.unlink()
        return not log.rests

    def _cut(self, log: Log) -> bool:
        if not log.path.stat().st_size:
            return False
        if self._may_be_taken_away(log):
            os.truncate(log.path, 0)
        return not log.rests

    def _turn_link(self, log: Log) -> bool:
        log.rotations += 1
        target = self._targets / f"{log.path.name}-{log.rotations}"
        target.touch()
        following = log.path.with_name("next")
        following.symlink_to(target)
        following.rename(log.path)
        return True

    def _may_be_taken_away(self, log: Log) -> bool:
        """Whether all of it is safe; until then nothing more is written to it."""
        number = self._witness.vouching(log.path, newer_than=log.vouched)
        log.rests = number is None
        log.vouched = number or log.vouched
        return not log.rests
