"""Does a person see what is in the spool, and get at it, without harming it?"""

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
from agent.cli.spooled import opened
from agent.config import load
from agent.core.batching import Draft
from agent.core.codecs import Codec
from agent.core.identities import Identities
from agent.delivery.encoder import Encoder
from agent.errors import StoreFull
from agent.record import Batch, DeadLetter, Position, Span
from agent.store import audit, dead_letters, lock, spool_view
from agent.store.database import open_for_reading, open_for_removing
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.partition import Partition
from agent.store.releasing import REASON, to_dead_letters

XDM = {"type": "xdm", "schema_id": "https://ns.adobe.com/acme/schemas/1", "dataset_id": "5f3c"}
OTHER_XDM = {**XDM, "dataset_id": "6f3c"}
RECORDS = [b'{"n":%d,"city":"Z\xc3\xbcrich"}' % number for number in range(10)]
LETTER = DeadLetter(b"", 1, REASON, "spool", "by hand", "a.ndjson", Position(1, 0), 0, 1.0, 1.0)
LIMITS = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)

Command = Callable[..., tuple[int, bytes, str]]


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


def test_a_look_at_the_spool_tells_what_waits_for_whom_and_how_far_sources_are(
    config, keep, command, meddle, data_dir
):
    keep(config("a"), attempts=3)
    keep(config("b"), not_before=9e9)
    meddle("UPDATE spool SET hold = 'damaged' WHERE id = 7")
    before = (data_dir / "store.db").read_bytes()
    seen = json.loads(command("spool", "inspect", "--json")[1])
    held = [(h["hold"], h["batches"], h["attempts_max"], h["waiting"]) for h in seen["held"]]
    assert held == [(None, 5, 3, 0), (None, 4, 0, 4), ("damaged", 1, 0, 1)]
    assert (seen["batches"], seen["records"]) == (10, 20)
    assert seen["positions"]["orders.ndjson"]["line"] == 11
    page = command("spool", "inspect")[1].decode()
    assert "10 batches with 20 records" in page
    assert "http://127.0.0.1:9/collection/b flow f" in page
    assert "held back    damaged" in page
    assert "orders.ndjson: line 11, byte" in page
    each = command("spool", "inspect", "--each")[1].decode().splitlines()
    assert len(each) == 10
    assert "orders.ndjson:3-4" in each[1]
    first = json.loads(command("spool", "inspect", "--each", "--json")[1].splitlines()[0])
    assert (first["id"], first["records"], first["attempts"]) == (1, 2, 3)
    assert first["spans"] == [{"source": "orders.ndjson", "line": 1, "offset": 0, "count": 2}]
    assert (data_dir / "store.db").read_bytes() == before


def test_what_is_as_it_was_put_there_verifies(config, keep, command, balanced):
    keep(config("a"))
    keep(config("b", **XDM), gzip="none", ids=True)
    keep(config("c", mode="single"), ids=True)
    code, out, err = command("spool", "verify")
    assert (code, out, err) == (
        0,
        b"20 batches with 30 records as they were put there\n",
        "",
    )
    assert command("audit")[0] == 0
    assert balanced().spool.batches == 20


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("body = CAST(replace(hex(body), '0', '1') AS BLOB)", "its body has"),
        ("body = zeroblob(length(body))", "checksum is wrong"),
        ("body = 'text'", "other kinds of values"),
        ("spans = x'00'", "other kinds of values"),
        ("body = substr(body, 1, 20)", "its body has 20 bytes"),
        ("spans = replace(spans, '3', '4')", "checksum is wrong"),
        ("checksum = checksum + 1", "checksum is wrong"),
        ("ids_added = x'01'", "checksum is wrong"),
        ("count = 3", "it holds 2 records, not 3"),
        ("plain_bytes = plain_bytes - 1", "uncompressed it has"),
    ],
)
def test_what_is_not_is_named_by_verify_and_audit_and_left_out_of_exports(
    config, keep, command, meddle, damage, words
):
    keep(config())
    meddle(f"UPDATE spool SET {damage} WHERE id = 2")
    code, out, _ = command("spool", "verify")
    assert code == 1
    assert words in out.decode()
    assert out.startswith(b"batch 2: ")
    code, out, _ = command("audit", "--json")
    (last,) = (c for c in json.loads(out)["checks"] if c["name"].startswith("batches in the spool"))
    assert (code, last["holds"]) == (1, False)
    code, out, err = command("spool", "export", "--raw")
    assert (code, out.splitlines()) == (1, RECORDS[:2] + RECORDS[4:])
    assert "batch 2 is left out" in err


def test_a_damaged_batch_that_is_held_back_is_known_to_the_audit(config, keep, command, meddle):
    keep(config())
    meddle("UPDATE spool SET checksum = 1, hold = 'damaged' WHERE id = 2")
    assert command("spool", "verify")[0] == 1
    code, out, _ = command("audit")
    assert code == 0
    assert b"1 damaged and held back" in out
    assert command("spool", "release")[0] == 1
    assert json.loads(command("spool", "inspect", "--json")[1])["held"][1]["hold"] == "damaged"


