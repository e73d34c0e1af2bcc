"""Does a person see what is in the spool, and get at it, without harming it?"""

import json
import sqlite3
from contextlib import closing

import pytest

from cli.spool.kept import OTHER_XDM, RECORDS, XDM


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
