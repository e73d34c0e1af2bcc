"""What do `run`, `send` and `demo` share? The way from flags to a running agent and exit code."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent.app import memory
from agent.app.lifecycle import Agent, Beside, View
from agent.app.summary import Snapshot
from agent.cli.exits import DONE, FAILED, SOME_DEAD_LETTERED
from agent.config.model import Config
from agent.errors import Stopped
from agent.telemetry import logs

if TYPE_CHECKING:
    from agent.app.replay import Replay

_SWITCH_SECONDS = 0.001
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")


def configured(
    args: argparse.Namespace, chosen: dict[str, object], flow: str | None = None
) -> Config:
    """The configuration of this run; logging follows it, and its warnings are said.

    *flow* is the name of the only flow that is wanted, empty where there should be one; see `load`.
    """
    from agent.config.loading import load

    path = Path(args.config) if args.config else None
    return followed(load(path, overrides=chosen, flow=flow))


def followed(config: Config) -> Config:
    """The configuration, once logging follows it and its warnings are said."""
    logs.configure(**dict(config.log))
    for warning in config.warnings:
        logs.get_logger("config").warning(warning)
    return config


def deliver(
    config: Config,
    view: View | None = None,
    replay: "Replay | None" = None,
    *,
    patient: bool = True,
    reread: Callable[[], Config] | None = None,
) -> Snapshot:
    """Run the pipeline to its end, or until a signal; what became of everything.

    With *reread*, SIGHUP has it go on with what that reads. Raises Stopped where the signal came
    before there was a pipeline. Unless *patient*, it also ends when most records are refused for a
    while.
    """

    async def deliver_until_signalled() -> Snapshot:
        again = asyncio.Event()
        located, beside = await _located(config, again.set if reread else None)
        rereading = (config, reread) if reread else None
        agent = Agent(located, replay, patient=patient, beside=beside, rereading=rereading)
        _on_signals(agent.on_signal)
        if again.is_set():
            agent.reload()
        return await agent.run(view)

    return run_loop(deliver_until_signalled())


def _on_signals(act: Callable[[signal.Signals], object]) -> None:
    """Have the running loop do this when we are to stop."""
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup has SIGHUP ignored
            loop.add_signal_handler(number, act, number)


async def _located(
    config: Config, on_hangup: Callable[[], None] | None
) -> tuple[Config, Beside | None]:
    """The configuration with every inlet in it, and what is to go on beside the work, if anything.

    SIGHUP calls *on_hangup* meanwhile, where there is that; other signals end it.

    Who writes the inlets down pays nothing for looking them up.
    """
    if not any(flow.inlet.is_looked_up for flow in config.each_flow().values()):
        return config, None
    from agent.app.discovery import Discovery

    discovery = Discovery(config)
    looking = asyncio.current_task()
    assert looking

    def signalled(number: signal.Signals) -> None:
        if number == signal.SIGHUP and on_hangup:
            on_hangup()
        else:
            looking.cancel(number.name)

    _on_signals(signalled)
    try:
        return await discovery.located(), discovery.look_again
    except asyncio.CancelledError as error:
        reason = f"stopped by {error} while the inlet was looked up; nothing was read"
        raise Stopped(reason) from error


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where there is one, which costs less CPU per request."""
    if memory.is_scarce():
        memory.give_back_freed_memory()
    else:
        _keep_freed_memory()
    # what was imported stays until the end: no later collection needs to look at it
    gc.freeze()
    gc.enable()
    # the store's thread gives the interpreter up at every statement: it should not wait 5 ms, the
    # default, to get it back from a busy loop
    sys.setswitchinterval(_SWITCH_SECONDS)
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):
        from uvloop import new_event_loop as loop_factory
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


def _keep_freed_memory() -> None:
    """Teach the C library to reuse blocks of a batch's size instead of asking the kernel each time.

    Freeing one large block raises glibc's threshold above which every block is a fresh mapping:
    without it a third of the CPU goes into page faults. [mallopt(3), M_MMAP_THRESHOLD] Elsewhere
    this does nothing; the pages are never touched.
    """
    bytes(8 << 20)


def exit_code(snapshot: Snapshot) -> int:
    """What to tell the shell."""
    if snapshot.in_memory or snapshot.unreadable:
        return FAILED
    return SOME_DEAD_LETTERED if snapshot.dead_letters else DONE
