"""A spool with ten records, and the commands that read it."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.app.inlets import envelope_of
from agent.app.storing import destination_of
from agent.config import load
from agent.core.batching import Draft
from agent.core.codecs import Codec
from agent.core.identities import Identities
from agent.delivery.encoder import Encoder
from agent.record import Batch, Position, Span
from agent.store import audit
from agent.store.database import open_for_reading
from agent.store.disk import Store
from agent.store.entry import Entry
from agent.store.partition import Partition
from cli.spool.kept import LIMITS, RECORDS, Command


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AEP_AGENT_DATA_DIR", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Write the configuration of a destination."""

    def write(name: str = "a", mode: str = "batch", **envelope: object) -> Path:
        inlet = {"url": f"http://127.0.0.1:9/collection/{name}", "flow_id": "f", "mode": mode}
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps({"inlet": inlet | ({"envelope": envelope} if envelope else {})}))
        return path

    return write


@pytest.fixture
def keep(data_dir: Path) -> Callable[..., None]:
    """Put the ten records into the spool, two or one a batch, as the agent of a configuration."""

    def write(path: Path, *, gzip: str = "gzip", ids: bool = False, **changes: object) -> None:
        settings = load(path)
        encoder = Encoder(
            envelope_of(settings.inlet),
            Codec(gzip),
            Identities("position") if ids else None,
        )
        each = 1 if settings.inlet.mode == "single" else 2
        target = destination_of(settings.each_flow()[""])
        asyncio.run(_spool(data_dir, encoder, target, each, changes))

    return write


async def _spool(
    data_dir: Path, encoder: Encoder, target: tuple[str, str], each: int, changes: dict[str, object]
) -> None:
    store = Store.open(data_dir, limits=LIMITS, spool_for=[target])
    assert store.contents.spool
    number = store.contents.spool.newest
    store.follow("orders.ndjson", Position(1, 0))
    end = sum(map(len, RECORDS)) + len(RECORDS)
    store.read("orders.ndjson", Position(11, end), 10)
    batches: list[Batch] = []
    offset = 0
    for at in range(0, 10, each):
        records = RECORDS[at : at + each]
        draft = Draft(1_700_000_000.0, 0.0, records, [Span("orders.ndjson", at + 1, offset, each)])
        offset += sum(map(len, records)) + each
        number += 1
        batches.append(replace(encoder.batch(draft), number=number, **changes))
    passed = tuple(span for batch in batches for span in batch.spans)
    await Partition(store, key=target[0]).write(Entry(appended=batches, passed=passed))
    await store.close()


@pytest.fixture
def command(capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Run `aep-agent spool …`, or another command: exit code, stdout, stderr as text."""

    def run(*words: object) -> tuple[int, bytes, str]:
        code = main([*map(str, words)])
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run


@pytest.fixture
def meddle(data_dir: Path) -> Callable[[str], None]:
    """Change the store behind its back."""

    def execute(statement: str) -> None:
        with closing(sqlite3.connect(data_dir / "store.db")) as connection, connection:
            connection.execute(statement)

    return execute


@pytest.fixture
def balanced(data_dir: Path) -> Iterator[Callable[[], audit.Audit]]:
    """The books, which balance."""

    def taken() -> audit.Audit:
        connection = open_for_reading(data_dir)
        assert connection
        with closing(connection):
            books = audit.take(connection)
        assert [check for check in audit.checks(books) if not check.holds] == []
        return books

    yield taken
    taken()
