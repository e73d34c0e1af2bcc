"""How much memory may the agent take, and what does it make do with where that is little?

A container's limit is a cgroup's. What the configuration does not say is then chosen smaller, so
that the agent is not killed for what its defaults hold, and freed memory is given back at once.
"""

import asyncio
import ctypes
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.config.units import show_size
from agent.telemetry.logs import get_logger

_MIB = 1 << 20
_ITSELF = 61 * _MIB  # libraries, the store's pages, and what bursts leave between blocks, measured
LEAST = 64 * _MIB  # tried with a stalled inlet and input that does not stop
_HELD_PART = 6  # of what is left is for records; the rest for what is made of them, and the kernel
_BATCHES_HELD = 7
_PLENTY = _ITSELF + _HELD_PART * 32 * _MIB  # from here on the defaults fit
_SCARCE = 128 * _MIB  # below it, memory is worth the CPU that giving it back takes
_TIDY_EVERY = 60.0  # seconds
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # mallopt(3)
_SMALL_BLOCK = 128 << 10

log = get_logger("memory")


def limit(cgroups: Path = Path("/sys/fs/cgroup"), mine: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes that the kernel lets this process take, or more than there ever are."""
    found = [1 << 63]
    for file in _files(cgroups, mine):
        with suppress(OSError, ValueError):  # not there, or "max"
            found.append(int(file.read_text()))
    return min(found)


@cache
def is_scarce() -> bool:
    """Whether freed memory should be given back at once."""
    return limit() < _SCARCE


def give_back_freed_memory() -> None:
    """Have the C library give each larger block back when it is freed; this costs CPU.

    A third of it, with batches; blocks that are kept leave gaps between them, and half as much
    memory again is taken.
    """
    with suppress(OSError, AttributeError):  # not glibc
        c_library = ctypes.CDLL(None)
        c_library.mallopt(_M_MMAP_THRESHOLD, _SMALL_BLOCK)
        c_library.mallopt(_M_TRIM_THRESHOLD, _SMALL_BLOCK)
        c_library.mallopt(_M_ARENA_MAX, 1)  # gaps that one thread leaves are filled by others


async def tidy() -> None:
    """Give back now and then what a burst has left; never returns.

    Otherwise memory once needed, such as for all that came while the inlet was away, stays taken.
    """
    while True:
        await asyncio.sleep(_TIDY_EVERY)
        await asyncio.to_thread(give_back_what_is_free)


def give_back_what_is_free() -> None:
    """Give whole free pages between the blocks in use back to the system, in milliseconds."""
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def fitted(config: Config, allowed: int | None = None) -> Config:
    """The configuration with what it does not say chosen so that *allowed* bytes are enough.

    What was chosen counts as written from then on.
    """
    allowed = limit() if allowed is None else allowed
    if allowed >= _PLENTY:
        return config
    flows = config.each_flow()
    room = max(allowed, LEAST) - _ITSELF
    chosen = {name: _chosen(flow, room // len(flows)) for name, flow in flows.items()}
    if not any(chosen.values()):
        return config
    _tell(allowed, next(iter(chosen.values())))
    made = {name: _with(flow, chosen[name]) for name, flow in flows.items()}
    if config.flows:
        return config.replaced(flows=made)
    only = made[""]
    return config.replaced(batch=only.batch, buffer=only.buffer, delivery=only.delivery)


def _chosen(flow: FlowSettings, room: int) -> dict[tuple[str, str], int]:
    """What a flow is to have of the settings that it does not have written."""
    held = min(flow.buffer.memory_bytes, room // _HELD_PART)
    wanted = {
        ("batch", "max_bytes"): min(flow.batch.max_bytes, held // _BATCHES_HELD),
        ("buffer", "memory_bytes"): held,
        ("delivery", "max_in_flight"): max(1, min(flow.delivery.max_in_flight, room // _MIB)),
    }
    chosen = {
        (section, key): value
        for (section, key), value in wanted.items()
        if not getattr(flow, section).says(key)
    }
    if ("buffer", "memory_bytes") in chosen:
        batch = chosen.get(("batch", "max_bytes"), flow.batch.max_bytes)
        chosen["buffer", "memory_bytes"] = max(held, 2 * batch)
    return chosen


def _with(flow: FlowSettings, chosen: Mapping[tuple[str, str], int]) -> FlowSettings:
    sections: dict[str, Any] = {}
    for (section, key), value in chosen.items():
        before = sections.get(section, getattr(flow, section))
        sections[section] = before.replaced(**{key: value})
    return flow.replaced(**sections)


def _tell(allowed: int, chosen: Mapping[tuple[str, str], int]) -> None:
    shown: dict[str, Any] = {
        f"{section}_{key}": show_size(value) if key.endswith("bytes") else value
        for (section, key), value in chosen.items()
    }
    if allowed < LEAST:
        log.warning(
            "the memory limit is lower than the agent was tried with, it may be killed",
            limit=show_size(allowed),
            next_step=f"allow at least {show_size(LEAST)}",
            **shown,
        )
    else:
        log.info(
            "memory is limited, less is held at a time",
            limit=show_size(allowed),
            defaults_from=show_size(_PLENTY),
            **shown,
        )


def _files(cgroups: Path, mine: Path) -> Iterator[Path]:
    """Where limits may be written: of this process' group and of those around it."""
    lines: list[str] = []
    with suppress(OSError):
        lines = mine.read_text().splitlines()
    for line in lines:
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "":
            root, name = cgroups, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = cgroups / "memory", "memory.limit_in_bytes"
        else:
            continue
        # in a container the path may be the host's, while its own group is what is mounted
        group = Path(path.lstrip("/"))
        yield from (root / part / name for part in (group, *group.parents))
