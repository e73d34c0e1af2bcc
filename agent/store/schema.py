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

MIGRATIONS: tuple[tuple[str, ...], ...] = (_RECEIPTS_AND_DEAD_LETTERS,)
FORMAT = len(MIGRATIONS)
