"""What is in the store's file? Its tables, and the steps that brought them there.

Times are whole milliseconds since 1970. Each migration runs in one transaction and leaves its own
number (1 for the first) in `user_version`; a later release appends to the list and changes no step
that was ever released.
"""

PAGE_SIZE = 32768  # large pages pay for the bodies of batches: 155 MB/s against 66 with 4 KiB
APPLICATION_ID = 0x61657061  # "aepa": tells our file from another program's

_RECEIPTS_AND_DEAD_LETTERS = (
    # The widest span of a source bounds the search for the spans that cover one of its lines.
    """CREATE TABLE sources (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        widest_span INTEGER NOT NULL DEFAULT 0
    )""",
    # `indexes` is "0-9,11-479", or NULL where the ids are listed in receipt_ids. `bytes_until` is
    # the size of this receipt and all before it, so that what is kept is one subtraction.
    """CREATE TABLE receipts (
        id INTEGER PRIMARY KEY,
        accepted_ms INTEGER NOT NULL,
        received_time_ms INTEGER,
        batch_id TEXT,
        prefix TEXT NOT NULL,
        indexes TEXT,
        attempts INTEGER NOT NULL,
        bytes_until INTEGER NOT NULL
    )""",
    "CREATE INDEX receipts_by_prefix ON receipts (prefix) WHERE indexes IS NOT NULL",
    # A batch id that the prefix repeats is found by the prefix: a second index on random ids would
    # write one more page for every receipt.
    """CREATE INDEX receipts_by_batch_id ON receipts (batch_id)
        WHERE prefix NOT IN (batch_id || ':', batch_id || '-')""",
    """CREATE TABLE receipt_ids (
        receipt_id INTEGER NOT NULL REFERENCES receipts (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        xaction_id TEXT NOT NULL,
        PRIMARY KEY (receipt_id, ordinal)
    ) WITHOUT ROWID""",
    "CREATE INDEX receipt_ids_by_xaction_id ON receipt_ids (xaction_id)",
    # `first` is the ordinal, within the receipt, of the span's first record.
    """CREATE TABLE receipt_spans (
        receipt_id INTEGER NOT NULL REFERENCES receipts (id) ON DELETE CASCADE,
        first INTEGER NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        line INTEGER NOT NULL,
        "offset" INTEGER NOT NULL,
        count INTEGER NOT NULL,
        newline INTEGER NOT NULL,
        PRIMARY KEY (receipt_id, first)
    ) WITHOUT ROWID""",
    "CREATE INDEX receipt_spans_by_line ON receipt_spans (source_id, line)",
    # AUTOINCREMENT: people write these ids down, so none is ever given twice.
    """CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        reason TEXT NOT NULL,
        stage TEXT NOT NULL,
        status INTEGER,
        message TEXT NOT NULL,
        xaction_id TEXT,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        line INTEGER NOT NULL,
        "offset" INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        length INTEGER NOT NULL,
        sha256 TEXT,
        bytes INTEGER NOT NULL
    )""",
    # Apart from the rest, so that listing and counting never read the records themselves.
    """CREATE TABLE dead_letter_records (
        id INTEGER PRIMARY KEY REFERENCES dead_letters (id) ON DELETE CASCADE,
        record BLOB NOT NULL
    )""",
    "CREATE TABLE dead_letters_kept (count INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO dead_letters_kept VALUES (0, 0)",
)

