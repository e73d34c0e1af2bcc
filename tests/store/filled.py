"""A store with something in every table, whose rows are known and whose books balance."""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import orjson

from agent.store.database import open_for_writing
from agent.store.spooling import checksum

TABLES = (
    *("sources", "destinations", "positions", "ledger", "spool", "spool_kept", "replays"),
    *("dead_letters", "dead_letter_records", "dead_letters_kept"),
    *("receipts", "receipt_spans", "receipt_ids"),
)
PAGE = 32768
Tables = dict[str, list[tuple[object, ...]]]


def fill(
    connection: sqlite3.Connection, batches: int = 40, letters: int = 60, receipts: int = 1500
) -> None:
    """Fill a new store; bodies and records are of up to 200 kB, a third of all was removed."""
    dice = random.Random(7)
    execute = connection.execute
    execute("BEGIN")
    for number in (1, 2, 3):
        execute("INSERT INTO sources VALUES (?, ?, 100)", (number, f"orders-{number}.ndjson"))
        execute("INSERT INTO positions VALUES (?, 999, 99999, 'inode 7', 1, NULL, NULL)", (number,))
    execute("INSERT INTO destinations VALUES (1, 'key', 'an inlet')")
    for number in range(1, letters + 1):
        append_letter(connection, number, dice)
    for number in range(1, batches + 1):
        append_batch(connection, number, dice.randbytes(dice.randrange(200, 200_000)))
    for number in range(1, receipts + 1):
        append_receipt(connection, number)
    execute("COMMIT")
    # Pages that become free keep their rows, which must not come back.
    execute("PRAGMA wal_checkpoint(TRUNCATE)")
    execute("PRAGMA secure_delete = OFF")
    execute("BEGIN")
    execute("DELETE FROM spool WHERE id % 3 = 0")
    execute("DELETE FROM dead_letters WHERE id % 3 = 0")
    execute("DELETE FROM receipts WHERE id < ?", (receipts // 3,))
    balance(connection)
    execute("COMMIT")


def append_batch(connection: sqlite3.Connection, number: int, body: bytes) -> None:
    """A batch of ten records."""
    spans = orjson.dumps([["orders-1.ndjson", number * 10 + 1, number * 900, 10, 1]]).decode()
    row = (number, 1, None, 10, len(body), 9 * len(body), 1, 7, 2, 8, 9, 10)
    insert = "INSERT INTO spool VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    connection.execute(insert, (*row, checksum(spans, b"", body), spans, b"", body))


def append_letter(connection: sqlite3.Connection, number: int, dice: random.Random) -> None:
    """A dead letter, replayed if it is the fifth, of a named flow if it is the seventh."""
    record = dice.randbytes(dice.randrange(10, 90_000))
    reason = ("rejected", "invalid_json")[number % 2]
    row = (number, reason, "platform", 400, "no, é", "x", 1 + number % 3, number, 0, 1, 5, 6)
    insert = f"INSERT INTO dead_letters VALUES ({', '.join('?' * 17)})"
    replayed, flow = None if number % 5 else 77, None if number % 7 else "orders"
    connection.execute(insert, (*row, len(record), None, 200 + len(record), replayed, flow))
    connection.execute("INSERT INTO dead_letter_records VALUES (?, ?)", (number, record))
    if replayed:
        trail = "INSERT INTO replays VALUES (?, ?, 5, 'accepted', 207, '', NULL)"
        connection.execute(trail, (number, number))


def append_receipt(connection: sqlite3.Connection, number: int) -> None:
    """A receipt for ten records; every tenth lists its ids."""
    indexes = "0-9" if number % 10 else None
    row = (number, 5, 6, f"batch-{number}", f"batch-{number}:", indexes, 1, number * 120)
    columns = "id, accepted_ms, received_time_ms, batch_id, prefix, indexes, attempts, bytes_until"
    insert = f"INSERT INTO receipts ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    connection.execute(insert, row)
    span = (number, 0, 1 + number % 3, number * 10, number * 1000, 10, 1)
    connection.execute("INSERT INTO receipt_spans VALUES (?, ?, ?, ?, ?, ?, ?)", span)
    if not indexes:
        ids = [(number, ordinal, f"id-{number}-{ordinal}") for ordinal in range(10)]
        connection.executemany("INSERT INTO receipt_ids VALUES (?, ?, ?)", ids)


def balance(connection: sqlite3.Connection) -> None:
    """Write the books that the rows ask for."""
    execute = connection.execute
    execute("DELETE FROM ledger")
    execute("""INSERT INTO ledger
        SELECT 'accepted', '', SUM(count) + 300 FROM receipt_spans
        UNION ALL SELECT 'pruned', '', 300
        UNION ALL SELECT 'dropped', 'buffer_full', 4
        UNION ALL SELECT 'purged', 'rejected', 3
        UNION ALL SELECT 'dead_lettered', reason, COUNT(*) + (reason = 'rejected') * 3
            FROM dead_letters WHERE replayed_ms IS NULL GROUP BY reason""")
    execute(
        "UPDATE spool_kept SET (batches, records, bytes) ="
        " (SELECT COUNT(*), SUM(count), SUM(body_bytes) FROM spool)"
    )
    execute(
        "UPDATE dead_letters_kept SET (count, bytes) ="
        " (SELECT COUNT(*), SUM(bytes) FROM dead_letters)"
    )
    execute("""INSERT INTO ledger SELECT 'read', '', SUM(records) + (SELECT records FROM spool_kept)
        FROM ledger WHERE entry IN ('accepted', 'dead_lettered', 'dropped')""")


def make_filled(data_dir: Path, **amounts: int) -> Path:
    """A filled store that was closed in order; its file."""
    connection, _ = open_for_writing(data_dir)
    with closing(connection):
        fill(connection, **amounts)
    return data_dir / "store.db"


def rows(connection: sqlite3.Connection) -> Tables:
    """Every row of every table."""
    return {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in TABLES
    }


def residue(connection: sqlite3.Connection) -> int:
    """What the books do not explain: 0 where they balance."""
    query = """SELECT SUM(CASE entry WHEN 'read' THEN records ELSE -records END)
        - (SELECT COALESCE(SUM(count), 0) FROM spool) FROM ledger
        WHERE entry IN ('read', 'accepted', 'dead_lettered', 'filtered', 'dropped')"""
    left: int = connection.execute(query).fetchone()[0] or 0
    return left


class Opened:
    """A damaged store after the start that met it."""

    def __init__(self, data_dir: Path) -> None:
        began = time.monotonic()
        connection, self.salvaged = open_for_writing(data_dir)
        self.seconds = time.monotonic() - began
        with closing(connection):
            self.rows = rows(connection)
            self.residue = residue(connection)
            self.verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            self.orphans = connection.execute("PRAGMA foreign_key_check").fetchall()

    @property
    def batches(self) -> dict[int, bytes]:
        """The bodies that will be sent, by number."""
        return {row[0]: row[-1] for row in self.rows["spool"] if row[2] is None}


def is_sound(opened: Opened) -> None:
    """Assert what is so after whatever damage."""
    assert opened.seconds < 2
    assert (opened.verdict, opened.orphans, opened.residue) == ("ok", [], 0)
    spool = opened.rows["spool"]
    kept = (len(spool), sum(row[3] for row in spool), sum(row[4] for row in spool))
    assert opened.rows["spool_kept"] == [kept]
    letters = opened.rows["dead_letters"]
    assert opened.rows["dead_letters_kept"] == [(len(letters), sum(row[14] for row in letters))]
    assert {row[0] for row in letters} == {row[0] for row in opened.rows["dead_letter_records"]}