@pytest.mark.parametrize("gzip", ["gzip", "none"])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("mode", ["batch", "single"])
@pytest.mark.parametrize("envelope", [{}, XDM], ids=["raw", "xdm"])
def test_an_export_gives_the_bytes_that_were_read(config, keep, command, gzip, ids, mode, envelope):
    path = config(mode=mode, **envelope)
    keep(path, gzip=gzip, ids=ids)
    flags = ["--config", path] if envelope else []
    code, out, err = command("spool", "export", "--raw", *flags)
    assert (code, out.splitlines(), err) == (0, RECORDS, "")
    third = json.loads(command("spool", "export", *flags)[1].splitlines()[2])
    assert third["record"].encode() == RECORDS[2]
    assert third["source"] == "orders.ndjson"
    assert third["position"] == {"line": 3, "offset": 2 * len(RECORDS[0]) + 2}


@pytest.mark.parametrize("other", [None, {}, OTHER_XDM], ids=["none", "raw", "another dataset"])
def test_an_export_without_the_destination_says_that_envelopes_are_left_on(
    config, keep, command, other
):
    keep(config(**XDM))
    flags = [] if other is None else ["--config", config("other", **other)]
    code, out, err = command("spool", "export", "--raw", "1", "5", *flags)
    assert code == 0
    assert "4 of 4 records come with the envelope" in err
    bodies = [json.loads(line)["body"]["xdmEntity"]["n"] for line in out.splitlines()]
    assert bodies == [0, 1, 8, 9]


def test_released_batches_wait_no_longer(config, keep, command, meddle, balanced):
    keep(config(), not_before=9e9)
    meddle("UPDATE spool SET hold = 'poison' WHERE id = 4")
    assert command("spool", "release", "4")[1].startswith(b"1 batch waits no longer")
    assert command("spool", "release")[1].startswith(b"4 batches wait no longer")
    (held,) = json.loads(command("spool", "inspect", "--json")[1])["held"]
    assert (held["hold"], held["waiting"], held["batches"]) == (None, 0, 5)
    assert balanced().spool.records == 10


@pytest.mark.parametrize(("envelope", "mode"), [({}, "batch"), ({}, "single"), (XDM, "batch")])
def test_a_batch_that_nobody_wants_to_send_becomes_dead_letters(
    config, keep, command, balanced, data_dir, envelope, mode
):
    path = config(mode=mode, **envelope)
    keep(path, ids=True, attempts=7, first_at=5.0, last_at=6.0)
    code, out, _ = command("spool", "release", "--to-dead-letters", 2, "--config", path)
    count = 1 if mode == "single" else 2
    assert code == 0
    assert out.startswith(b"batch 2: %d record" % count)
    with closing(open_for_reading(data_dir)) as connection:
        letters = [stored.letter for stored in dead_letters.each(connection)]
        assert [one.id for one in spool_view.each(connection)][:2] == [1, 3]
    assert [letter.record for letter in letters] == RECORDS[count : 2 * count]
    assert {(one.reason, one.stage, one.attempts) for one in letters} == {("released", "spool", 7)}
    assert letters[0].position.line == count + 1
    books = balanced()
    assert (books.spool.records, books.by_reason("dead_lettered")) == (
        10 - count,
        {"released": count},
    )


def test_what_cannot_become_dead_letters_stays_in_the_spool(config, keep, command, meddle):
    keep(config("a", **XDM))
    meddle("UPDATE spool SET checksum = 1 WHERE id = 2")
    code, out, err = command("spool", "release", "--to-dead-letters", 1, 2, 99)
    assert (code, out) == (1, b"")
    assert "batch 1 is for http://127.0.0.1:9/collection/a" in err
    assert "batch 2: its checksum is wrong" in err
    assert "no batch 99" in err
    assert json.loads(command("spool", "inspect", "--json")[1])["batches"] == 5


def test_a_batch_stays_whole_where_dead_letters_have_no_room(config, keep, balanced, data_dir):
    path = config()
    keep(path)
    with closing(open_for_removing(data_dir)) as connection:
        spooled = next(spool_view.each(connection, bodies=True))
        found = opened(spooled, None)
        letters = [replace(LETTER, record=record) for record, *_ in found.places()]
        with pytest.raises(StoreFull):
            to_dead_letters(connection, spooled, letters, max_bytes=0)
        refusal = "BEFORE DELETE ON spool BEGIN SELECT RAISE(ABORT, 'no'); END"
        connection.execute(f"CREATE TRIGGER refusal {refusal}")
        with pytest.raises(sqlite3.IntegrityError):
            to_dead_letters(connection, spooled, letters, max_bytes=1)
        connection.execute("DROP TRIGGER refusal")
        assert (balanced().spool.batches, balanced().letters.count) == (5, 0)
        to_dead_letters(connection, spooled, letters, max_bytes=1)
    assert balanced().spool.batches == 4


