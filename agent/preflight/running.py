"""How are many records examined by all processors at once, with little memory?

A few blocks are under way at a time, and what comes of them is put together in their order. Few
records are examined right here: a process takes longer to start.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import Any

from agent.errors import AgentError
from agent.preflight.examining import Block, Examiner
from agent.preflight.findings import Findings
from agent.preflight.rules import Rules

_UNDER_WAY = 3  # blocks for each process
_HERE = 4  # blocks that are examined without further processes

_examiner: Examiner | None = None  # of a process of its own


def examined(
    blocks: Iterable[Block],
    rules: Rules,
    *,
    places_max: int,
    whole_max: int = 0,
    processes: int,
    on_progress: Callable[[Findings], None] = lambda _: None,
) -> Findings:
    """What would become of all records; *on_progress* hears how far it is, block by block.

    Raises ConfigError where the rules cannot be used, and InputError as the blocks do.
    """
    total = Findings(places_max, whole_max)
    examiner = Examiner(rules, places_max, whole_max)
    waiting = iter(blocks)
    first = list(islice(waiting, _HERE)) if processes > 1 else []
    every = chain(first, waiting)
    if len(first) == _HERE:
        found = _by_processes(every, processes, (rules, places_max, whole_max))
    else:
        found = map(examiner.examine, every)
    for each in found:
        total.merge(each)
        on_progress(total)
    return total


def _by_processes(
    blocks: Iterable[Block], processes: int, made_of: tuple[Rules, int, int]
) -> Iterator[Findings]:
    under_way: deque[Future[Findings]] = deque()
    # forked processes would share locks and threads that somebody else may hold
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, made_of)
    try:
        for block in blocks:
            under_way.append(pool.submit(_examine, block))
            if len(under_way) >= processes * _UNDER_WAY:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool as error:
        raise AgentError(
            "a process that examined records was ended from outside (out of memory, say); try again"
            " with --processes 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(*made_of: Any) -> None:
    global _examiner  # noqa: PLW0603  all that a process of the pool has
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us
    _examiner = Examiner(*made_of)


def _examine(block: Block) -> Findings:
    assert _examiner
    return _examiner.examine(block)
