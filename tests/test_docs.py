"""What the documents say is so."""

import json
import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from agent.__main__ import COMMANDS
from agent.telemetry.meters import Meters

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]


def _agent(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_readme_names_every_command_with_its_purpose() -> None:
    table = {name for name in COMMANDS if f"| `aep-agent {name}` |" in README}

    assert table == set(COMMANDS)


def test_the_readme_names_every_metric_as_it_is() -> None:
    for row in Meters().table():
        labels = ", ".join(row.labels)
        assert f"| `{row.name}` | {row.kind} | {labels} | {row.help} |" in README
    assert len(re.findall(r"^\| `aep_agent_", README, re.MULTILINE)) == len(list(Meters().table()))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    shown = _agent(name, "--help")

    assert shown.returncode == 0
    assert f"usage: aep-agent {name}" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_is_there(path: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text())

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_ten_sentences_are_in_the_architecture() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()

    assert re.findall(r"^(\d+)\. \*\*", page, re.MULTILINE) == [str(n) for n in range(1, 11)]


def test_the_readmes_example_does_what_it_shows(tmp_path: Path) -> None:
    records = [b'{"_id":"%d","city":"Z\xc3\xbcrich"}' % number for number in range(500)]
    (tmp_path / "orders.ndjson").write_bytes(b"\n".join(records) + b"\n")
    command = [sys.executable, "-m", "agent", "emulate", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as emulator:
        try:
            assert emulator.stdout
            assert select.select([emulator.stdout], [], [], 30)[0], "the emulator did not start"
            listening = json.loads(emulator.stdout.readline())
            variables = {
                "AEP_INLET_URL": listening["inlet_url"],
                "AEP_FLOW_ID": listening["flow_id"],
                "AEP_AGENT_DATA_DIR": str(tmp_path / "data"),
            }
            orders = str(tmp_path / "orders.ndjson")
            sent = _agent("send", orders, **variables)
            found = _agent("receipts", "find", f"{orders}:471", "--json", **variables)
            nothing = _agent("dead-letters", "list", **variables)
        finally:
            emulator.terminate()

    assert sent.returncode == 0
    assert "500 records read, 500 accepted, 0 dead-lettered, 0 without an answer" in sent.stdout
    assert json.loads(found.stdout.splitlines()[0])["line"] == 471
    assert nothing.returncode == 0


def test_the_demo_tells_what_became_of_every_record(tmp_path: Path) -> None:
    shown = _agent("demo", "--data-dir", str(tmp_path / "demo"))
    commands = re.findall(r"^  python -m agent (.+)$", shown.stdout, re.MULTILINE)

    assert shown.returncode == 0, shown.stderr
    assert re.search(r"read +20,000$", shown.stdout, re.MULTILINE)
    assert "rejected" in shown.stdout
    assert len(commands) == 3
    for command in commands[:2]:
        tried = _agent(*command.split())
        assert tried.returncode == 0
        assert tried.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_knows_every_command(shell: str) -> None:
    script = _agent("completion", shell)

    assert script.returncode == 0
    assert all(name in script.stdout for name in COMMANDS)
