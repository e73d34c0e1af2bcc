"""How is a dead letter shown: as JSON, as a line, as a page, and many of them as a table?"""

import time
from typing import TYPE_CHECKING, Any

from agent.cli.stored import iso, printable, shortened, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.store.dead_letters import Group, Replay, Stored

_MESSAGE_SHOWN = 100  # characters
_RECORD_SHOWN = 120  # characters


def as_object(stored: "Stored", *, with_record: bool = True) -> dict[str, Any]:
    """The JSON object of one dead letter. `record` is its exact text, where it is UTF-8."""
    letter = stored.letter
    record = record_field(letter.record) if with_record else {}
    replayed = {} if stored.replayed_at is None else {"replayed_at": iso(stored.replayed_at)}
    return record | {
        "reason": letter.reason,
        "stage": letter.stage,
        "status": letter.status,
        "message": letter.message,
        "xaction_id": letter.xaction_id,
        **({"flow": stored.flow} if stored.flow else {}),
        "source": letter.source,
        "position": {"line": letter.position.line, "offset": letter.position.offset},
        "attempts": letter.attempts,
        "first_at": iso(letter.first_at),
        "last_at": iso(letter.last_at),
        "id": stored.id,
        "length": letter.length,
        "sha256": letter.sha256,
        "truncated": stored.truncated,
        **replayed,
    }


def replay_object(replay: "Replay") -> dict[str, Any]:
    """The JSON object of one step of its trail."""
    return {
        "at": iso(replay.at),
        "outcome": replay.outcome,
        "status": replay.status,
        "message": replay.message,
        "xaction_id": replay.xaction_id,
    }


def line(stored: "Stored") -> str:
    """One dead letter in one line, with the beginning of its record where that was read."""
    letter = stored.letter
    words = [
        f"{stored.id:>6}",
        iso(letter.last_at),
        f"{printable(letter.source)}:{letter.position.line}",
        letter.reason,
        str(letter.status or "-"),
        shortened(letter.message, _MESSAGE_SHOWN),
    ]
    if letter.record:
        words.append(shortened(_text(letter.record[: 2 * _RECORD_SHOWN]), _RECORD_SHOWN))
    return "  ".join(words)


def page(stored: "Stored", trail: "list[Replay]") -> str:
    """Everything about one dead letter, its record last."""
    letter = stored.letter
    position = letter.position
    kept = f", of which the first {len(letter.record):,} were kept" if stored.truncated else ""
    lines = {
        "dead letter": str(stored.id),
        "reason": letter.reason,
        "stage": letter.stage,
        "status": str(letter.status) if letter.status else None,
        "message": printable(letter.message),
        "xactionId": printable(letter.xaction_id) if letter.xaction_id else None,
        "flow": printable(stored.flow) if stored.flow else None,
        "source": f"{printable(letter.source)}, line {position.line}, byte {position.offset}",
        "attempts": str(letter.attempts),
        "first": iso(letter.first_at),
        "last": iso(letter.last_at),
        "length": f"{letter.length:,} bytes{kept}",
        "sha256": letter.sha256,
    }
    shown = [f"{name:<12} {value}" for name, value in lines.items() if value is not None]
    shown += [f"{'replayed':<12} {_step(replay)}" for replay in trail]
    return "\n".join([*shown, "", printable(_text(letter.record))])


def table(groups: "list[Group]") -> str:
    """Dead letters by reason and kind of message, whose words stand below, however narrow it is."""
    now = time.time()
    heads = ("reason", "stage", "count", "first seen", "last seen", "such as")
    rows = [heads]
    for group in groups:
        times = when(group.first_at, now), when(group.last_at, now)
        rows.append((group.reason, group.stage, f"{group.count:,}", *times, str(group.example)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_row(heads, widths)]
    for row, group in zip(rows[1:], groups, strict=True):
        lines += [_row(row, widths), f"    {printable(group.message)}"]
    return "\n".join(
        [*lines, "", "times are UTC; everything about one: aep-agent dead-letters show N"]
    )


def _row(cells: "Sequence[str]", widths: "Sequence[int]") -> str:
    sides = (str.ljust, str.ljust, str.rjust, str.ljust, str.ljust, str.rjust)
    shown = zip(sides, map(printable, cells), widths, strict=True)
    return "  ".join(side(cell, width) for side, cell, width in shown)


def json_line(value: dict[str, Any]) -> str:
    """One JSON object in one line."""
    import orjson

    return orjson.dumps(value).decode()


def _step(replay: "Replay") -> str:
    words = [iso(replay.at), replay.outcome, str(replay.status or ""), replay.message]
    return printable("  ".join([*filter(None, words), replay.xaction_id or ""])).rstrip()


def record_field(record: bytes) -> dict[str, str]:
    """The exact bytes of a record, as JSON can hold them."""
    try:
        return {"record": record.decode()}
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"record_base64": b64encode(record).decode()}


def _text(record: bytes) -> str:
    return record.decode("utf-8", "backslashreplace")
