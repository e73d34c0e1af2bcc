"""A store with dead letters, and the command that reads it."""

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.record import DeadLetter
from agent.store.disk import Store, StoreLimits
from cli.dead_letters.letters import BROKEN, REJECTED, Settle


@pytest.fixture
def settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """Put dead letters into the store that the commands will read."""
    monkeypatch.setenv("AEP_AGENT_DATA_DIR", str(tmp_path / "store"))

    def write(letters: Sequence[DeadLetter]) -> None:
        async def settled() -> None:
            limits = StoreLimits(1e9, 10**9, 10**9)
            store = Store.open(tmp_path / "store", limits=limits)
            await store.settle([], letters)
            await store.close()

        asyncio.run(settled())

    return write


@pytest.fixture
def command(settle: Settle, capfdbinary: pytest.CaptureFixture[bytes]):
    """Run `aep-agent dead-letters …`: exit code, stdout, stderr as text."""

    def run(*words: str) -> tuple[int, bytes, str]:
        code = main(["dead-letters", *words])
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run


@pytest.fixture
def replayed(settle, tmp_path):
    """Three dead letters: the first was accepted in its second replay."""
    settle([REJECTED, REJECTED, BROKEN])
    with closing(sqlite3.connect(tmp_path / "store" / "store.db")) as connection, connection:
        connection.execute("UPDATE dead_letters SET replayed_ms = 1700000500000 WHERE id = 1")
        connection.execute(
            "INSERT INTO replays VALUES (1, 1, 1700000400000, 'refused', 400, 'still no', NULL),"
            " (2, 1, 1700000500000, 'accepted', NULL, '', 'x:7')"
        )
