"""What is new in a configuration that was read again, and what of it waits for the next start."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agent.config.changes import LATER, Changes, changes
from agent.config.json_schema import json_schema
from agent.config.keys import all_keys
from agent.config.loading import load
from agent.config.model import Config
from agent.config.section import names
from agent.errors import ConfigError

ROOT = Path(__file__).parents[2]
INLET = {"url": "http://127.0.0.1:9/collection/a", "flow_id": "f"}
LOGS: dict[str, Any] = {"type": "file", "paths": ["/var/log/a"]}
DOOR: dict[str, Any] = {"type": "tcp", "listen": "127.0.0.1:5170"}
STDIN: dict[str, Any] = {"type": "stdin"}


@pytest.fixture
def config(tmp_path: Path) -> Any:
    def read(**sections: Any) -> Config:
        whole = {"inlet": INLET, "data_dir": "/data", "sources": [LOGS], **sections}
        path = tmp_path / "agent.json"
        path.write_text(json.dumps({key: it for key, it in whole.items() if it is not None}))
        return load(path, environ={})

    return read


def flows(**ids: str) -> dict[str, Any]:
    return {
        "inlet": None,
        "flows": {name: {"inlet": {**INLET, "flow_id": it}} for name, it in ids.items()},
        "sources": [{**LOGS, "flow": next(iter(ids))}],
    }


def outline(found: Changes) -> tuple[list[str], list[str]]:
    return [*found.at_once], [*found.later]


def test_the_same_again_changes_nothing(config: Any) -> None:
    found = changes(config(), config())
    assert outline(found) == ([], [])
    assert (found.stopped, found.started, found.flows_added, found.flows_removed) == ((),) * 4


def test_most_keys_take_effect_at_once(config: Any) -> None:
    after = config(
        batch={"max_wait": "3s"},
        delivery={"retry": {"max": "2m"}, "max_in_flight": 3},
        inlet={**INLET, "token": "secret", "timeouts": {"connect": "1s"}},
        log={"level": "debug"},
        dead_letters={"max_bytes": "2GiB"},
        shutdown={"quiet": "1s"},
    )
    found = changes(config(), after)
    assert outline(found) == (
        [
            "dead_letters.max_bytes",
            "shutdown.quiet",
            "log.level",
            "inlet.token",
            "inlet.timeouts.connect",
            "batch.max_wait",
            "delivery.max_in_flight",
            "delivery.retry.max",
        ],
        [],
    )
    assert found.config.batch.max_wait == 3.0
    assert found.config.log.level == "debug"


def test_where_records_go_and_what_was_opened_stays_until_the_next_start(config: Any) -> None:
    after = config(
        data_dir="/other",
        admin={"listen": None},
        receipts={"keep": "1d", "max_bytes": "2MB"},
        inlet={"url": "http://127.0.0.1:9/collection/b", "flow_id": "g", "mode": "single"},
        record_id={"add": "position"},
        batch={"max_wait": "3s"},
    )
    before = config()
    found = changes(before, after)
    assert found.at_once == ("batch.max_wait",)
    assert found.later == (
        *("data_dir", "receipts.keep", "receipts.max_bytes", "admin.listen"),
        *("inlet.url", "inlet.flow_id", "inlet.mode", "record_id.add"),
    )
    assert found.config.data_dir == before.data_dir
    assert found.config.inlet == before.inlet
    assert changes(found.config, after).later == found.later, "and it is said each time"


def test_a_buffer_of_another_type_keeps_its_sizes_too(config: Any) -> None:
    found = changes(config(), config(buffer={"type": "memory", "max_bytes": "64MiB"}))
    assert outline(found) == ([], ["buffer.type", "buffer.max_bytes"])
    assert found.config.buffer == config().buffer


def test_sizes_that_do_not_fit_what_stays_are_refused(config: Any) -> None:
    inlet = {**INLET, "max_request_bytes": "3MB"}
    with pytest.raises(ConfigError, match=r"batch.max_bytes: until the next start, write at most"):
        changes(config(), config(inlet=inlet, batch={"max_bytes": "2MB"}))


def test_sources_are_compared_whole_and_their_order_means_nothing(config: Any) -> None:
    found = changes(config(sources=[LOGS, DOOR]), config(sources=[DOOR, LOGS]))
    assert outline(found) == ([], [])
    found = changes(config(sources=[LOGS, DOOR]), config(sources=[{**DOOR, "max_connections": 3}]))
    assert outline(found) == (
        ["source /var/log/a removed", "source tcp 127.0.0.1:5170 changed"],
        [],
    )
    assert [source.type for source in found.stopped] == ["file", "tcp"]
    assert [source.type for source in found.started] == ["tcp"]


def test_standard_input_stays_as_it_is(config: Any) -> None:
    found = changes(config(sources=[STDIN]), config(sources=[LOGS]))
    assert outline(found) == (["source /var/log/a added"], ["sources: stdin"])
    assert [source.type for source in found.config.sources] == ["stdin", "file"]
    named = {**STDIN, "non_json": "drop"}
    found = changes(config(sources=[STDIN]), config(sources=[named]))
    assert outline(found) == ([], ["sources: stdin"])
    found = changes(config(sources=[LOGS]), config(sources=[LOGS, STDIN]))
    assert outline(found) == (["source stdin added"], [])


def test_standard_input_cannot_go_to_another_flow(config: Any) -> None:
    one, other = flows(a="1", b="2"), flows(a="1", b="2")
    one["sources"], other["sources"] = [{**STDIN, "flow": "a"}], [{**STDIN, "flow": "b"}]
    assert outline(changes(config(**one), config(**other))) == ([], ["sources: stdin"])
    del other["flows"]["a"]
    with pytest.raises(ConfigError, match="standard input is read for a"):
        changes(config(**one), config(**other))
    only, another = flows(a="1"), flows(b="2")
    only["sources"] = another["sources"] = [STDIN]
    with pytest.raises(ConfigError, match="standard input is read for a"):
        changes(config(**only), config(**another))


def test_flows_come_and_go(config: Any) -> None:
    found = changes(config(**flows(a="1", b="2")), config(**flows(a="1", c="3")))
    assert outline(found) == (["flow c added", "flow b removed"], [])
    assert (found.flows_added, found.flows_removed) == (("c",), ("b",))
    found = changes(config(**flows(a="1")), config(**flows(a="5")))
    assert outline(found) == ([], ["flows.a.inlet.flow_id"])


def test_a_flow_that_is_leaving_is_taken_up_again_with_what_it_holds(config: Any) -> None:
    before = config(**flows(a="1", b="2"))
    found = changes(before, config(**flows(a="1")), leaving={"b"})
    assert (outline(found), found.flows_removed) == (([], []), ())
    found = changes(before, config(**flows(a="1", b="9")), leaving={"b"})
    assert outline(found) == (["flow b added"], ["flows.b.inlet.flow_id"])
    assert found.flows_added == ()
    assert found.config.flows["b"] == before.flows["b"]


def test_names_of_flows_need_a_restart(config: Any) -> None:
    for pair in ((config(), config(**flows(a="1"))), (config(**flows(a="1")), config())):
        with pytest.raises(ConfigError, match="restart"):
            changes(*pair)


def test_the_documents_name_every_key_that_waits() -> None:
    assert {key.partition(".")[0] for key in LATER} <= set(names(Config))
    assert set(all_keys()) >= LATER
    comment = (ROOT / "config" / "aep-agent.yaml").read_text().partition("at the next start")[2]
    named = re.findall(r"[a-z_]+(?:\.[a-z_]+)?", comment.partition("\n\n")[0].partition(":")[2])
    assert {*named} - {"and"} == LATER
    schema = json_schema()
    inlet = schema["$defs"]["InletSettings"]["properties"]
    for key in (schema["properties"]["data_dir"], inlet["url"], inlet["envelope"]):
        assert key["description"].endswith("Takes effect at the next start.")
    assert json.dumps(schema).count("Takes effect at the next start.") == len(LATER) + 1
    page = (ROOT / "docs" / "configuration.md").read_text()
    section = page.partition("These take effect at the next start")[2]
    for key in LATER:
        assert f"`{key.removeprefix('inlet.')}`" in section.partition("###")[0]
