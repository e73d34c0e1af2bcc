"""What the documents say is so."""

import json
import os
import re
import select
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from agent.__main__ import COMMANDS, whole_parser
from agent.telemetry.meters import Meters
from pictures.shown import NAMES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
_NUMBERS = re.compile(r"^  ([a-z-]+) +([0-9,]+)   ", re.MULTILINE)
WATCHING = (ROOT / "docs/watching.md").read_text()
DOCUMENTS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
DOCUMENTS += sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS += [ROOT / "deploy/kubernetes/README.md"]


def _agent(
    *words: str, cwd: Path = ROOT, stdin: Any = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        cwd=cwd,
        stdin=stdin,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_readme_names_every_command_with_its_purpose() -> None:
    table = {name for name in COMMANDS if f"| `aep-agent {name}` |" in README}

    assert table == set(COMMANDS)


def test_every_metric_is_documented_as_it_is() -> None:
    for row in Meters().table():
        labels = ", ".join(row.labels)
        assert f"| `{row.name}` | {row.kind} | {labels} | {row.help} |" in WATCHING
    assert len(re.findall(r"^\| `aep_agent_", WATCHING, re.MULTILINE)) == len(
        list(Meters().table())
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    shown = _agent(name, "--help")

    assert shown.returncode == 0
    assert f"usage: aep-agent {name}" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_is_there(path: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", path.read_text()):
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_document_is_led_to_by_the_readme() -> None:
    assert all(f"](docs/{path.name})" in README for path in (ROOT / "docs").glob("*.md"))


def test_every_picture_is_shown_with_words_for_who_does_not_see_it_and_is_small() -> None:
    pictures = {path: path.stat().st_size for path in (ROOT / "docs/pictures").iterdir()}
    shown = {
        (path.parent / name).resolve(): words
        for path in DOCUMENTS
        for words, name in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", path.read_text())
    }

    assert {path.name for path in pictures} == set(NAMES)
    assert set(shown) == set(pictures)
    assert all(len(words) > 20 for words in shown.values())
    assert max(pictures.values()) < 150_000
    assert sum(pictures.values()) < 600_000


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_is_one_that_we_take(path: Path) -> None:
    parser = whole_parser()
    for words in _commands(path.read_text()):
        try:
            parser.parse_args(words)
        except SystemExit:
            pytest.fail(f"not taken: aep-agent {shlex.join(words)}")


def test_the_ten_sentences_are_in_the_architecture() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()

    assert re.findall(r"^(\d+)\. \*\*", page, re.MULTILINE) == [str(n) for n in range(1, 11)]


def _anchors(document: Path) -> set[str]:
    """What the headings of a document are linked by."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def _commands(text: str) -> Iterator[list[str]]:
    """The arguments of each of our commands in the shell blocks of a document."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.wordchars += ":,"
            words: list[str] = []
            for token in [*lexer, ";"]:
                if token[0] not in "|&;<>()":
                    words.append(token)
                    continue
                if words and words[0] == "aep-agent":
                    yield words[1:]
                words = []


def _named_commands(text: str) -> list[list[str]]:
    """The arguments of each of our commands that the demo names."""
    return [shlex.split(each) for each in re.findall(r"^  python -m agent (.+)$", text, re.M)]


@contextmanager
def _emulator(*words: str, cwd: Path = ROOT) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "agent", "emulate", *words, "--listen", "127.0.0.1:0"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE) as emulator:
        try:
            assert emulator.stdout
            assert select.select([emulator.stdout], [], [], 30)[0], "the emulator did not start"
            yield json.loads(emulator.stdout.readline())
        finally:
            emulator.terminate()


def test_the_readmes_example_does_what_it_shows(tmp_path: Path) -> None:
    records = [b'{"_id":"%d","city":"Z\xc3\xbcrich"}' % number for number in range(500)]
    (tmp_path / "orders.ndjson").write_bytes(b"\n".join(records) + b"\n")
    with _emulator() as listening:
        variables = {
            "AEP_INLET_URL": listening["inlet_url"],
            "AEP_FLOW_ID": listening["flow_id"],
            "AEP_AGENT_DATA_DIR": str(tmp_path / "data"),
        }
        orders = str(tmp_path / "orders.ndjson")
        sent = _agent("send", orders, **variables)
        found = _agent("receipts", "find", f"{orders}:471", "--json", **variables)
        nothing = _agent("dead-letters", "list", **variables)

    assert sent.returncode == 0
    assert "500 records read, 500 accepted, 0 dead-lettered, 0 without an answer" in sent.stdout
    assert json.loads(found.stdout.splitlines()[0])["line"] == 471
    assert nothing.returncode == 0


def test_the_readmes_way_from_records_to_a_dataset_is_one(tmp_path: Path) -> None:
    section = README[README.index("## From records") : README.index("## Send to")]
    emulate, *commands = _commands(section)
    (orders,) = re.findall(r"^seq .*$", section, re.MULTILINE)
    subprocess.run(orders, shell=True, check=True, cwd=tmp_path)
    with _emulator(*emulate[1:], cwd=tmp_path) as listening:
        url = listening["listening"]
        variables = dict(
            re.findall(r"([A-Z_]+)=(\S+)", section.replace("http://127.0.0.1:8010", url))
        )
        variables |= {"AEP_AGENT_DATA_DIR": str(tmp_path), "AEP_AGENT_ADMIN__LISTEN": "127.0.0.1:0"}
        for words in commands:
            with (tmp_path / "orders.ndjson").open() as records:
                done = _agent(*words, cwd=tmp_path, stdin=records, **variables)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
            if words[1] == "init":  # five minutes are long for a test
                manifest = tmp_path / "orders.yaml"
                manifest.write_text(manifest.read_text().replace("flow:", "flow:\n  warm_up: 0s"))
        with urlopen(f"{url}/_emulator/flows?wait=30") as answer:
            (flow,) = json.load(answer)

    assert [words[0] for words in commands][-3:] == ["provision", "run", "reconcile"]
    assert (flow["accepted"], flow["landed"], flow["failed"]) == (1000, 1000, 0)


def test_the_demo_tells_what_became_of_every_record(tmp_path: Path) -> None:
    directory = tmp_path / "d$mo"
    command = [sys.executable, "-m", "agent", "demo", "--keep", "--data-dir", str(directory)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        try:
            assert demo.stderr
            told = ""
            while not (goes_on := re.search(r"goes on at (http\S+/) until Ctrl-C", told)):
                line = demo.stderr.readline()
                assert line, told
                told += line
            with urlopen(goes_on[1]) as page:
                console = page.read().decode()
            plan, reconcile = (_agent(*words) for words in _named_commands(told))
        finally:
            demo.terminate()
        shown, _ = demo.communicate(timeout=30)

    numbers = {name: int(count.replace(",", "")) for name, count in _NUMBERS.findall(shown)}
    assert demo.returncode == 0
    assert "<title>" in console
    assert re.search(r"flow Shop events: made", told)
    assert numbers["read"] == 20_000
    assert numbers["read"] == numbers["accepted"] + numbers["dead-lettered"]
    assert numbers["accepted"] == numbers["landed"] + numbers["failed"]
    for reason in ("rejected", "invalid json", "fax is not a valid enum value", "[timestamp]"):
        assert reason in shown
    assert '"number":19999' in shown
    assert '{"_id":"shop-19999"' in shown

    assert "10 as they should be" in plan.stdout
    assert reconcile.returncode == 3  # some failed, and none is missing
    assert re.search(r"^  missing +0$", reconcile.stdout, re.MULTILINE)
    *commands, emulate = _named_commands(shown)
    assert len(commands) == 3
    for words in commands:
        tried = _agent(*words)
        assert tried.returncode == 0
        assert tried.stdout
    with (
        _emulator(*emulate[1:]) as listening,
        urlopen(f"{listening['listening']}/_emulator/flows") as answer,
    ):
        (flow,) = json.load(answer)
    assert flow["landed"] == numbers["landed"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_knows_every_command(shell: str) -> None:
    script = _agent("completion", shell)

    assert script.returncode == 0
    assert all(name in script.stdout for name in COMMANDS)
