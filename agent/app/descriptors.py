"""How are the descriptors that the system allows shared out, so that some are left to deliver with?

Each connection costs one, and each file that is followed and open. Where sources want more of them
together than there are, each gets the same, and who wants less leaves the rest to the others.
"""

import resource

from agent.config.files import FileSource
from agent.config.model import Config
from agent.config.pushes import HttpSource
from agent.config.sockets import ConnectionSettings
from agent.config.sources import Source
from agent.core.sharing import most_each
from agent.telemetry.logs import get_logger

log = get_logger("source")

_OTHERS = 256  # what the agent needs besides: requests in flight, the store, who asks for /status


def shared_out(config: Config) -> Config:
    """The configuration with no more connections and open files than the system allows.

    Raises the soft limit to the hard one: it is for select(2), which nothing here uses.
    """
    wanted = [count for count in map(_wanted, config.sources) if count]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not wanted or hard == resource.RLIM_INFINITY:
        return config
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = most_each(wanted, hard - min(_OTHERS, hard // 2))
    return config.replaced(sources=tuple(_within(source, most) for source in config.sources))


def _wanted(source: Source) -> int:
    if isinstance(source, ConnectionSettings | HttpSource):
        return source.max_connections
    return source.max_open_files if isinstance(source, FileSource) and source.follow else 0


def _within(source: Source, most: int) -> Source:
    if _wanted(source) <= most:
        return source
    if isinstance(source, FileSource):  # it makes do: files are opened in turn
        return source.replaced(max_open_files=most)
    assert isinstance(source, ConnectionSettings | HttpSource), "nothing else wants any"
    log.warning(
        "fewer connections can be open than max_connections",
        once_per="source",
        source=source.shown_name,
        connections=most,
        next_step="raise LimitNOFILE=, or ulimit -n, or lower max_connections",
    )
    return source.replaced(max_connections=most)
