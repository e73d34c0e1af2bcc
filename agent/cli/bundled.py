"""What is in a support bundle? Each part is gathered by itself: one that fails stops no other.

Whatever is gathered goes through `_clean` or line by line through `scrub_text` in the end, with
every secret registered that is known here, so that one in the wrong place is taken out, too.
"""

import argparse
import json
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from agent.cli import system_facts
from agent.cli.admin_port import AdminPort, admin_port_of
from agent.cli.log_lines import own_lines
from agent.config.model import Config
from agent.errors import AgentError
from agent.telemetry.redaction import REDACTED, redact, scrub_fields, scrub_text

_SECRET_VARIABLE = re.compile("TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH", re.IGNORECASE)
_INLET_ID = re.compile(r"/collection/(?:batch/)?([^/?#]+)")
_FOUND = re.compile(r'found ".*?"(?=[;,]|$)')  # what a wrong configuration says, quoted
_HISTORY = 300
_SHORTEST_SECRET = 8  # characters of a variable that may be one; "true" is none

Parts = dict[str, bytes]


def gathered(args: argparse.Namespace) -> Parts:
    """The parts of the bundle by name: about.json last, which says what is missing."""
    for name, value in os.environ.items():
        if _SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST_SECRET:
            redact(value)
    missing: dict[str, str] = {}
    parts: Parts = {}

    def gather(name: str, make: Callable[[], object]) -> None:
        try:
            made = make()
        except (AgentError, OSError, ValueError) as error:
            missing[name] = _hidden(str(error))
            return
        content = made if isinstance(made, bytes) else _as_json(made)
        parts[name] = content

    config = _config(args, missing)
    port = _port(args, config, missing)
    data_dir = _data_dir(args, config)
    gather("versions.json", system_facts.versions)
    gather("config.json", lambda: _explained(args))
    if port:
        gather("status.json", lambda: _told_of_no_record(port.status(_HISTORY)))
        for route in ("metrics", "livez", "readyz"):
            gather(f"{route}.txt", partial(_read, port, f"/{route}"))
    gather("store.json", lambda: _store(data_dir))
    gather("system.json", lambda: system_facts.system(data_dir))
    for number, log in enumerate(args.log, 1):
        gather(f"log-{number}.ndjson", partial(own_lines, Path(log)))
    parts["about.json"] = _as_json({"parts": list(parts), "missing": missing})
    return parts


def _config(args: argparse.Namespace, missing: dict[str, str]) -> Config | None:
    """The configuration where it is right; from then on its secrets are known."""
    from agent.config.loading import load
    from agent.config.secrets import secrets

    try:
        config = load(Path(args.config) if args.config else None)
    except AgentError as error:
        missing["config.json"] = _hidden(str(error))
        return None
    for secret in secrets(config):
        redact(secret)
    for flow in config.each_flow().values():
        for inlet in _INLET_ID.findall(flow.inlet.url):
            redact(inlet)  # whoever knows it may send to an inlet without authentication
    return config


def _explained(args: argparse.Namespace) -> object:
    from agent.config.explaining import settings
    from agent.config.loading import Reading

    reading = Reading(Path(args.config) if args.config else None, {}, os.environ)
    config = reading.config()
    return {
        "settings": [
            {"key": each.key, "value": each.value, "origin": each.origin}
            for each in settings(reading, config)
        ],
        "warnings": config.warnings,
    }


def _port(
    args: argparse.Namespace, config: Config | None, missing: dict[str, str]
) -> AdminPort | None:
    args = argparse.Namespace(**{**vars(args), "config": None})  # it was read, or is wrong
    try:
        return admin_port_of(args, config)
    except AgentError as error:
        missing["status.json"] = _hidden(str(error))
        return None


def _told_of_no_record(status: dict[str, Any]) -> dict[str, Any]:
    """The status without what the platform said of single records, and without its receipts."""
    for each in (status, *(status.get("flows") or {}).values()):
        each.pop("last_receipts", None)
        for letter in each.get("last_dead_letters") or ():
            letter.pop("message", None)
    return status


def _data_dir(args: argparse.Namespace, config: Config | None) -> Path:
    from agent.config import default_data_dir

    told = args.data_dir or os.environ.get("AEP_AGENT_DATA_DIR")
    return Path(told) if told else config.data_dir if config else default_data_dir(os.environ)


def _store(data_dir: Path) -> object:
    """Counts, sizes and positions, but for what identifies a file: its first bytes are in that."""
    import time

    from agent.cli.audit import as_object
    from agent.store import audit
    from agent.store.database import FILE_NAME, open_for_reading
    from agent.store.spool_view import holdings
    from agent.store.trouble import readable_errors

    connection = open_for_reading(data_dir)
    if connection is None:
        return {"data_dir": str(data_dir), "there": False}
    try:
        with readable_errors(data_dir / FILE_NAME):
            books = audit.take(connection)
            checks = list(audit.checks(books))
            held = holdings(connection, time.time())
    finally:
        connection.close()
    return {
        "data_dir": str(data_dir),
        "audit": as_object(books, checks, balanced=all(check.holds for check in checks)),
        "spool": [
            {
                "hold": each.hold,
                "batches": each.batches,
                "records": each.records,
                "bytes": each.bytes,
                "oldest_read_at": each.oldest_read_at,
                "attempts": each.attempts,
                "waiting": each.waiting,
            }
            for each in held
        ],
        "dead_letters": {"open": books.open_letters, "bytes": books.letters.bytes},
        "positions": [
            {"source": each.source, "line": each.position.line, "offset": each.position.offset}
            for each in books.places
        ],
    }


def _read(port: AdminPort, route: str) -> bytes:
    text = port.read(route, any_status=True).decode("utf-8", "replace")
    return "\n".join(map(scrub_text, text.split("\n"))).encode()


def _as_json(value: object) -> bytes:
    return json.dumps(_clean("", value), indent=2, ensure_ascii=False).encode() + b"\n"


def _clean(name: str, value: object) -> object:
    """The value without anything that is known, named or shaped like a secret, however long."""
    if isinstance(value, Mapping):
        return {scrub_text(str(key)): _clean(str(key), below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(name, below) for below in value]
    return scrub_fields({name or "value": value}).popitem()[1]


def _hidden(problem: str) -> str:
    """A problem without what was found, which may be a secret in the wrong place."""
    return scrub_text(_FOUND.sub(f"found {REDACTED}", problem))
