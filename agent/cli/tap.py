"""aep-agent tap: what do the records look like that pass through a running agent?"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from agent.cli.admin_port import add_admin_port, admin_port_of

HELP = "show live records of a running agent, redacted"

_EPILOG = """\
Records are shown to who has the token of the admin port (admin.token, admin.token_file): a picked
few, by chance, on their way to the inlet, behind filters. Nothing waits for who looks on. What a
key's name says is personal (e-mail, phone, name, address, token …) and what looks like it elsewhere
is redacted, as far as can be told: names in free text are not.

exit status: 0 ended by --count, --seconds or Ctrl-C; 1 no agent answers, or not to this token

examples:
  aep-agent tap --token-file /etc/aep-agent/admin-token
  aep-agent tap --config aep-agent.yaml --source shop --count 20
  aep-agent tap --config aep-agent.yaml --redact orderNumber --json | jq .record"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `tap`."""
    parser.description = "Show some of the records that pass through a running agent, redacted."
    parser.epilog = _EPILOG
    add_admin_port(parser)
    parser.add_argument("--flow", metavar="NAME", help="only of this flow")
    parser.add_argument("--source", metavar="NAME", help="only of this source, or file")
    parser.add_argument("--count", "-n", metavar="N", type=_positive, help="end after so many")
    parser.add_argument("--seconds", metavar="S", type=_positive, help="end after so long")
    parser.add_argument(
        "--rate", metavar="N", type=_positive, default=10, help="records a second at most (10)"
    )
    parser.add_argument(
        "--redact", action="append", default=[], metavar="KEY", help="redact this key, too; repeat"
    )
    parser.add_argument("--show-all", action="store_true", help="redact nothing")
    parser.add_argument("--json", action="store_true", help="print an object a line")


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 1,000,000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Show records until it is enough. Raises NoAnswer where nobody shows any."""
    from agent.cli.stored import say

    port = admin_port_of(args)
    until = time.monotonic() + args.seconds if args.seconds else None
    counts: Mapping[str, Any] = {}
    shown = 0
    try:
        for line in port.lines(f"/tap?{_query(args)}"):
            told = json.loads(line)
            if "record" in told:
                _show(line, told, as_json=args.json)
                shown += 1
            else:
                counts = told
            if shown == args.count or (until is not None and time.monotonic() >= until):
                break
    except KeyboardInterrupt:
        pass
    passed = max(shown, counts.get("passed", 0))
    missed = f", {counts['missed']:,} were too large to wait" if counts.get("missed") else ""
    say(f"{shown:,} shown of {passed:,} that passed{missed}")
    return 0


def _query(args: argparse.Namespace) -> str:
    rate = min(args.rate, 1000)
    chosen = [("rate", str(rate)), *(("redact", name) for name in args.redact)]
    chosen += [(name, value) for name in ("flow", "source") if (value := getattr(args, name))]
    return urlencode([*chosen, *([("show", "all")] if args.show_all else [])])


def _show(line: bytes, told: Mapping[str, Any], *, as_json: bool) -> None:
    from agent.cli.stored import printable

    if as_json:
        sys.stdout.write(line.decode("utf-8", "replace"))
        sys.stdout.flush()
        return
    moment = time.strftime("%H:%M:%SZ", time.gmtime(told["at"]))
    record = told["record"]
    words = f"({told['bytes']:,} bytes that cannot be redacted)"
    if record is not None:
        words = json.dumps(record, ensure_ascii=False)
    flow = f"{told['flow']} " if told["flow"] else ""
    print(printable(f"{moment} {flow}{told['source']}:{told['line']} {words}"), flush=True)
