import asyncio
import inspect

import pytest

from agent.errors import InputError
from agent.supervisor import EndedEarly, Supervisor


async def nothing() -> None:
    await asyncio.sleep(0)


async def for_ever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    await asyncio.sleep(0)
    raise InputError("no such file")


async def test_finite_work_is_waited_for_and_endless_work_is_stopped() -> None:
    async with Supervisor() as supervisor:
        finite = supervisor.start("finite", nothing())
        endless = supervisor.start_endless("endless", for_ever())
        await asyncio.sleep(0)
    assert finite.done()
    assert not finite.cancelled()
    assert endless.cancelled()
    assert (finite.get_name(), endless.get_name()) == ("finite", "endless")


async def test_endless_work_that_never_began_is_stopped_without_a_warning() -> None:
    async with Supervisor() as supervisor:
        work = for_ever()
        endless = supervisor.start_endless("endless", work)
    assert endless.cancelled()
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED


async def test_a_task_that_raises_brings_the_group_down_with_its_own_error() -> None:
    started: list[asyncio.Task[None]] = []

    async def owner() -> None:
        async with Supervisor() as supervisor:
            started.append(supervisor.start("other", for_ever()))
            supervisor.start("broken", broken())

    with pytest.raises(InputError, match="no such file"):
        await owner()
    assert started[0].cancelled()


async def test_endless_work_that_ends_by_itself_is_an_error_that_names_it() -> None:
    async def owner() -> None:
        async with Supervisor() as supervisor:
            supervisor.start_endless("sender 3", nothing())
            await for_ever()

    with pytest.raises(EndedEarly, match="sender 3 ended by itself"):
        await owner()


async def test_an_error_inside_a_group_within_a_group_comes_out_as_itself() -> None:
    async def inner() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(broken())

    async def owner() -> None:
        async with Supervisor() as supervisor:
            supervisor.start("inner", inner())

    with pytest.raises(InputError, match="no such file"):
        await owner()


async def test_an_error_of_the_owner_itself_stops_everything() -> None:
    started: list[asyncio.Task[None]] = []

    async def owner() -> None:
        async with Supervisor() as supervisor:
            started.append(supervisor.start("other", for_ever()))
            raise InputError("mine")

    with pytest.raises(InputError, match="mine"):
        await owner()
    assert started[0].cancelled()
