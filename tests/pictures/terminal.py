"""A picture of a terminal: what `aep-agent top` shows of an agent, what a command printed."""

import re
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from agent.cli.admin_port import AdminPort
from agent.cli.screen import Screen
from support.browser import Browser

_COLUMNS = 104
_HISTORY = 300
_WIDTH = 1180  # points


def top(browser: Browser, address: str, path: Path) -> None:
    """What `aep-agent top` shows now of the agent at that *address*."""
    screen = Screen(AdminPort(address).status(_HISTORY), f"http://{address}")
    _draw(browser, screen, "aep-agent top", path)


def drawn(browser: Browser, printed: str, path: Path) -> None:
    """What was printed, lines that are too long cut."""
    text = Text(printed, no_wrap=True, overflow="ellipsis")
    _draw(browser, text, "aep-agent preflight", path)


def _draw(browser: Browser, content: RenderableType, title: str, path: Path) -> None:
    console = Console(record=True, file=StringIO(), width=_COLUMNS, highlight=False)
    console.print(content)
    with tempfile.TemporaryDirectory() as place:
        page, drawing = Path(place) / "terminal.svg", console.export_svg(title=title)
        page.write_text(drawing)
        width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)[0])
        browser.look_like(width=_WIDTH, height=round(_WIDTH * height / width))
        browser.open(page.as_uri())
        browser.picture(path)
