"""Is this script of faults well formed, and if not, which rule and which key is wrong?"""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from agent.emulator.checks import EFFECTS, WHEN, Check, Wrong
from agent.emulator.faults import AnswerFault, Rule, Script, Shape, When
from agent.errors import ConfigError


def parse_script(written: Any) -> Script:
    """The script in parsed YAML or JSON. Raises ConfigError with one line per problem."""
    seed: Any = 0
    rules = written
    if isinstance(written, Mapping):
        unknown = [key for key in written if key not in ("seed", "rules")]
        if unknown:
            raise ConfigError(f"{_unknown(unknown[0], ['seed', 'rules'])} beside the rules")
        seed, rules = written.get("seed", 0), written.get("rules", [])
    if rules is None:
        rules = []
    if not isinstance(rules, list):
        raise ConfigError("a fault script is a list of rules, or {seed: N, rules: [...]}")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ConfigError(f"seed: found {seed!r}; write a whole number")
    problems: list[str] = []
    parsed = [_parse_rule(number, rule, problems) for number, rule in enumerate(rules, 1)]
    if problems:
        raise ConfigError("\n".join(problems))
    return Script(tuple(parsed), seed)


def parse_text(text: str | bytes) -> Script:
    """The script in YAML or JSON text. Raises ConfigError."""
    try:
        return parse_script(yaml.safe_load(text) or [])
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the fault script is neither YAML nor JSON: {error}") from None
    except RecursionError:
        raise ConfigError("the fault script is nested too deeply") from None


def load_script(path: Path) -> Script:
    """The script in a file. Raises ConfigError, naming the file."""
    try:
        return parse_text(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the fault script: {error.strerror}") from None
    except ConfigError as error:
        raise ConfigError(
            "\n".join(f"{path}: {line}" for line in str(error).splitlines())
        ) from None


def parse_lines(lines: Sequence[str]) -> tuple[Rule, ...]:
    """Rules as written on a command line, such as `status=503,requests=3`; each is its own name.

    A comma belongs to a value unless a key follows it. Raises ConfigError, naming the line.
    """
    rules: list[Rule] = []
    for line in lines:
        try:
            rules += parse_script([{"name": line, **_from_line(line)}]).rules
        except ConfigError as error:
            raise ConfigError(str(error).replace("rule 1", f'fault "{line}"')) from None
    return tuple(rules)


def _from_line(line: str) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    when: dict[str, Any] = {}
    for part in re.split(r",(?=[a-z_]+=)", line):
        key, equals, text = part.partition("=")
        if not equals:
            raise ConfigError(f'rule 1: found "{part}"; write key=value,key=value')
        if key in WHEN:
            when[key] = text if key == "matching" else _scalar(text)
        else:
            rule[key] = text if key == "message" else _scalar(text)
    if "message" in rule:
        rule["reject"] = {"status": rule.get("reject", 400), "message": rule.pop("message")}
    return {"when": when, **rule} if when else rule


def _scalar(text: str) -> Any:
    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, bool | int | float) else text


def _parse_rule(number: int, written: Any, problems: list[str]) -> Rule:
    place = f"rule {number}"
    if not isinstance(written, Mapping):
        problems.append(f"{place}: found {written!r}; write effects such as {{status: 503}}")
        return Rule("", {})
    when = written.get("when", {})
    if not isinstance(when, Mapping):
        problems.append(f"{place}: when: found {when!r}; write conditions such as {{requests: 3}}")
        when = {}
    effects = {key: value for key, value in written.items() if key not in ("when", "name")}
    before = len(problems)
    checked_when = _checked(when, WHEN, f"{place}: when.", problems)
    checked = _checked(effects, EFFECTS, f"{place}: ", problems)
    if not effects:
        problems.append(f"{place}: it has no effect; write one, such as status: 503")
    if "body" in checked and "status" not in checked:
        problems.append(f"{place}: body: it needs a status beside it, such as status: 200")
    if len(problems) > before:
        return Rule("", {})
    name = str(written.get("name", f"rule-{number}"))
    return _assembled(name, dict(written), When(**checked_when), checked)


def _assembled(name: str, written: dict[str, Any], when: When, effects: dict[str, Any]) -> Rule:
    if effects.pop("accept_then_reset", False):
        effects.update(accept=True, reset=0)
    if effects.pop("body_is", None):
        effects.update(status=200, body="problem")
    answer = {key: value for key, value in effects.items() if key in AnswerFault.__slots__}
    shape = {key: value for key, value in effects.items() if key in Shape.__slots__}
    rest = {key: effects[key] for key in ("delay", "reject") if key in effects}
    return Rule(
        name,
        {key: value for key, value in written.items() if key != "name"},
        when,
        answer=AnswerFault(**answer) if answer else None,
        shape=Shape(**shape) if shape else None,
        **rest,
    )


def _checked(
    written: Mapping[Any, Any], checks: dict[str, Check], place: str, problems: list[str]
) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in written.items():
        check = checks.get(str(key))
        if check is None:
            problems.append(place + _unknown(key, list(checks)))
            continue
        try:
            checked[str(key)] = check(value)
        except Wrong as wrong:
            problems.append(f"{place}{key}: found {value!r}; write {wrong}")
    return checked


def _unknown(key: Any, known: list[str]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
    return f"{key}: unknown key; {hint}"
