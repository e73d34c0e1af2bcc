import sys
from pathlib import Path

import pytest
import yaml

from agent.cli.first_config import SOURCES, text
from agent.config.loading import load
from support.agent import aep_agent
from support.terminal import Terminal

FLAGS = ("--inlet-url", "http://127.0.0.1:9/collection/i", "--flow-id", "f")
EACH = [
    spec.replace("HOST:PORT", "127.0.0.1:8080")
    .replace("PATTERN", "/var/log/*.json{,.1}")
    .replace("PATH", "/run/a b: #.sock")
    for spec in SOURCES
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.yaml"


@pytest.mark.parametrize("source", EACH)
def test_what_it_writes_is_right_and_says_what_was_asked_for(source: str, file: Path) -> None:
    data_dir = file.parent / "data: of # us"
    done = aep_agent("init", file, *FLAGS, "--source", source, "--data-dir", data_dir)
    assert done.code == 0, done.stderr
    assert aep_agent("check", file).code == 0
    config = load(file, environ={})
    kind, _, where = source.partition(":")
    assert [each.type for each in config.sources] == [kind]
    if where:
        told = getattr(config.sources[0], "paths", None) or (config.sources[0].listen,)
        assert tuple(told) == (where,)
    assert config.data_dir == data_dir
    assert config.inlet
    assert (config.inlet.url, config.inlet.flow_id) == (FLAGS[1], FLAGS[3])
    assert file.read_text().count("#") > 20


def test_a_file_that_is_there_is_left_alone_unless_forced(file: Path) -> None:
    file.write_text("mine")
    kept = aep_agent("init", file, *FLAGS)
    assert (kept.code, file.read_text()) == (1, "mine")
    assert b"--force" in kept.stderr
    assert aep_agent("init", file, *FLAGS, "--force").code == 0
    assert load(file, environ={})


def test_a_link_to_somewhere_else_is_left_alone_too(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "nowhere")
    assert aep_agent("init", file, *FLAGS).code == 1
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--inlet-url", "http://127.0.0.1:9/i"), 2),
        ((*FLAGS, "--source", "carrier-pigeon:x"), 2),
        ((*FLAGS, "--client-id", "me"), 2),
        (("--inlet-url", "127.0.0.1", "--flow-id", "f"), 78),
        ((*FLAGS, "--token-file", "/nowhere/token"), 78),
        ((*FLAGS, "--source", "stdin", "--source", "stdin"), 78),
    ],
)
def test_where_something_is_missing_or_wrong_nothing_is_written(
    words: tuple[str, ...], code: int, file: Path
) -> None:
    done = aep_agent("init", file, *words)
    assert done.code == code
    assert done.stderr
    assert b"Traceback" not in done.stderr
    assert list(file.parent.iterdir()) == []


def test_a_directory_that_is_not_there_is_told(file: Path) -> None:
    done = aep_agent("init", file.parent / "no" / "agent.yaml", *FLAGS)
    assert done.code == 1
    assert b"No such file or directory" in done.stderr


def test_variables_may_be_set_only_where_the_agent_runs(file: Path) -> None:
    words = ("--inlet-url", "${SHOP_INLET}", "--flow-id", "${SHOP_FLOW}")
    assert aep_agent("init", file, *words).code == 0
    config = load(file, environ={"SHOP_INLET": "http://127.0.0.1:9/i", "SHOP_FLOW": "of-shop"})
    assert config.inlet
    assert config.inlet.flow_id == "of-shop"


def test_standard_output_can_take_it() -> None:
    done = aep_agent("init", "-", *FLAGS)
    assert (done.code, done.stderr) == (0, b"")
    assert yaml.safe_load(done.stdout)["inlet"]["flow_id"] == "f"


@pytest.mark.parametrize(
    "value",
    ["null", "~", "a: b", "a #b", "'", '"', "*x", "@x", "%a", "a:", "-", "", "ö", "!x", "$x"],
)
def test_any_text_comes_back_as_it_was(value: str) -> None:
    for form in (f"key: {text(value)}", f"key: [{text(value, within_list=True)}]"):
        loaded = yaml.load(form, Loader=yaml.BaseLoader)["key"]
        assert loaded == (value if "[" not in form else [value])


def test_on_a_terminal_it_asks_for_what_no_flag_says(file: Path) -> None:
    command = [sys.executable, "-m", "agent", "init", str(file), "--flow-id", "f"]
    with Terminal(command, {"AEP_INLET_URL": ""}) as terminal:
        terminal.until("inletUrl of the HTTP API source: ")
        terminal.type("\r")  # no answer is asked again
        terminal.until("inletUrl of the HTTP API source: ")
        terminal.type("http://127.0.0.1:9/i\r")
        terminal.until("source [stdin]: ")
        terminal.type("tcp:127.0.0.1:5170\r")
        terminal.until("aep-agent run")
        assert terminal.ended() == 0
    assert [each.type for each in load(file, environ={}).sources] == ["tcp"]


def test_ctrl_c_while_it_asks_leaves_nothing_behind(file: Path) -> None:
    with Terminal([sys.executable, "-m", "agent", "init", str(file)]) as terminal:
        terminal.until("inletUrl")
        terminal.interrupt()
        assert terminal.ended() == 130
    assert list(file.parent.iterdir()) == []
