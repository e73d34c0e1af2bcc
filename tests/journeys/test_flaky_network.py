"""Connections that break in the middle of requests and answers lose nothing."""

from collections.abc import Callable
from pathlib import Path

from support.accounts import accounted_for
from support.agent import Running, eventually, send_arguments
from support.emulator import Remote, RunningEmulator
from support.proxy import FlakyProxy
from support.records import lines, orders


def test_every_record_arrives_over_connections_that_break_anywhere(
    emulator: RunningEmulator, start: Callable[..., Running], data_dir: Path
) -> None:
    records = orders(3000)
    with FlakyProxy(emulator.port, seed=6, bytes_max=10_000) as proxy:
        url = emulator.inlet_url.replace(str(emulator.port), str(proxy.port))
        behind = Remote(proxy.port, url, emulator.flow_id)
        settings = {"inlet__compression": "none", "batch__max_records": 50}
        agent = start(*send_arguments(behind, data_dir, "-", **settings))
        agent.write(lines(records))
        eventually(lambda: proxy.cuts > 40 or emulator.stats()["records_accepted"] >= 3000)
        proxy.calm()
        done = agent.finished()

    assert done.code == 0, done.stderr
    assert not accounted_for(
        {"stdin": records}, emulator, data_dir, answers_were_lost=True
    ).dead_letters
    assert proxy.cuts > 10
