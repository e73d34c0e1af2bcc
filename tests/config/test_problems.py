"""Is every mistake explained in plain words, without pydantic's and without secrets?"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.config.keys import all_keys
from agent.config.problems import show, show_path
from agent.errors import ConfigError

Report = Callable[..., list[str]]

INLET = {"AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123", "AEP_FLOW_ID": "f"}
KEYS = {"AEP_INLET_URL": r"\burl: ", "AEP_FLOW_ID": r"\bflow_id: "}
ENVELOPES: dict[str, Any] = {
    "raw": {"type": "raw"},
    "xdm": {"type": "xdm", "schema_id": "s", "dataset_id": "d"},
}
SOURCES: dict[str, Any] = {
    "stdin": {"type": "stdin"},
    "file": {"type": "file", "paths": ["x"]},
}
ODD = ["", " ", "x", "-1", "0", "9" * 30, "1e5", "true", "\x00", "ü", "a b", "~nobody/x", "1.5"]
ODDER = [None, [], ["x"], [None], [[]], {}, {"a": "b"}, {"type": "x"}, {"type": None}, {1: 2}, 7]
# Words of pydantic, of Python and of our own code that no user should have to understand.
JARGON = ["pydantic", "Input", "validation", "Settings", "dict", "tuple", "Traceback", "None", "{'"]


def _flags(path: str, value: object) -> Iterator[dict[str, Any]]:
    """Flags that give the key at `path` this value, in every kind of section that has it."""
    name = path.rpartition(".")[2]
    if path.startswith("inlet.envelope."):
        for envelope in ENVELOPES.values():
            yield {"inlet.envelope": envelope | {name: value}}
    elif path.startswith("sources."):
        for source in SOURCES.values():
            yield {"sources": [source | {name: value}]}
    else:
        yield {path: value}


def _environ_without(text: str) -> dict[str, str]:
    """The environment, without what the text is about: the environment would win."""
    return {
        variable: value for variable, value in INLET.items() if not re.search(KEYS[variable], text)
    }


@pytest.mark.parametrize("path", sorted(all_keys()))
def test_whatever_is_written_into_a_key_is_taken_or_explained(path: str) -> None:
    for value in (*ODD, *ODDER, True):
        for overrides in _flags(path, value):
            try:
                load(None, environ=INLET, overrides=overrides)
            except ConfigError as error:
                for line in str(error).splitlines():
                    assert not [word for word in JARGON if word in line], line
                    assert line.startswith(("command line: ", "configuration: "))
                    assert "; " in line, line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batch: {max_wait: 2h}", 'batch.max_wait: found "2h"; write a duration from 0s to 1h'),
        ("batch: {max_bytes: 999}", 'batch.max_bytes: found "999"; write a size from 1KB to 100MB'),
        ("batch: {max_wait: [1s]}", "batch.max_wait: found a list; write a duration"),
        ("batch: {max_wait: {a: 1}}", "batch.max_wait: found a mapping; write a duration"),
        ("batch: {max_wait: }", "batch.max_wait: missing; write a duration"),
        ("batch: {max_records: 1.5}", 'batch.max_records: found "1.5"; write a whole number'),
        ("batch: {max_records: true}", 'batch.max_records: found "true"; write a whole number'),
        ("batch: [1]", "batch: found a list; write keys below it: max_bytes, max_records"),
        ("receipts: {enabled: maybe}", 'receipts.enabled: found "maybe"; write true or false'),
        ("log: {level: loud}", 'log.level: found "loud"; write debug, info, warning or error'),
        ("inlet: {url: dcs.adobedc.net}", 'inlet.url: found "dcs.adobedc.net"; write an http or'),
        ("inlet: {url: ftp://x/y}", 'inlet.url: found "ftp://x/y"; write an http or https URL'),
        ("inlet: {url: 'https://x:99999/y'}", 'inlet.url: found "https://x:99999/y"; write an'),
        ("inlet: {flow_id: a b}", 'inlet.flow_id: found "a b"; write the id of the dataflow, in'),
        ("inlet: {envelope: xdm}", "inlet.envelope: found text; write keys below it: type,"),
        ("inlet: {envelope: {}}", "inlet.envelope.type: missing; write raw or xdm"),
        ("inlet: {envelope: {type: csv}}", 'inlet.envelope.type: found "csv"; write raw or xdm'),
        (
            "inlet: {envelope: {type: raw, dataset_id: d}}",
            "inlet.envelope.dataset_id: belongs to another type of this section; remove it or",
        ),
        (
            "inlet: {envelope: {type: xdm, schema_id: s}}",
            "inlet.envelope.dataset_id: missing; write one such as 5f3c9e27a1b2c3d4e5f60718",
        ),
        (
            "inlet: {tls: {key_file: /dev/null}}",
            'inlet.tls.key_file: found "/dev/null"; write inlet.tls.cert_file beside it',
        ),
        (
            "inlet: {timeouts: {total: 20s}}",
            'inlet.timeouts.total: found "20s"; write a total that is at least as long as connect',
        ),
        (
            "inlet: {headers: {Host: x}}",
            "inlet.headers.Host: found this name; write another one: the agent sets this header",
        ),
        (
            "inlet: {headers: {Content-Length: 5}}",
            "inlet.headers.Content-Length: found this name; write another one: the agent sets",
        ),
        ("inlet: {headers: {a b: x}}", "inlet.headers.a b: found this name; write a header name"),
        ("inlet: {headers: [x]}", "inlet.headers: found a list; write keys and values below it"),
        ("sources: []", "sources: found an empty list; write at least one source"),
        ("sources: {type: stdin}", "sources: found a mapping; write a list, each item on its own"),
        (
            "sources: [stdin]",
            "sources[0]: found text; write keys below it: type, name, flow, filters",
        ),
        ("sources: [{paths: [x]}]", "sources[0].type: missing; write stdin or file"),
        ("sources: [{type: file}]", "sources[0].paths: missing; write one such as "),
        (
            "sources: [{type: file, paths: /x/*}]",
            'sources[0].paths: found "/x/*"; write a list, each item on its own line after a dash',
        ),
        (
            "sources: [{type: file, paths: []}]",
            "sources[0].paths: found an empty list; write at least one path or pattern",
        ),
        (
            "sources: [{type: file, paths: [a, '']}]",
            'sources[0].paths[1]: found ""; write a path or a pattern such as',
        ),
        (
            "sources: [{type: stdin}, {type: stdin, name: b}]",
            "sources: found a list; write stdin once: two readers would tear",
        ),
        (
            "sources: [{type: file, paths: [a], name: n}, {type: file, paths: [b], name: n}]",
            'sources[1].name: found "n"; write a name that no other source has',
        ),
        (
            "sources: [{type: file, paths: [a], name: stdin}, {type: stdin}]",
            "sources[1].name: missing; write a name that no other source has",
        ),
        (
            "buffer: {type: memory, when_full: drop_oldest}",
            'buffer.when_full: found "drop_oldest"; write block, or choose buffer.type disk',
        ),
        ("buffer: {when_full: drop}", 'buffer.when_full: found "drop"; write block'),
        (
            "delivery: {max_in_flight: 257}",
            'delivery.max_in_flight: found "257"; write a whole number from 1 to 256',
        ),
        (
            "delivery: {poison: {share: 0}}",
            'delivery.poison.share: found "0"; write a share from 0.01 to 1, such as 0.5',
        ),
        (
            "delivery: {poison: {least: 2000}}",
            "delivery.poison.window: found 1000, the default; write a number that is at least",
        ),
        (
            "inlet: {ready_at: soon}",
            'inlet.ready_at: found "soon"; write a time such as 2026-03-01T12:05:00Z',
        ),
        (
            "delivery: {retry: {initial: 2m}}",
            "delivery.retry.max: found 1m, the default; write a pause that is at least as long as",
        ),
        (
            "dead_letters: {max_record_bytes: 2MB, max_bytes: 1MB}",
            'dead_letters.max_bytes: found "1MB"; write a size that is at least dead_letters.max',
        ),
        ("admin: {listen: '0.0.0.0'}", 'admin.listen: found "0.0.0.0"; write host:port such as'),
        ("admin: {listen: 'x:65536'}", 'admin.listen: found "x:65536"; write host:port such as'),
        (
            "record_id: {field: 'a\"b'}",
            'record_id.field: found "a"b"; write a field name of letters, digits, _, - and .',
        ),
        ("data_dir: [x]", "data_dir: found a list; write the path of a directory"),
        ("data_dir: ~nobody_is_called_so/x", 'data_dir: found "~nobody_is_called_so/x"; write the'),
        ("qqq: 1", "qqq: unknown key; known here: data_dir, inlet, platform, flows,"),
        ("inlet: {tsl: {}}", "inlet.tsl: unknown key; did you mean tls?"),
        ("max_wait: 1s", "max_wait: unknown key; did you mean batch.max_wait?"),
        ("sources: [{type: file, path: x, paths: [x]}]", "sources[0].path: unknown key; did you"),
    ],
)
def test_a_mistake_is_explained_by_what_to_write(report: Report, text: str, expected: str) -> None:
    (line,) = report(text, _environ_without(text))
    assert line.startswith(f"config.yaml:1: {expected}")


def test_a_token_in_two_places_is_refused(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc")
    text = f"inlet:\n  token: abc\n  token_file: {file}\n  headers: {{Authorization: x}}\n"
    assert report(text) == [
        'config.yaml:3: inlet.token_file: found "token"; '
        "write either inlet.token or inlet.token_file, not both",
        "config.yaml:4: inlet.headers: found a mapping; "
        "write either an Authorization header or inlet.token, not both",
    ]


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"inlet: {{token: {SECRET} x}}",
        f"inlet: {{token: [{SECRET}]}}",
        f"inlet: {{token: {{a: {SECRET}}}}}",
        f"inlet: {{token: !x {SECRET}}}",
        f"inlet: {{tokn: {SECRET}}}",
        f"inlet: {{proxy: {SECRET}}}",
        f"inlet: {{proxy: 'http://user:{SECRET}@proxy:99999'}}",
        f"inlet: {{url: 'https://user:{SECRET}@x/collection/1'}}",
        f"inlet: {{url: 'https://user:pa/{SECRET}@x/collection/1'}}",
        f"inlet: {{url: 'https://{'u' * 90}:{SECRET}@x/collection/1'}}",
        f'inlet: {{headers: {{x-key: "{SECRET}\\u00e9"}}}}',
        f"inlet: {{headers: {{Host: {SECRET}}}}}",
        f"inlet: {{headers: {SECRET}}}",
        f"inlet: {SECRET}",
        f"inlet: [{SECRET}]",
        f"batch: {SECRET}",
        f"inlet: {{token: *{SECRET}}}",
        f"inlet: {{token: @{SECRET}}}",
        f"inlet: {{token: '{SECRET}}}",
        f"inlet: {{token: a: {SECRET}}}",
        f"unknown: {SECRET}",
    ],
)
def test_a_secret_is_never_in_a_report(report: Report, text: str) -> None:
    assert SECRET not in "\n".join(report(text, _environ_without(text)))


@pytest.mark.parametrize("variable", ["AEP_INLET_TOKEN", "AEP_AGENT_INLET__PROXY"])
def test_a_secret_from_the_environment_is_never_in_a_report(report: Report, variable: str) -> None:
    lines = report(None, {**INLET, variable: f"{SECRET} \N{SNOWMAN}"})
    assert lines[0].startswith(f"environment {variable}: inlet.")
    assert SECRET not in "\n".join(lines)


def test_what_was_found_is_shown_short_and_on_one_line() -> None:
    assert show("x" * 500) == f'"{"x" * 60}…"'
    assert show("a\nb\x1b[31m") == r'"a\nb\x1b[31m"'
    assert show("http://me:pass@word@host/x") == '"http://…@host/x"'
    assert show("x", secret=True) == "a value (not shown: it is secret)"


def test_a_path_is_shown_as_it_would_be_written() -> None:
    assert show_path(("sources", 0, "paths", 1)) == "sources[0].paths[1]"
    assert show_path(("a\nb",)) == r"a\nb"
