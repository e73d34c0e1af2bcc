"""Pictures of the status page: empty, busy, throttled, with dead letters, dark, and on a phone."""

import tempfile
import time
from pathlib import Path
from typing import Any

from pictures import terminal
from support.browser import Browser
from support.busy_agent import BusyAgent
from support.emulator import RunningEmulator

DESK: dict[str, Any] = {"width": 1280, "height": 900}
DARK: dict[str, Any] = {**DESK, "dark": True}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "phone": True, "scale": 2}
SECONDS = 25


def take(browser: Browser, directory: Path) -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as place, RunningEmulator() as emulator:
        sources = [
            {"type": "stdin", "name": "orders"},
            {"type": "tcp", "listen": "127.0.0.1:0", "name": "shippers"},
            {"type": "http", "listen": "127.0.0.1:0", "name": "web"},
        ]
        with BusyAgent(Path(place), emulator, sources=sources) as agent:
            url = f"http://{agent.address}/"
            shown(browser, url, directory / "status-empty.png", DESK, "Nothing has been read yet")
            agent.feed_for(SECONDS, 3000)
            shown(browser, url, directory / "status-busy.png", DESK, "Nothing keeps", agent)
            shown(browser, url, directory / "status-dark.png", DARK, "Nothing keeps", agent)
            emulator.set_faults(
                {
                    "when": {"probability": 0.01},
                    "reject": {"status": 400, "message": "no such field"},
                }
            )
            agent.feed_for(8, 2000, refused=3)
            emulator.set_faults()
            shown(browser, url, directory / "status-dead-letters.png", DESK, "no such", agent)
            terminal.top(browser, agent.address, directory / "top.png")
            shown(browser, url, directory / "status-phone.png", PHONE, "no such", agent)
            emulator.set_faults({"status": 429, "retry_after": 45})
            agent.feed_for(6, 2000)
            shown(browser, url, directory / "status-throttled.png", DESK, "fewer requests")
    flows(browser, directory)


def flows(browser: Browser, directory: Path) -> None:
    """Three flows, one of which is down."""
    with (
        tempfile.TemporaryDirectory() as place,
        RunningEmulator() as well,
        RunningEmulator(faults=[{"status": 503}]) as unwell,
    ):
        clicks = Path(place) / "clicks.ndjson"
        clicks.write_bytes(b'{"click":1}\n' * 20_000)
        inlets = {"orders": well, "clicks": unwell}
        settings = {
            "inlet": {},
            "flows": {
                name: {"inlet": {"url": each.inlet_url, "flow_id": each.flow_id}}
                for name, each in inlets.items()
            },
            "sources": [
                {"type": "stdin", "name": "orders", "flow": "orders"},
                {"type": "file", "paths": [str(clicks)], "name": "clicks", "flow": "clicks"},
            ],
        }
        with BusyAgent(Path(place), well, **settings) as agent:
            agent.feed_for(6, 1000)
            url = f"http://{agent.address}/"
            shown(browser, url, directory / "status-flows.png", DESK, "Flows", agent)
            terminal.top(browser, agent.address, directory / "top-flows.png")


def shown(
    browser: Browser,
    url: str,
    path: Path,
    look: dict[str, Any],
    text: str,
    agent: BusyAgent | None = None,
) -> None:
    """One picture, of the whole length of the page, once it says so."""
    browser.look_like(**look)
    browser.open(url)
    browser.find("main", text)
    if agent:
        agent.feed_for(3, 3000)
    time.sleep(1.2)
    browser.picture(path, whole=True)
