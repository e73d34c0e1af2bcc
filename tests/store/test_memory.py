import asyncio
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.record import Batch
from agent.store.memory import MemorySpool, SpoolStatistics


def batch(body: bytes = b"{}", count: int = 1, read_at: float = 1.0) -> Batch:
    return Batch(body, gzipped=False, count=count, plain_bytes=len(body), spans=(), read_at=read_at)


async def settle_down() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool()


async def leased(spool: MemorySpool) -> Batch:
    async with asyncio.timeout(1):
        found = await spool.lease()
    assert found is not None
    return found


async def test_batches_are_leased_in_the_order_they_were_appended(spool: MemorySpool) -> None:
    batches = [batch() for _ in range(3)]
    for each in batches:
        await spool.append(each)
    assert [await leased(spool) for _ in batches] == batches


async def test_a_lease_waits_for_a_batch(spool: MemorySpool) -> None:
    waiting = asyncio.create_task(spool.lease())
    await settle_down()
    assert not waiting.done()
    new = batch()
    await spool.append(new)
    assert await waiting is new


async def test_a_batch_wakes_one_who_waits_and_the_first_in_line(spool: MemorySpool) -> None:
    first, second = (asyncio.create_task(spool.lease()) for _ in range(2))
    await settle_down()
    await spool.append(batch())
    await settle_down()
    assert (first.done(), second.done()) == (True, False)
    await spool.append(batch())
    assert await second is not None


async def test_a_released_batch_comes_before_the_others(spool: MemorySpool) -> None:
    first, second = batch(), batch()
    await spool.append(first)
    await spool.append(second)
    assert await leased(spool) is first
    spool.release(first)
    assert await leased(spool) is first


async def test_a_released_batch_is_not_leased_before_its_wait_is_over(spool: MemorySpool) -> None:
    first, second = batch(), batch()
    await spool.append(first)
    await spool.append(second)
    spool.release(await leased(spool), wait=0.05)
    released = asyncio.get_running_loop().time()
    assert await leased(spool) is second
    assert await leased(spool) is first
    assert asyncio.get_running_loop().time() - released >= 0.05


async def test_in_a_hurry_no_wait_is_waited_for_and_order_is_kept(spool: MemorySpool) -> None:
    whole, parts = batch(), [batch() for _ in range(3)]
    await spool.append(whole)
    spool.settle(await leased(spool), parts, wait=1000)
    assert spool.statistics() == SpoolStatistics(3, 3, 6, 0, 1.0)
    spool.hurry()
    assert [await leased(spool) for _ in parts] == parts


async def test_the_parts_of_a_batch_take_its_place_in_order(spool: MemorySpool) -> None:
    whole, other, parts = batch(), batch(), [batch(), batch()]
    await spool.append(whole)
    await spool.append(other)
    spool.settle(await leased(spool), parts)
    assert [await leased(spool) for _ in range(3)] == [*parts, other]


async def test_a_lease_ends_with_none_only_when_it_is_closed_and_all_is_settled(
    spool: MemorySpool,
) -> None:
    await spool.append(batch())
    last = await leased(spool)
    waiting = [asyncio.create_task(spool.lease()) for _ in range(2)]
    await settle_down()
    spool.close()
    await settle_down()
    assert not any(task.done() for task in waiting)
    part = batch()
    spool.settle(last, [part])
    await settle_down()
    assert [task.done() for task in waiting] == [True, False]
    spool.settle(part)
    assert await waiting[1] is None
    assert await spool.lease() is None


async def test_closing_an_empty_spool_lets_everybody_go(spool: MemorySpool) -> None:
    waiting = [asyncio.create_task(spool.lease()) for _ in range(3)]
    await settle_down()
    spool.close()
    assert await asyncio.gather(*waiting) == [None, None, None]


async def test_nothing_is_appended_after_close(spool: MemorySpool) -> None:
    spool.close()
    with pytest.raises(AssertionError, match="after close"):
        await spool.append(batch())


async def test_a_batch_is_settled_once(spool: MemorySpool) -> None:
    await spool.append(batch())
    one = await leased(spool)
    spool.settle(one)
    with pytest.raises(KeyError):
        spool.settle(one)


async def test_one_who_is_stopped_after_being_woken_hands_the_turn_on(spool: MemorySpool) -> None:
    woken, other = (asyncio.create_task(spool.lease()) for _ in range(2))
    await settle_down()
    new = batch()
    await spool.append(new)
    woken.cancel()
    assert await other is new
    assert woken.cancelled()


async def test_one_who_is_stopped_in_the_moment_a_batch_comes_is_passed_over(
    spool: MemorySpool,
) -> None:
    stopped, other = (asyncio.create_task(spool.lease()) for _ in range(2))
    await settle_down()
    stopped.cancel()
    new = batch()
    await spool.append(new)
    assert await other is new
    await settle_down()
    assert stopped.cancelled()


async def test_one_who_stops_waiting_is_forgotten(spool: MemorySpool) -> None:
    stopped, other = (asyncio.create_task(spool.lease()) for _ in range(2))
    await settle_down()
    stopped.cancel()
    await settle_down()
    assert stopped.cancelled()
    await spool.append(batch())
    assert await other is not None


