"""A picture of `aep-agent top`: what it shows of a running agent, drawn as a terminal does."""

import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console

from agent.cli.admin_port import AdminPort
from agent.cli.screen import Screen
from support.browser import Browser

_COLUMNS = 104
_HISTORY = 300


def top(browser: Browser, address: str, path: Path) -> None:
    """What `aep-agent top` shows now of the agent at that *address*."""
    console = Console(record=True, file=StringIO(), width=_COLUMNS, highlight=False)
    console.print(Screen(AdminPort(address).status(_HISTORY), f"http://{address}"))
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "top.svg"
        page.write_text(console.export_svg(title="aep-agent top"))
        browser.look_like(width=1300, height=700)
        browser.open(page.as_uri())
        browser.picture(path)
