"""Is the agent ready for more input, and is it alive? Pure decisions over what was measured.

Readiness is not about the platform: when that is away the agent waits, as it should, and an
application in the same pod must not be taken out of service for it.
"""

Verdict = tuple[bool, str]  # is it well, and one sentence on why

SLOWEST_LOOP = 5.0
LONGEST_STANDSTILL = 300.0


def readiness(*, starting: bool, draining: bool, no_room: str | None) -> Verdict:
    """Can the agent take input now? `no_room` says why nothing more can be read, if so."""
    if draining:
        return False, "draining: no new input is taken"
    if starting:
        return False, "starting: sources are not open yet"
    if no_room:
        return False, f"no more input can be taken: {no_room}"
    return True, "ready"


def liveness(
    *,
    loop_lag: float,
    oldest_held: float,
    idle: float,
    reachable: bool,
    throttled: bool,
    slowest_loop: float = SLOWEST_LOOP,
    longest_standstill: float = LONGEST_STANDSTILL,
) -> Verdict:
    """Would restarting help? Only if the loop hardly turns, or work lies still for no reason.

    All in seconds: `loop_lag` the latest delay of the event loop, `oldest_held` the age of the
    oldest record not answered for (0 without any), `idle` how long nothing was answered for while
    the inlet could be reached: after an outage old records are held, yet all is well.
    """
    if loop_lag >= slowest_loop:
        return False, f"the event loop is {loop_lag:.1f} s late"
    still = min(oldest_held, idle)
    if reachable and not throttled and still >= longest_standstill:
        return False, f"records wait, the inlet is there, yet nothing moved for {still:.0f} s"
    return True, "alive"
