"""XDM inlets and single mode get their records whole, too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.accounts import kept_in
from support.agent import Finished
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]

SCHEMA = "https://ns.adobe.com/acme/schemas/0123456789abcdef"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    envelope = {"type": "xdm", "schema_id": SCHEMA, "dataset_id": "5f3c9e27a1b2c3d4e5f60718"}
    envelope |= {"ims_org_id": "0A1B2C3D4E5F60718293A4B5@AdobeOrg", "source_name": "süd"}
    path = tmp_path / "xdm.yaml"
    path.write_text(json.dumps({"inlet": {"envelope": envelope}}))
    return path


@pytest.mark.parametrize("mode", ["batch", "single"])
def test_records_travel_whole_inside_the_xdm_envelope(
    mode: str, inlet: Inlet, send: Send, config: Path, data_dir: Path
) -> None:
    records = [*orders(60), b'{ "spaces" : [ ] }', b'{"a":"}}},{"}']
    emulator = inlet([{"when": {"matching": '"order": 7,'}, "reject": "not an order"}], xdm=True)
    done = send(emulator, "--config", config, "-", stdin=lines(records), inlet__mode=mode)

    assert done.code == 3, done.stderr
    kept = kept_in(data_dir)
    assert [letter.record for letter in kept.dead_letters] == [records[6]]
    by_id = emulator.records_by_id()
    assert len(kept.receipts) == len(by_id) == 61
    for receipt in kept.receipts:
        message = by_id[receipt.xaction_id or ""]
        assert message.endswith(b'"xdmEntity":' + records[receipt.line - 1] + b"}}")
        header = json.loads(message)["header"]
        assert header["flowId"] == emulator.flow_id
        assert header["source"] == {"name": "süd"}
    assert emulator.stats()["requests_by_path"].keys() == {mode}


@pytest.mark.parametrize("fault", [{"status": 503}, {"accept_then_reset": True}], ids=str)
def test_single_mode_sends_one_record_a_request_and_loses_none(
    fault: dict[str, Any], inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(80)
    refusal = {"when": {"matching": '"order": [0-9]*5,'}, "reject": {"status": 400, "message": "5"}}
    emulator = inlet([refusal, {**fault, "when": {"every": 10}}])
    done = send(emulator, "-", stdin=lines(records), inlet__mode="single")

    assert done.code == 3, done.stderr
    kept = kept_in(data_dir)
    assert sorted(letter.record for letter in kept.dead_letters) == sorted(records[4::10])
    by_id = emulator.records_by_id()
    told = {receipt.line: by_id[receipt.xaction_id or ""] for receipt in kept.receipts}
    assert told == {n: record for n, record in enumerate(records, 1) if n % 10 != 5}
    assert (emulator.stats()["duplicates"] > 0) == ("accept_then_reset" in fault)
