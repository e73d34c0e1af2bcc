"""syslog-ng at the other end: over TCP, a Unix socket, HTTP, and through a pipe."""

from collections.abc import Callable, Sequence

import pytest

from recipes.stage import Stage, program
from support.agent import eventually
from support.records import lines, orders

Arrive = Callable[[Sequence[bytes]], None]

DELICATE = [
    b'{"tab":\t1}',
    '{"text":"Zürich 東京 🚲 \\u00e9 \\"quoted\\" $MESSAGE ${x} 100%"}'.encode(),
    b'{"long":"' + b"x" * 100_000 + b'"}',
]


def syslog_ng(stage: Stage, recipe: str) -> list[str]:
    files = {"-p": "pid", "-R": "persist", "-c": "control"}
    where = [word for flag, name in files.items() for word in (flag, str(stage.root / name))]
    return [program("syslog-ng"), "-F", "--no-caps", "-f", str(stage.place(recipe)), *where]


@pytest.mark.parametrize(
    ("shipper", "agent"),
    [
        ("syslog-ng-tcp.conf", "tcp.yaml"),
        ("syslog-ng-unix.conf", "unix.yaml"),
        ("syslog-ng-http.conf", "http.yaml"),
    ],
)
def test_every_line_that_syslog_ng_reads_arrives(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None], shipper: str, agent: str
) -> None:
    records = [*orders(500), *DELICATE]
    (stage.logs / "orders.json").write_bytes(lines(records))
    running = stage.listening(agent)
    stage.start(syslog_ng(stage, shipper))
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()


def test_what_syslog_ng_pipes_into_the_agent_arrives_to_the_last_line(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None]
) -> None:
    records = [*orders(500), *DELICATE]
    (stage.logs / "orders.json").write_bytes(lines(records[:300]))
    stage.place("program.yaml")
    shipper = stage.start(syslog_ng(stage, "syslog-ng-program.conf"))
    eventually(stage.emulator.records, within=30)
    with (stage.logs / "orders.json").open("ab") as log:
        log.write(lines(records[300:]))
    all_arrive(records)
    stage.stop(shipper)
    eventually(stage.has_drained)
    books_balance()


def test_an_agent_that_is_away_for_a_while_costs_syslog_ng_no_record_over_http(
    stage: Stage, all_arrive: Arrive
) -> None:
    """No record is lost; one whose answer was lost may come twice."""
    records = orders(2000)
    log = stage.logs / "orders.json"
    log.write_bytes(lines(records[:1000]))
    running = stage.listening("http.yaml")
    stage.start(syslog_ng(stage, "syslog-ng-http.conf"))
    eventually(stage.emulator.records, within=30)
    running.kill()
    running.wait()
    with log.open("ab") as more:
        more.write(lines(records[1000:]))
    stage.listening("http.yaml")
    eventually(lambda: set(stage.emulator.records()) == set(records), within=60)