@pytest.mark.parametrize(
    ("before", "after", "adopted"),
    [
        ({}, {}, True),
        (XDM, XDM, True),
        (XDM, OTHER_XDM, False),
        ({}, XDM, False),
        (XDM, {}, False),
    ],
    ids=["raw", "xdm", "another dataset", "raw to xdm", "xdm to raw"],
)
def test_batches_are_adopted_where_their_bytes_are_what_the_new_destination_takes(
    config, keep, command, balanced, before, after, adopted
):
    keep(config("old", **before))
    new = config("new", **after)
    code, out, err = command("spool", "release", "--adopt", "--config", new)
    assert code == (0 if adopted else 1)
    assert out.startswith(b"5 batches" if adopted else b"0 batches")
    assert ("stay: 1, 2, 3, 4, 5" in err) is not adopted
    name = json.loads(command("spool", "inspect", "--json")[1])["held"][0]["destination"]
    assert ("new" in name) is adopted
    assert balanced().spool.records == 10


def test_adopted_batches_are_those_that_the_agent_then_finds(config, keep, command, data_dir):
    keep(config("old"))
    new = config("new")
    command("spool", "release", "--adopt", "--config", new)

    async def found() -> int:
        key, name = destination_of(load(new).each_flow()[""])
        store = Store.open(data_dir, limits=LIMITS, spool_for=[(key, name)])
        assert store.contents.spool
        records = store.contents.spool.mine[key].share.records
        await store.close()
        return records

    assert asyncio.run(found()) == 10


def test_nothing_is_released_under_an_agent_that_runs(config, keep, command, data_dir):
    keep(config())
    with closing(lock.take(data_dir)):
        code, out, err = command("spool", "release")
    assert (code, out) == (78, b"")
    assert "another aep-agent" in err


@pytest.mark.parametrize(
    ("words", "hint"),
    [(["--to-dead-letters"], "say which batches"), (["--adopt"], "--adopt needs --config")],
)
def test_a_release_wants_to_be_told_what(config, keep, command, words, hint):
    keep(config())
    code, out, err = command("spool", "release", *words)
    assert (code, out) == (2, b"")
    assert hint in err


def test_where_no_spool_is_nothing_is_made(command, tmp_path):
    for words in (["inspect"], ["verify"], ["export"], ["release"]):
        code, out, err = command("spool", *words)
        assert (code, out) == (0, b"")
        assert "no store at" in err
    assert command("audit")[0] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["spool", "inspect"], ["spool", "verify"], ["spool", "export"], ["audit"]]
)
def test_a_file_that_is_no_store_is_an_error_with_a_way_on(command, data_dir, words):
    data_dir.mkdir()
    (data_dir / "store.db").write_bytes(b"garbage " * 10_000)
    code, out, err = command(*words)
    assert (code, out) == (1, b"")
    assert "sets the file aside" in err
    assert [path.name for path in data_dir.iterdir()] == ["store.db"]


def test_the_configuration_says_where_the_store_is(config, keep, command, tmp_path, monkeypatch):
    keep(config())
    monkeypatch.delenv("AEP_AGENT_DATA_DIR")
    path = tmp_path / "here.yaml"
    path.write_text(
        json.dumps(
            {"inlet": {"url": "http://127.0.0.1:9/collection/a", "flow_id": "f"}}
            | {"data_dir": str(tmp_path / "store")}
        )
    )
    for words in (["spool", "verify"], ["audit"], ["spool", "export"]):
        code, out, err = command(*words, "--config", path)
        assert (code, err) == (0, "")
        assert out


def test_the_audit_says_what_became_of_every_record(config, keep, command, meddle):
    path = config()
    keep(path)
    command("spool", "release", "--to-dead-letters", 1, "--config", path)
    command("dead-letters", "purge", "1")
    page = command("audit")[1].decode()
    assert "held in the spool                 8   4 batches" in page
    assert "2 released, of all these 1 purged" in page
    assert page.endswith("balanced\n")
    books = json.loads(command("audit", "--json")[1])
    assert (books["read"], books["held"], books["purged"], books["balanced"]) == (10, 8, 1, True)
    meddle("UPDATE ledger SET records = 11 WHERE entry = 'read'")
    code, out, _ = command("audit", "--quick")
    assert code == 1
    assert b"WRONG  read = accepted" in out
    assert b"held: 1 missing" in out
    assert out.splitlines()[-1].startswith(b"not balanced")


def test_a_file_that_is_damaged_does_not_verify(config, keep, command, data_dir):
    keep(config(), gzip="none")
    content = bytearray((data_dir / "store.db").read_bytes())
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'receipts_by_prefix'"
        (page,) = connection.execute(query).fetchone()
    content[(page - 1) * 32768] = 255  # no kind of page
    (data_dir / "store.db").write_bytes(content)
    code, out, err = command("spool", "verify")
    assert code == 1
    assert b"the file: " in out
    assert "sets a damaged file aside" in err
