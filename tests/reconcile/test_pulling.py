"""Failed records find their line by their content, where the platform exports no id."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.core.identities import Identities
from agent.preflight.rules import Rules
from agent.reconcile.originals import Originals
from agent.reconcile.platform_side import Batch
from agent.reconcile.pulling import Keeping, Pull, Pulled
from agent.record import Receipt, Span, XactionIds
from agent.store import dead_letters
from agent.store.database import open_for_removing
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry

LIMITS = StoreLimits(receipts_keep=3e9, receipts_max_bytes=10**9, dead_letters_max_bytes=10**9)
SCHEMA = {"$id": "s", "type": "object", "properties": {"name": {"type": "string"}}}
MAPPING = {"mappings": [{"sourceType": "ATTRIBUTE", "source": "n", "destination": "name"}]}
WITH_ID = {"mappings": [{"sourceType": "ATTRIBUTE", "source": "_id", "destination": "name"}]}
RAW = Rules(SCHEMA, mapping=MAPPING)
XDM = Rules(SCHEMA, is_raw=False)


class Exporting:
    """A Catalog that exports these lines."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines

    async def failed_records(self, batch: str) -> AsyncIterator[bytes]:
        for line in self._lines:
            yield line


def _exported(entity: Any, id: str | None = None) -> bytes:
    header = {"xactionId": id} if id else {}
    errors = [{"message": "no", "keyword": "type", "pointerToViolation": "#/name"}]
    whole = {"header": header, "body": {"xdmEntity": entity}, "_validationErrors": errors}
    return json.dumps(whole).encode()


@pytest.fixture
async def orders(tmp_path: Path) -> Path:
    """Four lines that were accepted together."""
    path = tmp_path / "orders.ndjson"
    path.write_bytes(b'{"n":1}\r\n{ "n": 2 }\r\n{"n":3}\r\n{"n":1}\r\n')
    store = Store.open(tmp_path, limits=LIMITS)
    spans = (Span(str(path), 1, 0, 4, 2),)
    receipt = Receipt(1_700_000_000.0, None, "b", XactionIds("b:", (range(4),)), spans, 1)
    await store.write(Entry(receipts=(receipt,), passed=spans))
    await store.close()
    return path


def _change(orders: Path) -> None:
    """Let the second line be another record."""
    orders.write_bytes(orders.read_bytes().replace(b"2", b"5"))


async def _pulled(
    orders: Path, lines: list[bytes], rules: Rules = RAW
) -> tuple[Pulled, list[tuple[int, str, bytes]]]:
    """What was done, and the dead letters: line, reason, record."""
    connection = open_for_removing(orders.parent)
    assert connection
    with closing(connection):
        keeping = Keeping("", 1000, 10**9, is_raw=rules.is_raw)
        pull = Pull(connection, Originals(rules), keeping, 0.0)
        await pull.batch(Exporting(lines), Batch("B", "failed", 0, len(lines), {}))  # type: ignore[arg-type]
        letters = [stored.letter for stored in dead_letters.each(connection)]
    return pull.done, [(each.position.line, each.reason, each.record) for each in letters]


async def test_by_its_id_each_is_found_with_the_bytes_that_were_read(orders: Path) -> None:
    lines = [_exported({"name": "2"}, "b:1"), _exported({"name": "3"}, "b:2")]

    done, letters = await _pulled(orders, lines)

    assert letters == [(2, "failed", b'{ "n": 2 }'), (3, "failed", b'{"n":3}')]
    assert (done.original, done.exported, done.of_others) == (2, 0, 0)


async def test_without_ids_equal_records_are_two_lines(orders: Path) -> None:
    lines = [_exported({"name": "1"}), _exported({"name": "1"}), _exported({"name": "8"})]

    done, letters = await _pulled(orders, lines)

    assert letters == [(1, "failed", b'{"n":1}'), (4, "failed", b'{"n":1}')]
    assert done.of_others == 1


async def test_what_another_line_stands_for_now_is_kept_as_exported(orders: Path) -> None:
    _change(orders)
    line = _exported({"name": "2"}, "b:1")

    done, letters = await _pulled(orders, [line])

    assert letters == [(2, "failed_exported", line)]
    assert (done.original, done.exported) == (0, 1)


async def test_xdm_is_kept_as_the_entity_which_is_what_was_sent(orders: Path) -> None:
    _change(orders)

    done, letters = await _pulled(orders, [_exported({"name": "2"}, "b:1")], XDM)

    assert letters == [(2, "failed", b'{"name": "2"}')]
    assert done.exported == 1


async def test_lines_are_found_by_what_they_become_with_the_ids_the_agent_adds(
    orders: Path,
) -> None:
    rules = Rules(SCHEMA, mapping=WITH_ID, ids_by="position")
    (record,), _ = Identities("position").add([b'{"n":1}'], [Span(str(orders), 4, 30, 1)])
    entity = {"name": json.loads(record)["_id"]}

    _, by_id = await _pulled(orders, [_exported(entity, "b:3")], rules)
    other = Rules(SCHEMA, mapping=WITH_ID, ids_by="content")
    _, by_wrong_id = await _pulled(orders, [_exported(entity, "b:3")] * 2, other)

    assert by_id == [(4, "failed", b'{"n":1}')]
    assert [reason for _, reason, _ in by_wrong_id] == ["failed", "failed_exported"]


async def test_an_id_that_the_agent_added_is_no_difference(orders: Path) -> None:
    lines = [_exported({"n": 3, "_id": "abc"}, "b:2")]

    _, letters = await _pulled(orders, lines, XDM)

    assert letters == [(3, "failed", b'{"n":3}')]
