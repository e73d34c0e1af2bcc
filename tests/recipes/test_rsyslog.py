"""rsyslog at the other end: over TCP, through a pipe, over a Unix socket."""

from collections.abc import Callable, Sequence

import pytest

from recipes.stage import Stage, program
from support.agent import eventually
from support.records import lines, orders

Arrive = Callable[[Sequence[bytes]], None]

# what rsyslog is known to change unless it is told not to
DELICATE = [
    b'{"tab":\t1}',
    '{"text":"Zürich 東京 🚲 \\u00e9 \\"quoted\\" 100%"}'.encode(),
    b'{"long":"' + b"x" * 20_000 + b'"}',
]


def rsyslog(stage: Stage, recipe: str) -> list[str]:
    return [
        program("rsyslogd"),
        "-n",
        "-C",
        "-f",
        str(stage.place(recipe)),
        "-i",
        str(stage.root / "pid"),
    ]


@pytest.mark.parametrize(
    ("shipper", "agent"),
    [("rsyslog-tcp.conf", "tcp.yaml"), ("rsyslog-unix.conf", "unix-datagram.yaml")],
)
def test_every_line_that_rsyslog_reads_arrives(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None], shipper: str, agent: str
) -> None:
    records = [*orders(500), *DELICATE]
    (stage.logs / "orders.json").write_bytes(lines(records))
    running = stage.listening(agent)
    stage.start(rsyslog(stage, shipper))
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()


def test_what_rsyslog_pipes_into_the_agent_arrives_to_the_last_line(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None]
) -> None:
    records = [*orders(500), *DELICATE]
    (stage.logs / "orders.json").write_bytes(lines(records[:300]))
    stage.place("program.yaml")
    shipper = stage.start(rsyslog(stage, "rsyslog-program.conf"))
    eventually(stage.emulator.records, within=30)
    with (stage.logs / "orders.json").open("ab") as log:
        log.write(lines(records[300:]))
    all_arrive(records)
    stage.stop(shipper)
    eventually(stage.has_drained)
    books_balance()
