"""Several flows in one agent: none waits for another, and no record goes astray."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.accounts import kept_in
from support.agent import Finished, Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders
from support.watching import admin_address, get

Inlet = Callable[..., RunningEmulator]
Start = Callable[..., Running]
Configured = Callable[..., Path]

SLACK = 5.0  # seconds: a busy machine, not another flow's pause, which is a minute long
PAUSE = {"retry": {"initial": "10ms", "max": "1m"}}
REFUSED = {"reject": {"status": 400, "message": "no such schema"}}


@pytest.fixture
def configured(tmp_path: Path, data_dir: Path) -> Configured:
    """Writes a configuration: emulators by the names of their flows, sources as they are."""

    def write(
        emulators: dict[str, RunningEmulator],
        sources: list[dict[str, Any]],
        flows: dict[str, dict[str, Any]] | None = None,
        **settings: Any,
    ) -> Path:
        whole = {
            "data_dir": str(data_dir),
            "flows": {
                name: {
                    "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
                    **(flows or {}).get(name, {}),
                }
                for name, emulator in emulators.items()
            },
            "sources": sources,
            "batch": {"max_wait": "20ms", "max_bytes": "20KB"},
            "delivery": {"retry": {"initial": "10ms", "max": "100ms"}},
            "admin": {"listen": None},
            "log": {"format": "json"},
            "shutdown": {"grace": "1s"},
            **settings,
        }
        path = tmp_path / "agent.json"
        path.write_text(json.dumps(whole))
        return path

    return write


def _file(path: Path, records: list[bytes], flow: str) -> dict[str, Any]:
    path.write_bytes(lines(records))
    return {"type": "file", "paths": [str(path)], "follow": False, "flow": flow}


def _stdin(flow: str) -> dict[str, Any]:
    return {"type": "stdin", "flow": flow}


def _spooled(data_dir: Path) -> dict[str, int]:
    """Records in the spool, by the address of their inlet."""
    query = """SELECT name, SUM(count) FROM destinations JOIN spool
        ON destination_id = destinations.id GROUP BY name"""
    if not (data_dir / "store.db").exists():
        return {}
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        try:
            return {name.split()[0]: records for name, records in connection.execute(query)}
        except sqlite3.OperationalError:  # not made yet
            return {}


def _stopped(agent: Running) -> Finished:
    agent.signal(signal.SIGTERM)
    return agent.finished()


# One is blocked.


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"status": 500}, "down"),
        ({"status": 401}, "auth_blocked"),
        ({"status": 429, "retry_after": 60}, "throttled"),
        ({"hang": True}, "draining"),
        (REFUSED, "schema_changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_while_one_flow_is_blocked_another_delivers_as_quickly_as_ever(
    fault: dict[str, Any],
    state: str,
    inlet: Inlet,
    configured: Configured,
    start: Start,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    blocked, fine = inlet(faults=[fault]), inlet()
    theirs = orders(2000, first=100_000)
    sources = [_file(tmp_path / "blocked.ndjson", theirs, "blocked"), _stdin("fine")]
    flows = {"blocked": {"delivery": PAUSE}}
    agent = start("run", configured({"blocked": blocked, "fine": fine}, sources, flows))
    eventually(lambda: blocked.stats()["requests"] > 0)
    mine = orders(40)
    for count, record in enumerate(mine, 1):
        agent.write(lines([record]))
        begun = time.monotonic()
        eventually(lambda count=count: len(fine.records()) == count)
        assert time.monotonic() - begun < SLACK
    done = _stopped(agent)

    assert fine.records() == mine
    told = {each["flow"]: each for each in done.logged("flow ended")}
    assert (told["fine"]["read"], told["fine"]["accepted"]) == (40, 40)
    assert told["fine"]["destination"] in ("ready", "draining")
    assert (told["blocked"]["accepted"], told["blocked"]["destination"]) == (0, state)
    said = {each.get("flow") for each in done.log if each["logger"] == "delivery"}
    assert said == ({"blocked"} if state != "draining" else set())
    last = done.log[-1]
    assert last["event"] == "stopped"
    assert last["accepted"] == 40
    assert last["read"] == told["blocked"]["read"] + 40
    kept_in(data_dir)  # the books balance

    blocked.set_faults()
    again = configured({"blocked": blocked, "fine": fine}, sources[:1])
    assert aep_agent("run", again).code in (0, 3)
    kept = kept_in(data_dir)
    refused = {each.record for each in kept.dead_letters}
    assert set(blocked.records()) | refused == set(theirs)
    assert not set(blocked.records()) & refused
    assert fine.records() == mine


def test_a_full_buffer_stops_the_sources_of_its_own_flow_and_no_others(
    inlet: Inlet, configured: Configured, start: Start, tmp_path: Path
) -> None:
    blocked, fine = inlet(faults=[{"status": 500}]), inlet()
    theirs = orders(100_000, first=100_000)
    sources = [_file(tmp_path / "blocked.ndjson", theirs, "blocked"), _stdin("fine")]
    flows = {
        "blocked": {"delivery": PAUSE, "buffer": {"max_bytes": "300KB", "memory_bytes": "100KB"}}
    }
    admin = {"listen": "127.0.0.1:0"}
    agent = start(
        "run", configured({"blocked": blocked, "fine": fine}, sources, flows, admin=admin)
    )
    address = admin_address(agent)

    def status() -> Any:
        return json.loads(get(address, "/status")[1])

    def read() -> dict[str, int]:
        return {name: flow["read"] for name, flow in status()["flows"].items()}

    def is_full() -> bool:
        before = read()["blocked"]
        time.sleep(0.5)
        return before == read()["blocked"] > 2000

    eventually(is_full)
    stuck_at, mine = read()["blocked"], orders(3000)
    for at in range(0, 3000, 300):
        agent.write(lines(mine[at : at + 300]))
        eventually(lambda at=at: len(fine.records()) == at + 300, SLACK)
    assert read() == {"blocked": stuck_at, "fine": 3000}
    assert stuck_at < 90_000

    eventually(lambda: status()["flows"]["fine"]["held"] == 0)
    whole = status()
    assert whole["read"] == stuck_at + 3000
    assert whole["destination"] == whole["flows"]["blocked"]["destination"] == "down"
    assert whole["flows"]["fine"]["destination"] == "ready"
    assert whole["flows"]["blocked"]["held"] == stuck_at
    assert get(address, "/readyz")[0] == get(address, "/livez")[0] == 200
    metrics = get(address, "/metrics")[1].decode().splitlines()
    assert 'aep_agent_pipeline_accepted_records_total{flow="fine"} 3000.0' in metrics
    assert 'aep_agent_pipeline_accepted_records_total{flow="blocked"} 0.0' in metrics
    assert 'aep_agent_pipeline_read_records_total{flow="fine",source="stdin"} 3000.0' in metrics
    assert 'aep_agent_destination_state{flow="blocked",state="down"} 1.0' in metrics
    assert 'aep_agent_destination_state{flow="fine",state="ready"} 1.0' in metrics
    parts = ("ledger", "store", "loop", "build", "reload", "last_reload")
    of_process = tuple(f"aep_agent_{part}" for part in parts)
    for line in metrics:
        is_of_flow = line.startswith("aep_agent_") and not line.startswith(of_process)
        assert ("flow=" in line) is (is_of_flow and "start_time" not in line), line
    agent.signal(signal.SIGKILL)


# Ends and beginnings.


def test_after_kill_9_each_record_that_was_spooled_goes_to_its_own_inlet(
    inlet: Inlet, configured: Configured, start: Start, data_dir: Path, tmp_path: Path
) -> None:
    first, second = inlet(faults=[{"status": 503}]), inlet(faults=[{"status": 503}])
    ours, theirs = orders(2000), orders(2000, first=100_000)
    sources = [_stdin("first"), _file(tmp_path / "second.ndjson", theirs, "second")]
    config = configured({"first": first, "second": second}, sources)
    agent = start("run", config)
    agent.write(lines(ours))
    both = {first.inlet_url: 2000, second.inlet_url: 2000}
    eventually(lambda: _spooled(data_dir) == both)
    agent.signal(signal.SIGKILL)
    agent.process.wait(10)
    first.set_faults()
    second.set_faults()
    done = aep_agent("run", config)

    assert done.code == 0
    found = {each["flow"]: each["records"] for each in done.logged("records wait in the spool")}
    assert found == {"first": 2000, "second": 2000}
    assert sorted(first.records()) == sorted(ours)
    assert sorted(second.records()) == sorted(theirs)
    kept = kept_in(data_dir)
    assert len(kept.receipts) == 4000
    assert _spooled(data_dir) == {}


def test_batches_of_a_flow_that_was_taken_out_are_kept_and_told_of(
    inlet: Inlet, configured: Configured, start: Start, data_dir: Path
) -> None:
    stays, goes = inlet(), inlet(faults=[{"status": 503}])
    agent = start("run", configured({"stays": stays, "goes": goes}, [_stdin("goes")]))
    agent.write(lines(orders(100)))
    eventually(lambda: _spooled(data_dir) == {goes.inlet_url: 100})
    assert _stopped(agent).code == 0
    goes.set_faults()
    done = aep_agent("run", configured({"stays": stays}, [_stdin("stays")]))

    (told,) = done.logged("read for another destination")
    assert (told["records"], told["destination"].split()[0]) == (100, goes.inlet_url)
    assert (goes.records(), stays.records()) == ([], [])
    assert aep_agent("run", configured({"stays": stays, "goes": goes}, [_stdin("goes")])).code == 0
    assert sorted(goes.records()) == sorted(orders(100))
    assert stays.records() == []


def test_the_last_batches_of_all_flows_get_the_same_grace(
    inlet: Inlet, configured: Configured, start: Start, data_dir: Path, tmp_path: Path
) -> None:
    slow = [{"delay": 0.3}]
    emulators = {"a": inlet(faults=[{"hang": True}]), "b": inlet(faults=slow)}
    settings = {"batch": {"max_wait": "1h"}, "admin": {"listen": "127.0.0.1:0"}}
    sources = [_stdin("b"), _file(tmp_path / "a.ndjson", orders(10, first=100), "a")]
    shutdown = {"grace": "3s"}
    agent = start("run", configured(emulators, sources, **settings, shutdown=shutdown))
    agent.write(lines(orders(10)))
    address = admin_address(agent)
    eventually(lambda: json.loads(get(address, "/status")[1])["read"] == 20)
    begun = time.monotonic()
    done = _stopped(agent)

    assert done.code == 0
    assert time.monotonic() - begun < 3 + SLACK
    assert emulators["b"].records() == orders(10)
    assert (done.log[-1]["accepted"], done.log[-1]["held_on_disk"]) == (10, 10)
    assert _spooled(data_dir) == {emulators["a"].inlet_url: 10}


# Dead letters.


def test_dead_letters_are_replayed_to_the_flow_they_are_of(
    inlet: Inlet, configured: Configured, data_dir: Path, tmp_path: Path
) -> None:
    first, second = inlet(faults=[REFUSED]), inlet(faults=[REFUSED])
    ours, theirs = orders(20), orders(30, first=1000)
    sources = [
        _file(tmp_path / "first.ndjson", ours, "first"),
        _file(tmp_path / "second.ndjson", theirs, "second"),
    ]
    config = configured({"first": first, "second": second}, sources)
    assert aep_agent("run", config).code == 3
    listed = aep_agent("dead-letters", "list", "--each", "--json", "--data-dir", data_dir)
    flows = [json.loads(line)["flow"] for line in listed.stdout.splitlines()]
    assert (flows.count("first"), flows.count("second")) == (20, 30)
    first.set_faults()
    second.set_faults()
    replay = ("dead-letters", "replay", "--config", config)

    dry = aep_agent(*replay, "--all", "--dry-run", "--data-dir", data_dir).stdout.decode()
    assert "flow first: 20 dead letters would be sent again" in dry
    done = aep_agent(*replay, "--flow", "second", "--json", "--set", "log.level=error")
    assert (done.code, done.summary["flow"], done.summary["accepted"]) == (0, "second", 30)
    assert (first.records(), sorted(second.records())) == ([], sorted(theirs))
    done = aep_agent(*replay, "--all", "--json", "--set", "log.level=error")
    accepted = [json.loads(line)["accepted"] for line in done.stdout.splitlines()]
    assert (done.code, accepted) == (0, [20, 0])
    assert (sorted(first.records()), sorted(second.records())) == (sorted(ours), sorted(theirs))
    assert kept_in(data_dir).dead_letters == []


def test_dead_letters_of_no_flow_stay_until_it_is_said_where_they_go(
    inlet: Inlet, configured: Configured, data_dir: Path, tmp_path: Path
) -> None:
    first, second = inlet(faults=[REFUSED]), inlet()
    sources = [_file(tmp_path / "a.ndjson", orders(5), "gone")]
    assert aep_agent("run", configured({"gone": first, "second": second}, sources)).code == 3
    config = configured({"first": first, "second": second}, [_stdin("second")])
    first.set_faults()
    replay = ("dead-letters", "replay", "--config", config, "--set", "log.level=error")

    left = aep_agent(*replay, "--all")
    assert b"5 are of no flow of this configuration" in left.stderr
    assert (left.code, first.records(), second.records()) == (0, [], [])
    unknown = aep_agent(*replay, "--flow", "gone")
    assert unknown.code == 78
    assert b"--to says where its dead letters go" in unknown.stderr
    target = ("--inlet-url", second.inlet_url, "--flow-id", second.flow_id)
    bare = aep_agent("dead-letters", "replay", "--all", *target, "--data-dir", data_dir)
    assert b"5 are of flows with names, and left out" in bare.stderr
    assert second.records() == []
    assert aep_agent(*replay, "--flow", "gone", "--to", "second").code == 0
    assert (first.records(), second.records()) == ([], orders(5))


# One of several.


def test_send_takes_one_of_several_flows_and_asks_which(
    inlet: Inlet, configured: Configured, tmp_path: Path
) -> None:
    first, second = inlet(), inlet()
    config = configured({"first": first, "second": second}, [_stdin("first")])
    unclear = aep_agent("send", "--config", config, "-", stdin=lines(orders(3)))
    assert unclear.code == 78
    assert b"choose one: --flow first, second" in unclear.stderr
    sent = aep_agent("send", "--config", config, "--flow", "second", "-", stdin=lines(orders(3)))
    assert sent.code == 0
    assert (first.records(), second.records()) == ([], orders(3))


def test_what_is_spooled_can_be_given_to_one_of_several_flows(
    inlet: Inlet, configured: Configured, start: Start, data_dir: Path
) -> None:
    old, first, second = inlet(faults=[{"status": 503}]), inlet(), inlet()
    agent = start("run", configured({"old": old}, [_stdin("old")]))
    agent.write(lines(orders(100)))
    eventually(lambda: _spooled(data_dir) == {old.inlet_url: 100})
    assert _stopped(agent).code == 0
    config = configured({"first": first, "second": second}, [_stdin("first")])

    unclear = aep_agent("spool", "release", "--adopt", "--config", config)
    assert unclear.code == 2
    assert b"say which flow adopts, --flow first, second" in unclear.stderr
    adopted = aep_agent("spool", "release", "--adopt", "--config", config, "--flow", "second")
    assert adopted.code == 0, adopted.stderr
    assert aep_agent("run", config).code == 0
    assert (first.records(), sorted(second.records())) == ([], sorted(orders(100)))


def test_check_shows_each_flow_and_what_all_have_in_common_once(
    inlet: Inlet, configured: Configured
) -> None:
    flows = {"second": {"batch": {"max_wait": "7s"}}}
    emulators = {"first": inlet(), "second": inlet()}
    config = configured(emulators, [_stdin("first")], flows)
    shown = aep_agent("check", config).stdout.decode()
    assert "  flow first\n    inlet" in shown
    assert "7s at the latest" in shown
    assert shown.count("another flow is blocked") == 1
    assert shown.count("flows.second has no sources") == 1
    faults = json.loads(aep_agent("check", config, "--json").stdout)["faults"]
    assert {each["flow"] for each in faults} == {"first", "second"}
