from pathlib import Path
from typing import Any

import pytest

from agent.emulator.faults import Refusal
from agent.emulator.rules import load_script, parse_lines, parse_script, parse_text
from agent.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config" / "faults.example.yaml"


def test_the_example_is_a_good_script_and_shows_every_key() -> None:
    from agent.emulator.checks import EFFECTS, WHEN

    script = load_script(EXAMPLE)
    assert script.seed == 7
    shown: set[str] = set()
    for rule in script.rules:
        shown |= set(rule.written) | set(rule.written.get("when", {}))  # type: ignore[call-overload]
    assert set(WHEN) | set(EFFECTS) <= shown


@pytest.mark.parametrize("text", ["", "[]", "{}", "rules: []", "rules:", '{"seed": 1}'])
def test_a_script_may_be_empty(text: str) -> None:
    assert parse_text(text).rules == ()


def test_a_list_of_rules_is_a_script() -> None:
    (rule,) = parse_text('[{"status": 503, "when": {"requests": 2}}]').rules
    assert rule.name == "rule-1"
    assert rule.when.requests == 2
    assert rule.answer is not None
    assert rule.answer.status == 503


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (422, Refusal(422, "Message has unknown xdm format")),
        ("no", Refusal(400, "no", verbatim=True)),
        ({"status": "400", "message": "no"}, Refusal("400", "no", verbatim=True)),
    ],
)
def test_a_refusal_may_be_written_in_three_ways(written: object, meant: Refusal) -> None:
    assert parse_script([{"reject": written}]).rules[0].reject == meant


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (7, "rule 2: found 7; write effects"),
        ({}, "rule 2: it has no effect"),
        ({"when": {"requests": 1}}, "rule 2: it has no effect"),
        ({"statuss": 503}, "rule 2: statuss: unknown key; did you mean status?"),
        ({"zzzz": 503}, "rule 2: zzzz: unknown key; the keys are status, body"),
        ({"when": {"request": 1}, "delay": 1}, "rule 2: when.request: unknown key; did you mean"),
        ({"when": [], "delay": 1}, "rule 2: when: found []; write conditions"),
        ({"status": "503"}, "rule 2: status: found '503'; write a whole number from 200 to 599"),
        ({"status": 99}, "rule 2: status: found 99"),
        ({"status": True}, "rule 2: status: found True"),
        ({"body": "html"}, "rule 2: body: it needs a status"),
        ({"status": 500, "body": 7}, "rule 2: body: found 7"),
        ({"status": 500, "body": {1: 2}}, "rule 2: body: found {1: 2}; write something that JSON"),
        ({"body_is": "fine"}, "rule 2: body_is: found 'fine'; write error_in_200"),
        ({"headers": "x"}, "rule 2: headers: found 'x'"),
        ({"headers": {"x": "a\r\nb"}}, "rule 2: headers: found"),
        ({"headers": {"Content-Length": 1}}, "truncate: N"),
        ({"retry_after": [1]}, "rule 2: retry_after: found [1]"),
        ({"retry_after": "a\nb"}, "rule 2: retry_after: found"),
        ({"hang": False}, "rule 2: hang: found False; write true, or seconds"),
        ({"hang": 3601}, "rule 2: hang: found 3601"),
        ({"reset": -1}, "rule 2: reset: found -1; write a whole number of at least 0"),
        ({"truncate": "all"}, "rule 2: truncate: found 'all'"),
        ({"accept": 1}, "rule 2: accept: found 1; write true or false"),
        ({"delay": "1s"}, "rule 2: delay: found '1s'; write seconds"),
        ({"reject": 200}, "rule 2: reject: found 200; write a whole number from 300"),
        ({"reject": [400]}, "rule 2: reject: found [400]"),
        ({"reject": {"code": 400}}, "rule 2: reject: found"),
        ({"dialect": "old"}, "rule 2: dialect: found 'old'; write documented or observed or mixed"),
        ({"drop_items": 1.5}, "rule 2: drop_items: found 1.5"),
        ({"drop_items": 0}, "rule 2: drop_items: found 0"),
        ({"add_items": 0}, "rule 2: add_items: found 0"),
        ({"when": {"probability": 2}, "delay": 1}, "rule 2: when.probability: found 2"),
        ({"when": {"matching": "("}, "delay": 1}, "rule 2: when.matching: found '('"),
        ({"when": {"matching": 7}, "delay": 1}, "rule 2: when.matching: found 7"),
        ({"when": {"path": "both"}, "delay": 1}, "when.path: found 'both'; write single or batch"),
        ({"when": {"every": 0}, "delay": 1}, "rule 2: when.every: found 0"),
    ],
)
def test_a_mistake_is_reported_with_its_rule_and_key(rule: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_script([{"delay": 1}, rule])
    assert problem in str(caught.value)


def test_every_mistake_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_script([{"status": 1, "delay": "x"}, {"nope": 1}])
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "rule 1",
        "rule 1",
        "rule 2",
    ]


@pytest.mark.parametrize(
    "text", [5000 * "[", "7", "{status: 503}", "{rules: 7}", "{seed: x}", "[", b"\xff"]
)
def test_what_is_no_script_is_refused(text: str | bytes) -> None:
    with pytest.raises(ConfigError):
        parse_text(text)


def test_a_file_is_named_in_what_is_said_of_it(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    with pytest.raises(ConfigError, match=r"faults\.yaml: cannot read"):
        load_script(path)
    path.write_text("- status: 1\n- nope: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_script(path)
    assert [line.startswith(f"{path}: rule ") for line in str(caught.value).splitlines()] == [
        True,
        True,
    ]


def test_a_rule_fits_on_a_command_line() -> None:
    first, second, third = parse_lines(
        [
            "status=503,retry_after=2,requests=3",
            'reject=422,message=no, never,matching="id":"[a-c]{1,2}"',
            "name=cut,truncate=10,probability=0.5",
        ]
    )
    assert first.name == "status=503,retry_after=2,requests=3"
    assert first.answer is not None
    assert (first.answer.status, first.answer.retry_after) == (503, "2")
    assert first.when.requests == 3
    assert second.reject == Refusal(422, "no, never", verbatim=True)
    assert second.when.matching is not None
    assert second.when.matching.search(b'{"id":"ab"}')
    assert (third.name, third.when.probability) == ("cut", 0.5)


@pytest.mark.parametrize("line", ["", "status", "status=503,requests", "nope=1", "status=["])
def test_a_bad_rule_on_a_command_line_is_quoted(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_lines([line])
    assert f'fault "{line}": ' in str(caught.value)
