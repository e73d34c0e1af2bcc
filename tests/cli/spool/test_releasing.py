"""Does what waits go on as a person wants it, with nothing lost?"""

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from agent.app.storing import destination_of
from agent.cli.spooled import opened
from agent.config import load
from agent.errors import StoreFull
from agent.store import dead_letters, lock, spool_view
from agent.store.database import open_for_reading, open_for_removing
from agent.store.disk import Store
from agent.store.releasing import to_dead_letters
from cli.spool.kept import LETTER, LIMITS, OTHER_XDM, RECORDS, XDM


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
