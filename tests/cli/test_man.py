import shutil
import subprocess

import pytest

from agent.__main__ import COMMANDS
from agent.cli.exits import MEANINGS
from support.agent import aep_agent


@pytest.fixture(scope="module")
def page() -> bytes:
    done = aep_agent("man")
    assert done.code == 0
    return done.stdout


@pytest.fixture(scope="module")
def shown(page: bytes) -> str:
    if shutil.which("man") is None or shutil.which("col") is None:
        pytest.skip("man or col is missing: apt-get install man-db bsdextrautils")
    done = subprocess.run(
        ["sh", "-c", "man --warnings=w -l - | col -bx"],
        input=page,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "200"},
        timeout=60,
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


def test_the_page_tells_of_every_command_and_how_it_ends(shown: str) -> None:
    for name in COMMANDS:
        assert f"   aep-agent {name}\n" in shown
    for number, meaning in MEANINGS.items():
        assert f"       {number:<7}{meaning}\n" in shown


def test_what_is_below_a_command_has_a_place_of_its_own(shown: str) -> None:
    assert "   aep-agent dead-letters export\n" in shown
    assert "--raw" in shown


def test_nothing_that_is_said_is_taken_for_a_macro(page: bytes, shown: str) -> None:
    assert ".gz files are decompressed" in shown
    macros = {line.split()[0] for line in page.decode().splitlines() if line.startswith(".")}
    assert macros <= {'.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".nf", ".fi"}