_SPOOL_AND_LEDGER = (
    # What batches were encoded for: `key` tells inlet, flow and envelope apart, `name` is words.
    """CREATE TABLE destinations (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL
    )""",
    # Ids ascend in the order of sending. `spans`: JSON, [[source, line, offset, count, newline], …]
    # in the order of the records. `ids_added` has a bit for each record that got an _id.
    # `hold` says why a batch is not offered for sending, as "damaged". `checksum` is the CRC-32 of
    # `spans`, `ids_added` and `body`; the body comes last, so that a listing need not read it.
    """CREATE TABLE spool (
        id INTEGER PRIMARY KEY,
        destination_id INTEGER NOT NULL REFERENCES destinations (id),
        hold TEXT,
        count INTEGER NOT NULL,
        body_bytes INTEGER NOT NULL,
        plain_bytes INTEGER NOT NULL,
        gzipped INTEGER NOT NULL,
        read_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        not_before_ms INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        spans TEXT NOT NULL,
        ids_added BLOB NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX spool_by_destination ON spool (destination_id, id) WHERE hold IS NULL",
    "CREATE TABLE spool_kept (batches INTEGER NOT NULL, records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL)",
    "INSERT INTO spool_kept VALUES (0, 0, 0)",
    # Everything before a position is in the spool or answered for. `identity` tells a file from
    # another one that later got its name.
    """CREATE TABLE positions (
        source_id INTEGER PRIMARY KEY REFERENCES sources (id),
        line INTEGER NOT NULL,
        "offset" INTEGER NOT NULL,
        identity TEXT,
        saved_ms INTEGER NOT NULL
    )""",
    # read = accepted + dead_lettered + filtered + dropped + what the spool holds, after every
    # commit. `purged` (of those dead-lettered), `replayed` (of those accepted, and no longer
    # dead-lettered) and `pruned` (accepted, its receipt removed) only explain the others;
    # so do `known` (read again, and taken off `read`: an earlier run had dead-lettered it),
    # `failed` (dead-lettered though it has a receipt: it did not land) and `pulled` (by failed
    # batch of the platform: how many of its records were looked at).
    """CREATE TABLE ledger (
        entry TEXT NOT NULL,
        reason TEXT NOT NULL,
        records INTEGER NOT NULL,
        PRIMARY KEY (entry, reason)
    ) WITHOUT ROWID""",
    """INSERT INTO ledger
        SELECT 'accepted', '', COALESCE(SUM(count), 0) FROM receipt_spans
        UNION ALL SELECT 'dead_lettered', reason, COUNT(*) FROM dead_letters GROUP BY reason""",
    "INSERT INTO ledger SELECT 'read', '', SUM(records) FROM ledger",
    # A dead letter whose replay was accepted keeps its row, and each replay leaves a trail.
    "ALTER TABLE dead_letters ADD COLUMN replayed_ms INTEGER",
    """CREATE TABLE replays (
        id INTEGER PRIMARY KEY,
        letter_id INTEGER NOT NULL REFERENCES dead_letters (id) ON DELETE CASCADE,
        at_ms INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        status INTEGER,
        message TEXT NOT NULL,
        xaction_id TEXT
    )""",
    "CREATE INDEX replays_by_letter ON replays (letter_id)",
)

# Counting what waits, for whom or why not, reads no row: a start takes no longer for 100 GiB.
_COUNTED_BY_INDEX = (
    "DROP INDEX spool_by_destination",
    "CREATE INDEX spool_by_destination ON spool (destination_id, hold, id, count, body_bytes)",
    "CREATE INDEX spool_by_hold ON spool (hold, count, body_bytes) WHERE hold IS NOT NULL",
)

# What cannot be read again is numbered on from where it was read to, safe or not: NULL for files.
_READ_ONCE = (
    "ALTER TABLE positions ADD COLUMN read_line INTEGER",
    "ALTER TABLE positions ADD COLUMN read_offset INTEGER",
)

# The name of the flow that a dead letter is of; NULL where there was one flow, without a name. The
# name and not the destination: what is put right before a replay is often that.
_FLOWS = ("ALTER TABLE dead_letters ADD COLUMN flow TEXT",)

# The name of the flow that a receipt is of; NULL where there was one flow, without a name, and in
# receipts that are older than this column.
_FLOWS_OF_RECEIPTS = ("ALTER TABLE receipts ADD COLUMN flow TEXT",)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _RECEIPTS_AND_DEAD_LETTERS,
    _SPOOL_AND_LEDGER,
    _COUNTED_BY_INDEX,
    _READ_ONCE,
    _FLOWS,
    _FLOWS_OF_RECEIPTS,
)
FORMAT = len(MIGRATIONS)
