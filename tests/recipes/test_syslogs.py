"""rsyslog and syslog-ng at the other end: over TCP, a Unix socket, HTTP, and through a pipe."""

from collections.abc import Callable, Sequence

import pytest

from recipes.stage import Stage, program
from support.agent import eventually
from support.records import lines, orders

Arrive = Callable[[Sequence[bytes]], None]

LONGEST = {"rsyslog": 20_000, "syslog-ng": 100_000}  # what a recipe lets through


def delicate(recipe: str) -> list[bytes]:
    """What one of them is known to change unless it is told not to."""
    longest = LONGEST[recipe.rpartition("-")[0]]
    return [
        b'{"tab":\t1}',
        '{"text":"Zürich 東京 🚲 \\u00e9 \\"quoted\\" $MESSAGE ${x} 100%"}'.encode(),
        b'{"long":"' + b"x" * longest + b'"}',
    ]


def shipper(stage: Stage, recipe: str) -> list[str]:
    """The command that runs the program of a recipe, which is named for it."""
    if recipe.startswith("rsyslog-"):
        where = ["-f", str(stage.place(recipe)), "-i", str(stage.root / "pid")]
        return [program("rsyslogd"), "-n", "-C", *where]
    files = {"-p": "pid", "-R": "persist", "-c": "control"}
    where = [word for flag, name in files.items() for word in (flag, str(stage.root / name))]
    return [program("syslog-ng"), "-F", "--no-caps", "-f", str(stage.place(recipe)), *where]


@pytest.mark.parametrize(
    ("recipe", "agent"),
    [
        ("rsyslog-tcp.conf", "tcp.yaml"),
        ("rsyslog-unix.conf", "unix-datagram.yaml"),
        ("syslog-ng-tcp.conf", "tcp.yaml"),
        ("syslog-ng-unix.conf", "unix.yaml"),
        ("syslog-ng-http.conf", "http.yaml"),
    ],
)
def test_every_line_that_a_syslog_reads_arrives(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None], recipe: str, agent: str
) -> None:
    records = [*orders(500), *delicate(recipe)]
    (stage.logs / "orders.json").write_bytes(lines(records))
    running = stage.listening(agent)
    stage.start(shipper(stage, recipe))
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()


@pytest.mark.parametrize("recipe", ["rsyslog-program.conf", "syslog-ng-program.conf"])
def test_what_a_syslog_pipes_into_the_agent_arrives_to_the_last_line(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None], recipe: str
) -> None:
    records = [*orders(500), *delicate(recipe)]
    (stage.logs / "orders.json").write_bytes(lines(records[:300]))
    stage.place("program.yaml")
    running = stage.start(shipper(stage, recipe))
    eventually(stage.emulator.records, within=30)
    with (stage.logs / "orders.json").open("ab") as log:
        log.write(lines(records[300:]))
    all_arrive(records)
    stage.stop(running)
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
    stage.start(shipper(stage, "syslog-ng-http.conf"))
    eventually(stage.emulator.records, within=30)
    running.kill()
    running.wait()
    with log.open("ab") as more:
        more.write(lines(records[1000:]))
    stage.listening("http.yaml")
    eventually(lambda: set(stage.emulator.records()) == set(records), within=60)
