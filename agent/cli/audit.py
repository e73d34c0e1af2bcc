"""aep-agent audit: is every record accounted for, once?"""

import argparse
import time
from typing import TYPE_CHECKING, Any

from agent.cli.letters import json_line
from agent.cli.stored import add_config, counted, iso, printable, reading, when
from agent.cli.telling import tell

if TYPE_CHECKING:
    import sqlite3

    from agent.store.audit import Audit, Check

HELP = "check that every record is accounted for"

_BALANCED, _UNBALANCED = 0, 1
_DESCRIPTION = """\
Compare what the store's ledger says became of every record with what is really there: batches in
the spool, dead letters, receipts. An agent may go on meanwhile: all is counted at one moment."""
_EPILOG = """\
read = accepted + dead-lettered + filtered + dropped + held in the spool. A buffer in memory books
records once they are answered for; what it holds is in its source, or lost with it.

exit status: 0 balanced; 1 not balanced, or the store cannot be read

examples:
  aep-agent audit
  aep-agent audit --json --data-dir /var/lib/aep-agent
  aep-agent audit --quick                        without verifying each batch in the spool"""
_SHOWN = 5  # damaged batches named at most


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `audit`."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("--quick", action="store_true", help="do not read the bodies of batches")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Audit; 1 where something does not add up."""
    from agent.store import audit

    with reading(args) as connection:
        if connection is None:
            return _BALANCED
        books = audit.take(connection)
        checks = list(audit.checks(books))
        if not args.quick:
            checks.append(_bodies(connection, books))
    balanced = all(check.holds for check in checks)
    if args.json:
        tell(json_line(as_object(books, checks, balanced=balanced)))
    else:
        tell(_page(books, checks, balanced=balanced))
    return _BALANCED if balanced else _UNBALANCED


def _bodies(connection: "sqlite3.Connection", books: "Audit") -> "Check":
    from agent.cli.verified import verified
    from agent.store.audit import Check

    count = held = 0
    wrong: list[str] = []
    for verdict in verified(connection, books.spool.batches):
        count += 1
        held += verdict.problem is not None and not verdict.is_news
        if verdict.is_news:
            wrong.append(str(verdict.spooled.id))
    words = f"{count:,} verified"
    if held:
        words += f", {held:,} damaged and held back"
    if wrong:
        words += f"; damaged: {', '.join(wrong[:_SHOWN])}{' …' if len(wrong) > _SHOWN else ''}"
    return Check("batches in the spool are as they were put there", not wrong, words)


def _page(books: "Audit", checks: "list[Check]", *, balanced: bool) -> str:
    spool = books.spool
    lines = [
        f"what became of every record, at {when(time.time(), 0.0)} UTC",
        "",
        _line("read", books.total("read"), ""),
        _line("accepted", books.total("accepted"), _replayed(books)),
        _line("dead-lettered", books.total("dead_lettered"), _reasons(books, "dead_lettered")),
        _line("filtered", books.total("filtered"), _reasons(books, "filtered")),
        _line("dropped", books.total("dropped"), _reasons(books, "dropped")),
        _line("held in the spool", spool.records, counted(spool.batches, "batch", "batches")),
        _line("unaccounted for", books.missing, ""),
        "",
        *(f"{'ok   ' if check.holds else 'WRONG'}  {_check(check)}" for check in checks),
        "",
        "balanced" if balanced else "not balanced: please report it, with this page",
    ]
    return "\n".join(lines)


def _line(name: str, records: int, words: str) -> str:
    return f"  {name:<20}{records:>15,}   {words}".rstrip()


def _check(check: "Check") -> str:
    return f"{check.name}: {printable(check.words)}"


def _replayed(books: "Audit") -> str:
    replayed = books.total("replayed")
    return f"{replayed:,} of them in a replay" if replayed else ""


def _reasons(books: "Audit", entry: str) -> str:
    words = [
        f"{records:,} {printable(reason or 'without a reason').replace('_', ' ')}"
        for reason, records in books.by_reason(entry).items()
    ]
    if entry == "dead_lettered" and (purged := books.total("purged")):
        words.append(f"of all these {purged:,} purged")
    return ", ".join(words)


def as_object(books: "Audit", checks: "list[Check]", *, balanced: bool) -> dict[str, Any]:
    """What the audit found, for scripts."""
    outcomes = ("accepted", "dead_lettered", "filtered", "dropped")
    explaining = ("replayed", "purged", "pruned", "failed")
    return {
        "at": iso(time.time()),
        "balanced": balanced,
        "read": books.total("read"),
        **{entry: books.total(entry) for entry in (*outcomes, *explaining)},
        "dead_lettered_by_reason": books.by_reason("dead_lettered"),
        "dropped_by_reason": books.by_reason("dropped"),
        "held": books.spool.records,
        "unaccounted": books.missing,
        "without_receipt": books.without_receipt,
        "checks": [{"name": c.name, "holds": c.holds, "words": c.words} for c in checks],
    }
