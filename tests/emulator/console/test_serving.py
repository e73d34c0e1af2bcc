import re
from pathlib import Path

import aiohttp
import pytest

from agent import look
from agent.emulator import console
from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator

OURS = [path for each in (console, look) for path in Path(each.__file__).parent.iterdir()]
FILES = sorted(path for path in OURS if path.suffix in look.TYPES)
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"


async def test_the_page_and_its_parts_come_with_a_strict_policy() -> None:
    async with Emulator(EmulatorOptions()) as emulator, aiohttp.ClientSession() as session:
        async with session.get(emulator.listening + "/") as page:
            assert (page.status, page.content_type) == (200, "text/html")
            policy = page.headers["Content-Security-Policy"]
            linked = re.findall(r'(?:href|src)="(/_console/[^"]+)"', await page.text())
        for path in {*linked, *(f"/_console/{file.name}" for file in FILES)}:
            async with session.get(emulator.listening + path) as part:
                assert part.status == 200, path
                assert part.headers["X-Content-Type-Options"] == "nosniff"
                tag = part.headers["ETag"]
            async with session.get(emulator.listening + path, headers={"If-None-Match": tag}) as no:
                assert (no.status, await no.read()) == (304, b"")

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["nothing.js", "__init__.py", "..%2fserver.py", "%2e%2e%2fx.js"])
async def test_nothing_else_is_served(name: str) -> None:
    async with Emulator(EmulatorOptions()) as emulator, aiohttp.ClientSession() as session:
        url = f"{emulator.listening}/_console/{name}"
        async with session.get(url) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_page_needs_nobody_else(path: Path) -> None:
    strangers = re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text())

    assert set(strangers) <= {"http://www.w3.org", "https://ns.adobe.com"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_of_text(path: Path) -> None:
    assert re.findall(MARKUP, path.read_text()) == []
