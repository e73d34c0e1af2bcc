"""Does `aep-agent check` say what a configuration comes to?"""

import argparse
import json
import os
from pathlib import Path

import pytest

from agent.cli import check
from agent.errors import ConfigError, InputError

URL = "https://dcs.adobedc.net/collection/0123"


def _arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("AEP_")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"data_dir: /data\ninlet: {{url: '{URL}', flow_id: f, token: hunter2}}\n"
        "sources: [{type: stdin}, {type: file, paths: [/x/*.json], name: x}]\n"
        "admin: {listen: '0.0.0.0:9600'}\n"
    )
    return path


def test_a_valid_configuration_is_shown_with_what_can_be_lost(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.run(_arguments(str(config))) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{config} is valid.\n")
    for line in (
        f"  inlet         {URL}",
        "  envelope      raw, flow f",
        "  access        a token from the configuration",
        "  sources       stdin; files /x/*.json (x)",
        "  batch         up to 900KB or 5000 records, sent after 1s at the latest",
        "  store         /data",
        "  the agent is killed (kill -9, out of memory, a crash)",
        "Warnings",
    ):
        assert line in out.splitlines()
    assert "  admin.listen is 0.0.0.0:9600: others can read the metrics and the status, for" in out
    assert "      lost:  what was read from stdin in the last 1s100ms or so, at most 32MiB" in out
    assert "hunter2" not in out


def test_json_holds_settings_warnings_and_faults(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.run(_arguments(str(config), "--json")) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["valid"] is True
    assert shown["settings"]["batch"]["max_wait"] == 1.0
    assert shown["settings"]["inlet"]["token"] == "**********"
    assert len(shown["warnings"]) == 1
    assert {tuple(fault) for fault in shown["faults"]} == {("fault", "lost", "twice")}


def test_a_wrong_configuration_is_left_to_the_exit_code(config: Path) -> None:
    config.write_text("inlet: {url: 5, flow_id: f}\n")
    with pytest.raises(ConfigError, match=r"config.yaml:1: inlet.url: found"):
        check.run(_arguments(str(config)))


def test_a_wrong_configuration_in_json_lists_its_problems(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("log: {level: loud}\ninlet: {url: 5, flow_id: f}\n")
    assert check.run(_arguments(str(config), "--json")) == 78
    shown = json.loads(capsys.readouterr().out)
    assert shown["valid"] is False
    assert [problem.split(": ")[1] for problem in shown["problems"]] == [
        "log.level",
        "inlet.url",
    ]


def test_the_rates_that_limit_sending_are_named(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = "delivery: {records_per_second: 1500, bytes_per_second: 1MB}\n"
    config.write_text(config.read_text() + rates)
    assert check.run(_arguments(str(config))) == 0
    assert "; at most 1500 records, 1MB a second\n" in capsys.readouterr().out


def test_a_file_is_tried_without_sending_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"inlet: {{url: '{URL}', flow_id: f}}\n"
        "sources:\n"
        "  - {type: stdin, filters: [{drop: a = 1}, {remove: b}]}\n"
        "  - {type: file, name: logs, paths: [/x], format: cri, stream: stdout, non_json: drop}\n"
        "  - {type: file, paths: [/y], format: json}\n"
    )
    records = tmp_path / "records"
    line = "2026-01-31T00:00:00Z %s %s %s\n"
    records.write_text(
        '{"a":1}\n{"a":2,"b":3}\n{"c":\n4}\n'
        + "x" * 2_100_000
        + "\n"
        + line % ("stdout", "P", '{"d":')
        + line % ("stderr", "F", "oh")
        + line % ("stdout", "F", "5}")
        + line % ("stdout", "F", "hello")
    )

    assert check.run(_arguments(str(config), "--try", str(records), "--json")) == 0
    tried = json.loads(capsys.readouterr().out)
    assert tried["stdin"] == {
        "going_on": 1,
        "filtered": {"drop-1": 1},
        "dead_lettered": {"invalid_json": 6, "too_large": 1},
        "examples": ['{"a":2}'],
    }
    assert tried["logs"] == {
        "going_on": 1,
        "filtered": {"non_json": 1, "other_stream": 1},
        "dead_lettered": {"not_cri": 4, "too_large": 1},
        "examples": ['{"d":5}'],
    }
    assert tried["sources[2]"]["going_on"] == 3
    assert tried["sources[2]"]["examples"][2] == '{"c": 4}'

    assert check.run(_arguments(str(config), "--try", str(records))) == 0
    out = capsys.readouterr().out
    assert f"{records} as stdin would read it:\n  1 records would be sent\n" in out
    assert "  1 left out by drop-1\n  6 dead letters: invalid_json\n" in out
    assert '  such as {"a":2}\n' in out

    with pytest.raises(InputError, match="No such file"):
        check.run(_arguments(str(config), "--try", str(tmp_path / "missing")))
