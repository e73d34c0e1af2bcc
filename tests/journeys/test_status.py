"""What /status tells of a running agent, as the page and `top` read it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.agent import Running, eventually
from support.emulator import RunningEmulator
from support.listening import connected
from support.watching import admin_address, get

Start = Callable[..., Running]
SECRET_CITY = "Atlantis"


def status(address: str, query: str = "") -> dict[str, Any]:
    code, body = get(address, f"/status{query}")
    assert code == 200, body
    return dict(json.loads(body))


def test_status_tells_how_fast_why_records_wait_and_what_was_refused(
    emulator: RunningEmulator, configured: Callable[..., Path], start: Start
) -> None:
    agent = start("run", configured(emulator, admin={"listen": "127.0.0.1:0"}))
    address = admin_address(agent)
    record = b'{"city":"%b"}\n' % SECRET_CITY.encode()
    for _ in range(3):  # a sample a second
        agent.write(record * 200 + SECRET_CITY.encode() + b"\n")
        time.sleep(1)
    eventually(lambda: status(address)["accepted"] == 600)
    eventually(lambda: status(address)["rates"]["60s"]["accepted"] > 10)
    found = status(address, "?history=300")

    assert found["waits"] == []
    assert found["inlet"]["state"] == "ready"
    assert found["rates"]["10s"]["dead_lettered"] > 0
    assert 0 < found["receive_lag_seconds"]["60s"]["p50"] < 5
    assert found["sources"]["stdin"]["records"] == 603
    assert found["sources"]["stdin"]["rates"]["10s"]["records"] > 0
    (letters,) = found["last_dead_letters"]
    assert (letters["reason"], letters["count"], letters["bytes"]) == ("invalid_json", 3, 8)
    assert found["last_receipts"][0]["records"] > 0
    assert found["last_receipts"][0]["first_xaction_id"]
    assert found["store"]["bytes_on_disk"] > 0
    assert found["store"]["disk_free_bytes"] > 0
    history = found["history"]
    lengths = {len(column) for column in history.values()}
    assert len(lengths) == 1
    assert 1 <= lengths.pop() <= 300
    assert max(history["accepted"]) > 0
    assert SECRET_CITY not in json.dumps(found)

    emulator.set_faults({"status": 429, "retry_after": 60})
    agent.write(record)
    eventually(lambda: status(address)["inlet"]["state"] == "throttled")
    throttled = status(address)
    (wait,) = throttled["waits"]
    assert wait["cause"] == "throttled"
    assert "fewer requests" in wait["says"]
    assert "records_per_second" in wait["next_step"]
    assert 0 < throttled["inlet"]["asked_again_in_seconds"] <= 60
    assert throttled["held"] == 1
    assert "history" not in throttled


def test_flows_are_told_of_one_by_one(
    inlet: Callable[..., RunningEmulator], configured: Callable[..., Path], start: Start
) -> None:
    well, unwell = inlet(), inlet(faults=[{"status": 503}])
    flows = {
        name: {"inlet": {"url": each.inlet_url, "flow_id": each.flow_id}}
        for name, each in (("well", well), ("unwell", unwell))
    }
    sources = [
        {"type": "tcp", "listen": "127.0.0.1:0", "name": f"to {name}", "flow": name}
        for name in flows
    ]
    config = configured(well, flows=flows, sources=sources, admin={"listen": "127.0.0.1:0"})
    whole = json.loads(config.read_text())
    del whole["inlet"]
    config.write_text(json.dumps(whole))
    address = admin_address(start("run", config))
    eventually(lambda: status(address)["stage"] == "running")
    assert status(address)["waits"] == []
    listening = status(address)["sources"]["to unwell"]["listen"][0]
    with connected(listening) as client:
        client.sendall(b'{"n":1}\n')
        eventually(lambda: status(address)["waits"])
    (wait,) = status(address)["waits"]
    assert wait["flow"] == "unwell"
    found = status(address, "?history=10&flow=unwell")

    assert "history" in found["flows"]["unwell"]
    assert "history" not in found["flows"]["well"]
    assert found["flows"]["well"]["waits"] == []
    assert set(found["flows"]) == {"well", "unwell"}
    assert {name: each["flow"] for name, each in found["sources"].items()} == {
        "to well": "well",
        "to unwell": "unwell",
    }
    for name, flow in found["flows"].items():
        assert flow["inlet"]["flow"] == name
        assert set(flow) >= {"waits", "rates", "buffer", "last_dead_letters"}
        assert list(flow["sources"]) == [f"to {name}"]
