import pytest

from agent.core.batching import Run
from agent.delivery import tap
from agent.delivery.tap import Tap, Watcher
from agent.record import Span


def run_of(*records: bytes, line: int = 1) -> Run:
    span = Span("app.log", line, 0, len(records), 1)
    return Run(span, list(records), sum(map(len, records)), 17.0)


def lines(count: int, line: int = 1) -> Run:
    return run_of(*(b'{"n":%d}' % number for number in range(count)), line=line)


async def test_a_few_are_picked_of_many_each_with_its_line_and_all_are_counted() -> None:
    flow, watcher = Tap(), Watcher(10)
    flow.join(watcher, "orders")
    flow.show("app.log", "app", [lines(500, line=1), lines(500, line=600)])
    seen = watcher.taken()
    assert watcher.passed == 1000
    assert len(seen) == 10
    for each in seen:
        number = each.line - 1 if each.line < 600 else each.line - 600
        assert each.record == b'{"n":%d}' % number
    assert [each.line for each in seen] == sorted(each.line for each in seen)
    assert {(each.flow, each.source, each.read_at) for each in seen} == {
        ("orders", "app.log", 17.0)
    }


async def test_few_are_all_shown() -> None:
    flow, watcher = Tap(), Watcher(10)
    flow.join(watcher, "")
    flow.show("app.log", "app", [lines(3), lines(4, line=4)])
    assert [each.line for each in watcher.taken()] == [1, 2, 3, 4, 5, 6, 7]
    flow.show("app.log", "app", [lines(100)])
    assert len(watcher.taken()) == 3


async def test_no_second_has_more_than_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(tap.time, "monotonic", lambda: now)
    flow, watcher = Tap(), Watcher(5)
    flow.join(watcher, "")
    shown = []
    for _ in range(40):
        now += 0.1
        flow.show("app.log", "app", [lines(50)])
        shown.append(len(watcher.taken()))
    assert sum(shown) == 5 + 19  # what may come at once, and four seconds but the first look
    assert max(sum(shown[at : at + 10]) for at in range(1, 30)) <= 5


async def test_one_source_can_be_chosen_by_its_name_or_its_files() -> None:
    flow = Tap()
    for name, expected in (("app.log", 2), ("app", 2), ("other", 0)):
        watcher = Watcher(10, name)
        flow.join(watcher, "")
        flow.show("app.log", "app", [lines(2)])
        assert (watcher.passed, len(watcher.taken())) == (expected, expected)


async def test_memory_is_bounded_and_what_has_no_room_is_counted() -> None:
    flow, watcher = Tap(), Watcher(1000)
    flow.join(watcher, "")
    flow.show("app.log", "app", [run_of(*[b"x" * 1_000_000] * 10)])
    assert len(watcher.taken()) == 4
    assert watcher.missed == 6
    flow.show("app.log", "app", [run_of(b"{}")])
    assert len(watcher.taken()) == 1


async def test_who_has_left_sees_nothing_and_who_joins_twice_sees_it_once() -> None:
    flow, watcher = Tap(), Watcher(10)
    flow.join(watcher, "")
    flow.join(watcher, "")
    flow.show("app.log", "app", [lines(1)])
    flow.leave(watcher)
    flow.show("app.log", "app", [lines(1)])
    assert len(watcher.taken()) == 1
    assert not flow.watchers


async def test_waiting_ends_with_news_or_with_the_time() -> None:
    watcher = Watcher(10)
    await watcher.wait(0.01)
    watcher.see("", "app.log", "app", [lines(1)])
    await watcher.wait(60)
    assert watcher.taken()
