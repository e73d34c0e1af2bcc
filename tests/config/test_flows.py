"""Several flows: what each says itself, what it takes from the top level, what is told of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from agent.config import load
from agent.config.json_schema import json_schema
from agent.config.section import names
from agent.config.sources import Source
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

Configured = Callable[..., "Config"]
Report = Callable[..., list[str]]

ENVIRON = {"HOME": "/home/someone"}
TWO = """\
inlet:
  url: https://dcs.adobedc.net/collection/0123
flows:
  orders:
    inlet: {flow_id: o}
  clicks:
    inlet: {flow_id: c}
sources:
  - {type: stdin, flow: orders}
  - {type: file, paths: [/a], flow: clicks}
"""
ANOTHER = "dcs.adobedc.net/collection/4567"


def two(**changes: str) -> str:
    """The configuration with two flows, with other lines in the place of some."""
    text = TWO
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_without_flows_there_is_one_and_it_has_no_name(configured: Configured) -> None:
    config = configured("")
    (flow,) = config.each_flow().items()
    assert (flow[0], flow[1].inlet, flow[1].batch) == ("", config.inlet, config.batch)
    assert config.flow_of(config.sources[0]) == ""


def test_a_flow_takes_what_it_does_not_say_from_the_top_level_key_by_key(
    configured: Configured,
) -> None:
    shared = """\
  tls: {verify: false}
  timeouts: {answer: 5s, connect: 2s, total: 20s}
  headers: {x-a: b}
