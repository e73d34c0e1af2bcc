"""How many connections can be open, so that descriptors are left to deliver with?"""

import resource

from agent.telemetry.logs import get_logger

_OTHER_DESCRIPTORS = 256  # what the agent needs besides connections

log = get_logger("source")


def allowed_connections(wanted: int) -> int:
    """How many of those wanted the system allows.

    Raises the soft limit to the hard one: it is for select(2), which nothing here uses.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    allowed = max(1, hard - min(_OTHER_DESCRIPTORS, hard // 2))
    if hard == resource.RLIM_INFINITY or wanted <= allowed:
        return wanted
    log.warning(
        "fewer connections can be open than max_connections",
        connections=allowed,
        next_step="raise LimitNOFILE=, or ulimit -n, or lower max_connections",
    )
    return allowed
