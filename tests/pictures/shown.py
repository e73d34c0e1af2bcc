"""Which pictures do the documents show? A few, small enough for a repository.

`make pictures P=docs/pictures` writes these and no others.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pictures import terminal
from pictures.console import keep_busy, people_of
from support.browser import Browser
from support.busy_agent import BusyAgent
from support.emulator import RunningEmulator
from support.visiting import Visit

NAMES = ("status.png", "status-dark.png", "top.png", "preflight.png", "console.png")
_SCREEN: dict[str, Any] = {"width": 1280, "height": 740}
_SECONDS = 55
_REFUSED = {
    "when": {"probability": 0.002},
    "reject": {"status": 400, "message": "The field 'total' is no number"},
}
_MANIFEST = """\
platform:
  {url: "http://127.0.0.1:9", token_url: "http://127.0.0.1:9", org_id: me@AdobeOrg, client_id: me,
   client_secret: "${AEP_CLIENT_SECRET}"}
source: {type: http, authenticated: true}
schema:
  title: Orders
  class: event
  fields:
    - {path: order.id, type: string}
    - {path: order.total, type: number, minimum: 0}
mapping:
  - {to: _id, attribute: _id}
  - {to: timestamp, attribute: at}
  - {to: _tenant.order.id, expression: 'concat("shop-", number)'}
  - {to: _tenant.order.total, attribute: total}
flow: {name: Orders}
"""


def take(browser: Browser, directory: Path) -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as place:
        terminal.drawn(browser, _preflight(Path(place)), directory / "preflight.png")
        _agent(browser, Path(place), directory)
    _console(browser, directory / "console.png")


def _agent(browser: Browser, place: Path, directory: Path) -> None:
    """The status page and `top` of an agent with one record in five hundred refused."""
    sources = [
        {"type": "stdin", "name": "orders"},
        {"type": "http", "listen": "127.0.0.1:0", "name": "web"},
    ]
    with (
        RunningEmulator(faults=[_REFUSED]) as emulator,
        BusyAgent(place, emulator, sources=sources) as agent,
    ):
        browser.open(f"http://{agent.address}/")
        agent.feed_for(_SECONDS, 3000, refused=1)
        for name, dark in (("status", False), ("status-dark", True)):
            browser.look_like(**_SCREEN, dark=dark)
            browser.find("main", "What became of every record")
            agent.feed_for(2, 3000)
            browser.picture(directory / f"{name}.png")
        terminal.top(browser, agent.address, directory / "top.png")


def _console(browser: Browser, path: Path) -> None:
    """The emulator's overview, with two flows."""
    with RunningEmulator() as emulator:
        visit = Visit(browser, emulator)
        people = people_of(emulator)
        browser.look_like(**_SCREEN)
        visit.go()
        keep_busy(visit, people, _SECONDS)
        visit.picture(path)


def _preflight(place: Path) -> str:
    """What `aep-agent preflight` says of orders some of which would not land."""
    (place / "orders.yaml").write_text(_MANIFEST)
    line = '{"_id":"o-%d","at":"2026-11-25T10:%02d:00Z","number":%d,"total":%.2f}'
    orders = [line % (n, n % 60, n, -1.5 if n % 97 == 5 else n / 4) for n in range(20_000)]
    orders[7::211] = ['{"_id":"o-7","number":7,"total":1.75}'] * len(orders[7::211])
    orders[1201] = "no record"
    (place / "orders.ndjson").write_text("\n".join(orders) + "\n")
    command = ["aep-agent", "preflight", "--manifest", "orders.yaml", "orders.ndjson"]
    told = subprocess.run(
        [sys.executable, "-m", "agent", *command[1:]],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "AEP_CLIENT_SECRET": "unused"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return f"$ {' '.join(command)}\n{told.stdout}{told.stderr}"
