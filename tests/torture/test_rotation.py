"""Files rotated in every way, by logrotate too, lose no line while the agent is killed and starved.

`make torture-rotation` writes a million lines, and kills twenty times.
"""

import os
import sys
from pathlib import Path

import pytest

from sources.tail.following import Books, followed, numbered, text
from torture.rotation.run import Run
from torture.rotation.witness import vouching

SEED = int(os.environ.get("TORTURE_SEED") or 2)


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_no_line_of_files_that_are_rotated_is_missing(tmp_path: Path) -> None:
    sys.stdout.write(f"TORTURE_SEED={SEED} repeats this\n")  # shown where the test fails
    account = Run(tmp_path / "rotation", SEED, lines=30_000, kills=4).play()

    sys.stdout.write(account.told() + "\n")
    assert account.findings == []
    assert account.written >= 30_000
    assert len(account.operations) >= 7


async def test_no_file_is_taken_for_safe_because_a_former_one_was_as_long(tmp_path: Path) -> None:
    """Between a cut and the agent's next look, its last position is one in what was cut."""
    path = tmp_path / "app.log"
    books = Books()

    def number_that_vouches(newer_than: int) -> int | None:
        offsets = {name: saved.position.offset for name, saved in books.saved.items()}
        return vouching(path, offsets, newer_than=newer_than)

    path.write_bytes(text(numbered(10, 5)))
    async with followed(books, path):
        await books.have(*numbered(10, 5))
        assert number_that_vouches(newer_than=0) == 1

        os.truncate(path, 0)
        path.write_bytes(text(numbered(20, 5)))  # nobody has looked since
        assert books.saved[str(path)].position.offset == path.stat().st_size
        assert number_that_vouches(newer_than=1) is None

        await books.have(*numbered(10, 5), *numbered(20, 5))
        assert number_that_vouches(newer_than=1) == 2


def test_what_a_crash_has_left_of_older_files_says_nothing_of_the_one_that_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(30, 5)))
    size = path.stat().st_size
    assert vouching(path, {f"{path}#2": size}, newer_than=3) is None
    assert vouching(path, {f"{path}#2": size, f"{path}#4": size}, newer_than=3) == 4
    assert vouching(path, {f"{path}#4": size - 1}, newer_than=3) is None
    assert vouching(path, {}, newer_than=0) is None
