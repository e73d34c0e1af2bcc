"""aep-agent top: what goes in, what comes out, what waits and why, live in a terminal."""

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from agent.cli.admin_port import add_admin_port, admin_port_of

if TYPE_CHECKING:
    from agent.cli.admin_port import AdminPort

HELP = "watch a running agent in the terminal"

_EPILOG = """\
q or Ctrl-C ends it. Where the output is no terminal it is a line each time. An agent that goes away
is waited for; one that is not there at the beginning is told, and waited for only on a terminal.

exit status: 0 ended by q or Ctrl-C; 1 no agent answers

examples:
  aep-agent top
  aep-agent top --url shop-7.internal:9600 --interval 5
  aep-agent top --once
  aep-agent top --json | jq -c .rates"""
_HISTORY = 300  # seconds, as many as the agent remembers
_SHORTEST = 0.1
_SIZES = ("COLUMNS", "LINES")
_WIDTH = 120  # columns, where nobody says how many there are


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `top`."""
    parser.description = (
        "Show a running agent over its admin port, as its status page does: flows, sources,\n"
        "rates, what waits and why, the last dead letters."
    )
    parser.epilog = _EPILOG
    add_admin_port(parser)
    parser.add_argument(
        "--interval", metavar="SECONDS", type=_seconds, default=1.0, help="between two looks (1)"
    )
    parser.add_argument("--once", action="store_true", help="look once, and end")
    parser.add_argument(
        "--json", action="store_true", help="print what /status says, an object a line"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not _SHORTEST <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from {_SHORTEST} on")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Watch until somebody ends it. Raises NoAnswer where there is no agent to begin with."""
    port = admin_port_of(args)
    try:
        if args.once:
            _once(port, as_json=args.json)
        elif sys.stdout.isatty() and not args.json:
            _live(port, args.interval)
        else:
            _lines(port, args.interval, as_json=args.json)
    except KeyboardInterrupt:
        pass
    return 0


def _once(port: "AdminPort", *, as_json: bool) -> None:
    status = port.status(_HISTORY)
    if as_json:
        print(json.dumps(status, ensure_ascii=False))
        return
    from rich.console import Console

    from agent.cli.screen import Screen

    width = None if sys.stdout.isatty() else _WIDTH
    Console(highlight=False, width=width).print(Screen(status, port.url))


def _lines(port: "AdminPort", interval: float, *, as_json: bool) -> None:
    from agent.cli.admin_port import NoAnswer
    from agent.cli.screen import line

    status: dict[str, Any] | None = port.status()
    while True:
        if status is not None:
            print(json.dumps(status, ensure_ascii=False) if as_json else line(status), flush=True)
        time.sleep(interval)
        try:
            status = port.status()
        except NoAnswer as gone:
            status = None
            print(f"aep-agent: {gone}", file=sys.stderr, flush=True)


def _live(port: "AdminPort", interval: float) -> None:
    from rich.console import Console
    from rich.live import Live

    from agent.cli.admin_port import NoAnswer
    from agent.cli.screen import Screen, absent

    signal.signal(signal.SIGTERM, _interrupted)  # so that the terminal is put back in order
    signal.signal(signal.SIGHUP, _interrupted)
    # a window that changes knows its size better than variables that were set before
    environ = {name: value for name, value in os.environ.items() if name not in _SIZES}
    console = Console(highlight=False, _environ=environ)
    # drawn anew several times a second, as large as the window is by then
    with _keys() as pressed, Live(console=console, screen=True, refresh_per_second=4) as live:
        while True:
            try:
                live.update(Screen(port.status(_HISTORY), port.url))
            except NoAnswer as gone:
                live.update(absent(str(gone)))
            live.refresh()
            if pressed(interval):
                return


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _keys() -> Iterator[Any]:
    """A function that waits so many seconds, and says whether q was pressed meanwhile."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield time.sleep
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)

    def is_ended(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                keys = os.read(descriptor, 64)
                if not keys or b"q" in keys.lower():
                    return True
        return False

    try:
        yield is_ended
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
