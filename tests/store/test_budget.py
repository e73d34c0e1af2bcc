import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.budget import Budget


async def started(*work: Coroutine[Any, Any, None]) -> list["asyncio.Task[None]"]:
    """Tasks that have come as far as they can, one after the other."""
    tasks = []
    for each in work:
        tasks.append(asyncio.create_task(each))
        await settle_down()
    return tasks


async def settle_down() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_there_is_room_up_to_the_limit() -> None:
    budget = Budget(10)
    await budget.take(4)
    await budget.take(6)
    assert budget.held == 10
    assert budget.exhausted_since is None


async def test_who_finds_it_used_up_waits_until_room_is_given_back() -> None:
    budget = Budget(10)
    await budget.take(10)
    before = asyncio.get_running_loop().time()
    [waiting] = await started(budget.take(3))
    assert not waiting.done()
    assert budget.exhausted_since is not None
    assert before <= budget.exhausted_since <= asyncio.get_running_loop().time()
    budget.give(3)
    await waiting
    assert (budget.held, budget.exhausted_since) == (10, None)


async def test_first_come_is_first_served_even_if_a_later_one_would_fit() -> None:
    budget = Budget(10)
    await budget.take(9)
    large, small = await started(budget.take(5), budget.take(1))
    assert not small.done()
    budget.give(4)
    await settle_down()
    assert (large.done(), small.done()) == (True, False)
    budget.give(5)
    await small
    assert budget.held == 6


async def test_the_time_without_room_begins_anew_whenever_somebody_gets_some() -> None:
    budget = Budget(10)
    await budget.take(10)
    [first] = await started(budget.take(5))
    since = budget.exhausted_since
    assert since is not None
    [second] = await started(budget.take(5))
    assert budget.exhausted_since == since
    await asyncio.sleep(0.01)
    budget.give(5)
    await first
    assert (budget.exhausted_since or 0) > since
    budget.give(5)
    await second
    assert budget.exhausted_since is None


async def test_a_taker_larger_than_the_limit_has_it_to_itself() -> None:
    budget = Budget(10)
    await budget.take(1)
    [giant] = await started(budget.take(50))
    assert not giant.done()
    budget.give(1)
    await giant
    [next_one] = await started(budget.take(1))
    assert not next_one.done()
    budget.give(50)
    await next_one
    assert budget.held == 1


async def test_room_given_up_in_an_exchange_goes_to_who_waits() -> None:
    budget = Budget(10)
    await budget.take(10)
    [waiting] = await started(budget.take(6))
    budget.exchange(10, 4)
    await waiting
    assert budget.held == 10
    budget.exchange(4, 8)
    assert budget.held == 14, "an exchange never waits"


async def test_once_lifted_everybody_is_let_in() -> None:
    budget = Budget(10)
    await budget.take(10)
    tasks = await started(budget.take(5), budget.take(50))
    budget.lift()
    await asyncio.gather(*tasks)
    await budget.take(100)
    assert budget.held == 165


async def test_more_cannot_be_given_back_than_was_taken() -> None:
    budget = Budget(10)
    await budget.take(3)
    with pytest.raises(AssertionError, match="more was given back"):
        budget.give(4)


async def test_one_who_stops_waiting_lets_the_next_in() -> None:
    budget = Budget(10)
    await budget.take(8)
    large, small = await started(budget.take(5), budget.take(2))
    large.cancel()
    await settle_down()
    assert large.cancelled()
    assert small.done()
    assert budget.held == 10


async def test_one_who_is_stopped_after_being_served_gives_it_back() -> None:
    budget = Budget(10)
    await budget.take(10)
    served, following = await started(budget.take(10), budget.take(10))
    budget.give(10)
    served.cancel()  # it was served, and has not run since
    await settle_down()
    assert served.cancelled()
    assert following.done()
    assert budget.held == 10


async def test_one_who_is_stopped_is_passed_over_by_who_gives_room_in_the_same_moment() -> None:
    budget = Budget(10)
    await budget.take(10)
    stopped, following = await started(budget.take(5), budget.take(5))
    stopped.cancel()
    budget.give(10)
    await settle_down()
    assert stopped.cancelled()
    assert following.done()
    assert (budget.held, budget.exhausted_since) == (5, None)


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "give", "stop", "tick"]), st.integers(0, 15)), max_size=40
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_whatever_happens_nothing_leaks_and_the_limit_holds(steps: list[tuple[str, int]]) -> None:
    async def run() -> None:
        budget = Budget(10)
        takers: list[tuple[int, asyncio.Task[None]]] = []
        for step, number in steps:
            holding = [taker for taker in takers if taker[1].done()]
            waiting = [taker for taker in takers if not taker[1].done()]
            if step == "take":
                takers.append((number, asyncio.create_task(budget.take(number))))
                await asyncio.sleep(0)
            elif step == "give" and holding:
                taker = holding[number % len(holding)]
                takers.remove(taker)
                budget.give(taker[0])
            elif step == "stop" and waiting:
                taker = waiting[number % len(waiting)]
                takers.remove(taker)
                taker[1].cancel()
            elif step == "tick":
                await settle_down()
            assert budget.held <= 15
        await settle_down()
        holding = [size for size, task in takers if task.done()]
        waiting = [size for size, task in takers if not task.done()]
        assert budget.held == sum(holding)
        assert budget.held <= 10 or len([size for size in holding if size]) == 1
        assert (budget.exhausted_since is not None) == bool(waiting)
        if waiting:
            assert budget.held, "nobody waits while all of it is free"
            assert budget.held + waiting[0] > 10, "nobody waits while there is room"
        for _, task in takers:
            task.cancel()
        await asyncio.gather(*(task for _, task in takers), return_exceptions=True)
        assert budget.held == sum(holding)

    asyncio.run(run())