batch: {max_wait: 2s, max_records: 7}
buffer: {max_bytes: 3MB}
"""
    own = (
        "inlet: {flow_id: c, timeouts: {total: 9s}, headers: {x-c: d}}\n    batch: {max_wait: 1ms}"
    )
    config = configured(
        two(**{"flows:": f"{shared}flows:", "inlet: {flow_id: c}": own}), environ=ENVIRON
    )
    orders, clicks = config.each_flow().values()
    assert (orders.inlet.tls.verify, clicks.inlet.tls.verify) == (False, False)
    assert (orders.inlet.timeouts.total, clicks.inlet.timeouts.total) == (20, 9)
    assert clicks.inlet.timeouts.answer == 5
    assert (orders.inlet.headers, clicks.inlet.headers) == ({"x-a": "b"}, {"x-a": "b", "x-c": "d"})
    assert (orders.batch.max_wait, clicks.batch.max_wait) == (2, 0.001)
    assert (orders.batch.max_records, clicks.batch.max_records) == (7, 7)
    assert orders.buffer.disk_limit == clicks.buffer.disk_limit == 3_000_000
    assert orders.delivery == config.delivery


def test_what_stands_for_a_shared_key_takes_its_place(
    configured: Configured, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("abc\n")
    shared = "flows:\n  none:\n    inlet: {flow_id: n}\n"
    own = f"inlet: {{flow_id: c, token_file: {token}}}"
    text = two(**{"flows:": f"  token: t0ken\n{shared}", "inlet: {flow_id: c}": own})
    orders, clicks = (configured(text, environ=ENVIRON).flows[name] for name in ("none", "clicks"))
    assert orders.inlet.token.reveal() == "t0ken"
    assert (clicks.inlet.token, clicks.inlet.token_file) == (None, token)


def test_another_envelope_takes_nothing_of_the_shared_one(configured: Configured) -> None:
    xdm = "  envelope: {type: xdm, schema_id: s, dataset_id: shared}\nflows:"
    text = two(
        **{
            "flows:": xdm,
            "{flow_id: o}": "{flow_id: o, envelope: {type: raw}}",
            "{flow_id: c}": "{envelope: {dataset_id: own}}",
        }
    )
    orders, clicks = configured(text, environ=ENVIRON).each_flow().values()
    assert orders.inlet.envelope.type == "raw"
    assert (clicks.inlet.envelope.schema_id, clicks.inlet.envelope.dataset_id) == ("s", "own")


def test_the_environment_and_flags_set_what_flows_share_and_a_flag_what_one_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TWO)
    environ = {**ENVIRON, "AEP_AGENT_BATCH__MAX_WAIT": "3s"}
    config = load(path, environ=environ, overrides={"flows.clicks.batch.max_wait": "4s"})
    assert [flow.batch.max_wait for flow in config.each_flow().values()] == [3, 4]


def test_a_variable_for_a_flow_is_told_to_be_of_no_use(configured: Configured) -> None:
    environ = {**ENVIRON, "AEP_AGENT_FLOWS__ORDERS__INLET__URL": "https://a/b"}
    assert configured(TWO, environ=environ).warnings == (
        "environment AEP_AGENT_FLOWS__ORDERS__INLET__URL: ignored; flows are set in a file; "
        "${VARIABLES} in it come from the environment",
    )


def test_a_flow_of_which_every_key_is_commented_out_is_a_flow(configured: Configured) -> None:
    text = two(
        **{
            "collection/0123": "collection/0123\n  flow_id: shared",
            "orders:\n    inlet: {flow_id: o}": "orders:\n",
        }
    )
    assert configured(text, environ=ENVIRON).flows["orders"].inlet.flow_id == "shared"


def test_one_named_flow_takes_the_records_of_all_sources(configured: Configured) -> None:
    text = "flows:\n  only:\n    inlet: {flow_id: f}\n"
    environ = {**ENVIRON, "AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123"}
    config = configured(text, environ=environ)
    assert [config.flow_of(source) for source in config.sources] == ["only"]


# What is told.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {", flow: clicks": ""},
            "config.yaml:10: sources[1].flow: missing; write one of orders, clicks",
        ),
        (
            {", flow: clicks": ", flow: click"},
            'config.yaml:10: sources[1].flow: found "click"; '
            "no flow has this name; did you mean clicks?",
        ),
        (
            {", flow: clicks": ", flow: x"},
            'config.yaml:10: sources[1].flow: found "x"; '
            "no flow has this name; there are orders, clicks",
        ),
        (
            {"{flow_id: c}": "{flow_id: o}"},
            "config.yaml:7: flows.clicks.inlet: goes where flow orders goes; write another url or"
            " flow_id, or give the sources of both to orders",
        ),
        (
            {"clicks:\n": "click s:\n", "flow: clicks": "flow: orders"},
            "config.yaml:6: flows.click s: found this name; "
            "write a name of up to 64 letters, digits, _ and -",
        ),
        (
            {"{flow_id: c}": "{flow_id: c, mode: bulk}"},
            'config.yaml:7: flows.clicks.inlet.mode: found "bulk"; write batch or single',
        ),
        (
            {"{flow_id: c}": "{flow_id: c, mod: batch}"},
            "config.yaml:7: flows.clicks.inlet.mod: unknown key; did you mean mode?",
        ),
        (
            {"{flow_id: c}": "{flow_id: c}\n    admin: {listen: null}"},
            "config.yaml:8: flows.clicks.admin: is the same for all flows; "
            "write it at the top level",
        ),
        (
            {"{flow_id: c}": "{flow_id: c}\n    bach: {max_wait: 1s}"},
            "config.yaml:8: flows.clicks.bach: unknown key; did you mean batch?",
        ),
        (
            {"{flow_id: c}": "{flow_id: c}\n    batch: {max_bytes: 2MB}"},
            "config.yaml:8: flows.clicks.batch.max_bytes: found 2MB; "
            "write at most 1MB, which is inlet.max_request_bytes",
        ),
        (
            {"{flow_id: c}": "{flow_id: c, token_file: /no/such}"},
            'config.yaml:7: flows.clicks.inlet.token_file: found "/no/such", '
            "which cannot be read: no such file or directory; write another path",
        ),
        (
            {"inlet: {flow_id: c}": "inlet: {}"},
            "config.yaml:7: flows.clicks.inlet.flow_id: missing; "
            "write the id of the dataflow, which the raw envelope needs, or set AEP_FLOW_ID",
        ),
    ],
)
def test_what_is_wrong_with_a_flow_is_told_with_its_key_and_line(
    report: Report, change: dict[str, str], told: str
) -> None:
    assert report(two(**change), ENVIRON) == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"flows:": "  mode: bulk\nflows:"},
            'config.yaml:3: inlet.mode: found "bulk"; write batch or single',
        ),
        (
            {"flows:": "  urll: x\nflows:"},
            "config.yaml:3: inlet.urll: unknown key; did you mean url?",
        ),
        (
            {"flows:": "batch: {max_wait: soon}\nflows:"},
            'config.yaml:3: batch.max_wait: found "soon"; '
            "write a duration from 0s to 1h, such as 1s, 500ms or 2m",
        ),
    ],
)
def test_what_is_wrong_with_what_flows_share_is_told_once_where_it_stands(
    report: Report, change: dict[str, str], told: str
) -> None:
    assert report(two(**change), ENVIRON) == [told]


def test_a_flow_for_a_source_where_there_are_none_is_told(report: Report) -> None:
    assert report("sources:\n  - {type: stdin, flow: a}\n") == [
        'config.yaml:2: sources[0].flow: found "a"; leave it out, or write this flow below `flows`'
    ]


def test_sources_are_asked_for_where_it_is_not_clear_who_reads_for_whom(report: Report) -> None:
    text = TWO[: TWO.index("sources:")]
    assert report(text, ENVIRON) == [
        "config.yaml: sources: missing; write sources, each with its `flow`"
    ]


def test_flows_that_are_no_mapping_are_told(report: Report) -> None:
    assert report("flows: [a]\n") == [
        "config.yaml:1: flows: found a list; write keys and values below it"
    ]


def test_a_flow_that_nothing_is_read_for_is_worth_a_warning(configured: Configured) -> None:
    assert configured(two(**{"flow: clicks": "flow: orders"}), environ=ENVIRON).warnings == (
        "flows.clicks has no sources: nothing is sent there but what is in the spool",
    )


def test_a_caution_says_which_flow_it_is_about(configured: Configured) -> None:
    text = two(**{"{flow_id: c}": "{flow_id: c, tls: {verify: false}}"})
    assert configured(text, environ=ENVIRON).warnings == (
        "flows.clicks.inlet.tls.verify is off: whoever is on the way can read and change records",
    )


# One of several.


def test_one_flow_can_be_taken_out_and_what_flags_say_is_about_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(two(**{"{flow_id: c}": "{flow_id: c}\n    batch: {max_wait: 1s}"}))
    overrides = {"inlet.url": f"https://{ANOTHER}", "batch.max_wait": "5s", "data_dir": "/d"}
    config = load(path, environ=ENVIRON, overrides=overrides, flow="clicks")
    (flow,) = config.each_flow().items()
    assert (flow[0], flow[1].inlet.flow_id, flow[1].inlet.url) == (
        "clicks",
        "c",
        f"https://{ANOTHER}",
    )
    assert flow[1].batch.max_wait == 5
    assert str(config.data_dir) == "/d"
    assert [source.type for source in config.sources] == ["file"]


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        ("", "there are several flows; choose one: --flow orders, clicks"),
        ("oders", "--flow oders: no flow has this name; did you mean orders?"),
    ],
)
def test_which_flow_is_meant_must_be_clear(tmp_path: Path, flow: str, told: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TWO)
    with pytest.raises(ConfigError, match=told):
        load(path, environ=ENVIRON, flow=flow)


def test_the_only_flow_needs_not_be_named_and_none_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("inlet: {url: https://a/b}\nflows: {only: {inlet: {flow_id: f}}}\n")
    assert list(load(path, environ=ENVIRON, flow="").each_flow()) == ["only"]
    path.write_text("inlet: {url: https://a/b, flow_id: f}\n")
    assert list(load(path, environ=ENVIRON, flow="").each_flow()) == [""]
    with pytest.raises(ConfigError, match="--flow x: the configuration has no flows"):
        load(path, environ=ENVIRON, flow="x")


# For editors, and for whoever adds a source.


def test_the_schema_knows_flows_and_asks_of_them_only_what_is_theirs() -> None:
    schema = json_schema()
    (named,) = schema["properties"]["flows"]["patternProperties"].values()
    assert named["$ref"].endswith("FlowSettings")
    flow = schema["$defs"]["FlowSettings"]
    assert set(flow["properties"]) == {"inlet", "record_id", "batch", "buffer", "delivery"}
    assert "required" not in flow


def test_every_kind_of_source_can_say_its_flow() -> None:
    kinds = get_args(get_args(Source)[0])
    assert kinds
    assert [kind.__name__ for kind in kinds if "flow" not in names(kind)] == []
