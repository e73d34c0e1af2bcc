"""An inlet that is away, busy or broken delays records; it never loses, doubles or blames one."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.emulator.options import FLOW_ID, INLET_ID
from support.accounts import accounted_for
from support.agent import Finished, Running, send_arguments
from support.emulator import Remote, RunningEmulator, in_turn
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]

REFUSING = {
    "500": {"status": 500},
    "502 from a proxy": {"status": 502, "body": "html"},
    "503 without Retry-After": {"status": 503},
    "408": {"status": 408, "body": "empty"},
    "429 without Retry-After": {"status": 429},
    "a redirect": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}},
    "an unknown status": {"status": 599, "body": "?"},
}
SAYING_NOTHING = {
    "HTML with 200": {"status": 200, "body": "html"},
    "an error with 200": {"body_is": "error_in_200"},
    "an empty 200": {"status": 200, "body": "empty"},
    "an empty 207": {"status": 207, "body": {}},
    "a 204": {"status": 204},
}
BREAKING_OFF = {
    "a reset before the answer": {"reset": 0},
    "no answer": {"hang": 0.1},
}
LOSING = {
    "a reset after accepting": {"accept_then_reset": True},
    "a reset within the answer": {"reset": 120},
    "a truncated answer": {"truncate": 40},
    "an error after accepting": {"status": 500, "accept": True},
    "HTML after accepting": {"status": 200, "body": "html", "accept": True},
}


@pytest.mark.parametrize(
    "faults",
    [REFUSING, SAYING_NOTHING, BREAKING_OFF],
    ids=["refusing", "saying nothing", "breaking off"],
)
def test_what_was_not_taken_is_sent_again_and_nothing_else_is(
    faults: dict[str, Any], inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1500)
    emulator = inlet(in_turn(faults, requests=3))
    done = send(emulator, "-", stdin=lines(records), batch__max_records=50)

    assert done.code == 0, done.stderr
    assert not accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    assert all(fired == 3 for fired in emulator.stats()["faults"].values())


def test_where_an_answer_is_lost_only_the_records_of_that_request_may_double(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1500)
    emulator = inlet(in_turn(LOSING, requests=3))
    done = send(emulator, "-", stdin=lines(records), batch__max_records=50)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir, answers_were_lost=True)
    stats = emulator.stats()
    assert all(fired == 3 for fired in stats["faults"].values())
    assert 0 < stats["duplicates"] <= 50 * sum(stats["faults"].values())


def test_an_inlet_that_comes_up_later_gets_everything(
    inlet: Inlet, start: Callable[..., Running], data_dir: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    absent = Remote(port, f"http://127.0.0.1:{port}/collection/{INLET_ID}", FLOW_ID)
    records = orders(200)
    agent = start(*send_arguments(absent, data_dir, "-"))
    agent.write(lines(records))
    assert b"cannot connect" in agent.process.stderr.readline()
    emulator = inlet(listen=f"127.0.0.1:{port}")
    done = agent.finished()

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)


@pytest.mark.parametrize(
    ("status", "news"), [(500, "is down"), (429, "is throttled"), (401, "refuses our credentials")]
)
def test_the_log_tells_what_happened_before_what_follows_from_it(
    status: int, news: str, inlet: Inlet, send: Send
) -> None:
    emulator = inlet([{"when": {"requests": 12}, "status": status}])
    done = send(emulator, "-", stdin=lines(orders(200)), delivery__max_in_flight=1)

    told = [line["event"] for line in done.log]
    follows = next(index for index, event in enumerate(told) if news in event)
    assert "no usable answer" in told[follows - 1]
    assert "takes records again" in " ".join(told[follows:])