async def test_statistics_tell_what_is_held(spool: MemorySpool) -> None:
    assert spool.statistics() == SpoolStatistics(0, 0, 0, 0, None)
    await spool.append(batch(b"xxx", 2, read_at=7.0))
    await spool.append(batch(b"yyyy", 3, read_at=5.0))
    await leased(spool)
    assert spool.statistics() == SpoolStatistics(2, 5, 7, 1, 5.0)


class VirtualTime(asyncio.SelectorEventLoop):
    """An event loop whose clock only moves when it is told to."""

    now = 0.0

    def time(self) -> float:
        return self.now


class SpoolMachine(RuleBasedStateMachine):
    """A model that knows of every batch whether it is ready, delayed or leased."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTime()
        self.spool = MemorySpool()
        self.ready: set[int] = set()
        self.delayed: dict[int, float] = {}
        self.leased: dict[int, Batch] = {}
        self.batches: dict[int, Batch] = {}
        self.waiting: list[asyncio.Task[Batch | None]] = []
        self.closed = False

    def turn(self) -> None:
        """Let everything run that can, and note what was leased."""
        self.loop.run_until_complete(settle_down())
        for task in [task for task in self.waiting if task.done()]:
            self.waiting.remove(task)
            found = task.result()
            if found is None:
                assert self.closed
                assert not self.held()
            else:
                self.ready.remove(found.number)  # it was ready, and nobody else has it
                self.leased[found.number] = found

    def held(self) -> set[int]:
        return self.ready | self.delayed.keys() | self.leased.keys()

    def made(self, count: int) -> Batch:
        new = batch(b"x" * count, count, read_at=float(count))
        self.batches[new.number] = new
        return new

    def appended(self, count: int) -> None:
        new = self.made(count)
        self.ready.add(new.number)
        with pytest.raises(StopIteration):
            self.spool.append(new).send(None)  # in one go: nobody else runs in between

    def later(self, number: int, wait: float) -> None:
        if wait:
            self.delayed[number] = self.loop.now + wait
        else:
            self.ready.add(number)

    @precondition(lambda self: not self.closed)
    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        self.appended(count)
        self.turn()

    @rule()
    def lease(self) -> None:
        self.waiting.append(self.loop.create_task(self.spool.lease()))
        self.turn()

    @precondition(lambda self: self.waiting)
    @rule(choices=st.data(), batch_comes=st.booleans(), before=st.booleans())
    def stop_waiting(self, choices: st.DataObject, batch_comes: bool, before: bool) -> None:
        task = choices.draw(st.sampled_from(self.waiting))
        self.waiting.remove(task)
        comes = batch_comes and not self.closed
        if comes and before:
            self.appended(1)
        task.cancel()
        if comes and not before:
            self.appended(1)
        self.turn()
        assert task.cancelled()

    @precondition(lambda self: self.leased)
    @rule(choices=st.data(), parts=st.integers(0, 3), wait=st.sampled_from([0.0, 1.0, 5.0]))
    def settle(self, choices: st.DataObject, parts: int, wait: float) -> None:
        number = choices.draw(st.sampled_from(sorted(self.leased)))
        remainder = [self.made(1) for _ in range(parts)]
        for part in remainder:
            self.later(part.number, wait)
        self.now(self.spool.settle, self.leased.pop(number), remainder, wait)

    @precondition(lambda self: self.leased)
    @rule(choices=st.data(), wait=st.sampled_from([0.0, 1.0, 5.0]))
    def release(self, choices: st.DataObject, wait: float) -> None:
        number = choices.draw(st.sampled_from(sorted(self.leased)))
        self.later(number, wait)
        self.now(self.spool.release, self.leased.pop(number), wait)

    @rule(seconds=st.sampled_from([0.5, 1.0, 6.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.loop.now += seconds
        self.ripen({number for number, at in self.delayed.items() if at <= self.loop.now})
        self.turn()

    @rule()
    def hurry(self) -> None:
        self.ripen(set(self.delayed))
        self.now(self.spool.hurry)

    @rule()
    def close(self) -> None:
        self.closed = True
        self.now(self.spool.close)

    def ripen(self, numbers: set[int]) -> None:
        self.ready |= numbers
        for number in numbers:
            del self.delayed[number]

    def now(self, call: Callable[..., None], *arguments: object) -> None:
        async def step() -> None:
            call(*arguments)

        self.loop.run_until_complete(step())
        self.turn()

    @invariant()
    def what_is_held_is_told(self) -> None:
        held = [self.batches[number] for number in self.held()]
        assert self.spool.statistics() == SpoolStatistics(
            batches=len(held),
            records=sum(each.count for each in held),
            bytes=sum(len(each.body) for each in held),
            leased=len(self.leased),
            oldest_read_at=min((each.read_at for each in held), default=None),
        )

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        if self.waiting:
            assert not self.ready
            assert self.held() or not self.closed

    def teardown(self) -> None:
        for task in self.waiting:
            task.cancel()
        self.loop.run_until_complete(settle_down())
        self.loop.close()


TestSpoolAgainstItsModel = SpoolMachine.TestCase
TestSpoolAgainstItsModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
