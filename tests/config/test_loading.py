"""Which of several values counts, and does one report show every problem?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config import load
from agent.config.keys import all_keys
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

Report = Callable[..., list[str]]

URL = "https://dcs.adobedc.net/collection/0123"
INLET = {"AEP_INLET_URL": URL, "AEP_FLOW_ID": "f"}


def test_without_a_file_the_environment_is_enough() -> None:
    config = load(None, environ={**INLET, "STATE_DIRECTORY": "/state"})
    assert config.inlet.url == URL
    assert config.inlet.flow_id == "f"
    assert config.inlet.envelope.type == "raw"
    assert config.data_dir == Path("/state")
    assert [source.type for source in config.sources] == ["stdin"]
    assert config.batch.max_bytes == 900_000
    assert config.buffer.disk_limit == 1 << 30
    assert config.receipts.keep == 30 * 86_400
    assert config.warnings == ()


def test_flags_win_over_environment_over_file_over_defaults(
    written: Callable[..., Path],
) -> None:
    path = written("batch:\n  max_records: 1\n  max_wait: 1ms\n  max_bytes: 100KB\n")
    environ = {
        **INLET,
        "AEP_AGENT_BATCH__MAX_RECORDS": "2",
        "AEP_AGENT_BATCH__MAX_WAIT": "2ms",
    }
    config = load(path, environ=environ, overrides={"batch.max_records": 3})
    assert config.batch.max_records == 3
    assert config.batch.max_wait == 0.002
    assert config.batch.max_bytes == 100_000
    assert config.delivery.max_in_flight == 32
    assert config.delivery.concurrency == "adaptive"


def test_flags_may_be_text_or_typed() -> None:
    overrides: dict[str, object] = {
        "inlet.url": URL,
        "inlet.flow_id": "f",
        "batch.max_wait": "250ms",
        "batch.max_bytes": 200_000,
        "shutdown.grace": 1.5,
        "receipts.enabled": False,
        "data_dir": Path("/data"),
        "inlet.headers.x-key": "value",
        "sources": [{"type": "file", "paths": ["a.json", "b.json.gz"]}],
    }
    config = load(None, environ={}, overrides=overrides)
    assert config.batch.max_wait == 0.25
    assert config.batch.max_bytes == 200_000
    assert config.shutdown.grace == 1.5
    assert config.receipts.enabled is False
    assert config.data_dir == Path("/data")
    assert config.inlet.headers == {"x-key": "value"}
    (source,) = config.sources
    assert (source.type, source.resume, source.name) == ("file", True, None)
    assert source.paths == ("a.json", "b.json.gz")


def test_a_flag_that_was_not_given_is_none_and_changes_nothing() -> None:
    config = load(None, environ=INLET, overrides={"inlet.url": None, "batch.max_wait": None})
    assert config.inlet.url == URL
    assert config.batch.max_wait == 1.0


def test_a_flag_that_says_null_unsets_the_key() -> None:
    assert load(None, environ=INLET, overrides={"admin.listen": "null"}).admin.listen is None


def test_the_flags_given_are_not_changed() -> None:
    inlet = {"url": URL}
    config = load(None, environ={}, overrides={"inlet": inlet, "inlet.flow_id": "f"})
    assert config.inlet.flow_id == "f"
    assert inlet == {"url": URL}


def test_a_problem_inside_a_value_is_told_of_the_flag_that_set_it(report: Report) -> None:
    overrides = {"sources": [{"type": "file", "paths": [""]}]}
    assert report("sources:\n  - type: stdin\n", INLET, overrides) == [
        'command line: sources[0].paths[0]: found ""; '
        "write a path or a pattern such as /var/log/app/*.json"
    ]


def test_sections_whose_keys_are_all_commented_out_have_their_defaults(
    configured: Callable[..., "Config"],
) -> None:
    sections = ("inlet", "batch", "buffer", "delivery", "log", "sources", "data_dir")
    assert configured("".join(f"{section}:\n" for section in sections)) == configured("")
    nested = "inlet:\n  tls:\n  timeouts:\n  headers:\n  envelope:\ndelivery:\n  retry:\n"
    assert configured(nested) == configured("")


def test_a_configuration_cannot_be_changed(configured: Callable[..., "Config"]) -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        configured("").batch.max_wait = 2.0


def test_one_report_shows_every_problem_in_the_order_of_the_file(report: Report) -> None:
    text = """\
inlet:
  url: ${NOWHERE}
  mode: bulk
batch:
  max_wait: 1 fortnight
  max_wiat: 3s
  max_records: 0
  max_records: 5
sources:
  - type: file
  - type: pigeon
admin: {listen: 9600}
flow_id: x
"""
    environ = {"AEP_AGENT_LOG__LEVEL": "loud"}
    overrides = {"delivery.max_in_flight": "900", "buffer.max_bytes": 600_000}
    kinds = all_keys()["sources"].types
    assert report(text, environ, overrides) == [
        'command line: delivery.max_in_flight: found "900"; write a whole number from 1 to 256',
        'environment AEP_AGENT_LOG__LEVEL: log.level: found "loud"; '
        "write debug, info, warning or error",
        "command line: buffer.max_bytes: found 600KB; write at least 1800KB, twice batch.max_bytes",
        "config.yaml:1: inlet.flow_id: missing; "
        "write the id of the dataflow, which the raw envelope needs, or set AEP_FLOW_ID",
        "config.yaml:2: inlet.url: found ${NOWHERE}, which is not set in the environment; "
        "set it or write ${NOWHERE:-default}",
        'config.yaml:3: inlet.mode: found "bulk"; write batch or single',
        'config.yaml:5: batch.max_wait: found "1 fortnight"; '
        "write a duration from 0s to 1h, such as 1s, 500ms or 2m",
        "config.yaml:6: batch.max_wiat: unknown key; did you mean max_wait?",
        "config.yaml:8: batch.max_records: written twice, first on line 7; keep one",
        'config.yaml:10: sources[0].paths: missing; write one such as ["/var/log/app/*.json"]',
        'config.yaml:11: sources[1].type: found "pigeon"; write ' + " or ".join(kinds),
        'config.yaml:12: admin.listen: found "9600"; write host:port such as 127.0.0.1:9600 '
        'or "[::1]:9600", or null to listen nowhere',
        "config.yaml:13: flow_id: unknown key; did you mean inlet.flow_id?",
    ]


def test_nothing_at_all_says_what_is_needed(report: Report) -> None:
    assert report(None, {}) == [
        "configuration: inlet.url: missing; write one such as "
        "https://dcs.adobedc.net/collection/0123abcd, or set AEP_INLET_URL",
        "configuration: inlet.flow_id: missing; "
        "write the id of the dataflow, which the raw envelope needs, or set AEP_FLOW_ID",
    ]


def test_a_file_that_is_not_yaml_is_one_problem_not_many(report: Report) -> None:
    assert len(report("inlet: [", {})) == 1


def test_a_key_below_a_value_is_refused_where_it_was_set(report: Report) -> None:
    assert report("batch: 5\n", {**INLET, "AEP_AGENT_BATCH__MAX_WAIT": "1s"}) == [
        "environment AEP_AGENT_BATCH__MAX_WAIT: batch.max_wait: cannot be set while batch is not "
        "a section; put batch right in the file",
        "config.yaml:1: batch: found text; write keys below it: max_bytes, max_records, max_wait",
    ]


def test_an_item_of_a_list_cannot_be_set_by_a_flag(report: Report) -> None:
    assert report("sources: [{type: stdin}]\n", INLET, {"sources.0.name": "x"}) == [
        "command line: sources.0.name: cannot be set while sources is not a section; "
        "put sources right in the file"
    ]


def test_sizes_are_compared_whatever_else_is_wrong(report: Report) -> None:
    text = "inlet:\n  url: nowhere\n  max_request_bytes: 200KB\nbatch:\n  max_bytes: 300KB\n"
    assert report(text, {"AEP_FLOW_ID": "f"}) == [
        'config.yaml:2: inlet.url: found "nowhere"; '
        "write an http or https URL such as https://dcs.adobedc.net/collection/0123abcd",
        "config.yaml:5: batch.max_bytes: found 300KB; "
        "write at most 200KB, which is inlet.max_request_bytes",
    ]


def test_the_size_that_was_written_is_the_one_to_change(report: Report) -> None:
    assert report("inlet:\n  max_request_bytes: 200KB\n") == [
        "config.yaml:2: inlet.max_request_bytes: found 200KB; "
        "write at least 900KB, which is batch.max_bytes"
    ]


@pytest.mark.parametrize("size", ["1MB", "500KB"])
def test_a_batch_may_be_as_large_as_a_request(
    configured: Callable[..., "Config"], size: str
) -> None:
    text = f"inlet: {{max_request_bytes: {size}}}\nbatch: {{max_bytes: {size}}}\n"
    assert configured(text + "buffer: {max_bytes: 2MB}\n").buffer.max_bytes == 2_000_000


def test_files_that_settings_name_must_be_readable(report: Report, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    text = f"inlet:\n  token_file: {empty}\n  tls: {{ca_file: {tmp_path}, key_file: nowhere.pem}}\n"
    problems = report(text)
    assert [problem.replace(str(tmp_path), "") for problem in problems] == [
        'config.yaml:2: inlet.token_file: found "empty", which does not hold one token; '
        "write the token into it",
        'config.yaml:3: inlet.tls.key_file: found "nowhere.pem"; '
        "write inlet.tls.cert_file beside it, the certificate this key belongs to",
        'config.yaml:3: inlet.tls.ca_file: found "", which cannot be read: '
        "is a directory; write another path",
        'config.yaml:3: inlet.tls.key_file: found "nowhere.pem", which cannot be read: '
        "no such file or directory; write another path",
    ]


def test_the_report_is_what_the_error_says() -> None:
    with pytest.raises(ConfigError, match=r"^configuration: inlet.url: missing; .*\n.*flow_id"):
        load(None, environ={})
