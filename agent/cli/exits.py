"""With which number does a command end, and what does it mean? The one table of them."""

DONE, FAILED, USAGE, SOME_DEAD_LETTERED, CONFIGURATION, INTERRUPTED = 0, 1, 2, 3, 78, 130

MEANINGS = {
    DONE: "done: every record accepted, or stopped by a signal with nothing left over",
    FAILED: "failed, or stopped with records left over; it says why, and where to go on",
    USAGE: "wrong usage",
    SOME_DEAD_LETTERED: "done, but some records were dead-lettered, or would be (preflight)",
    CONFIGURATION: "the configuration is wrong, or another agent uses the data directory",
    INTERRUPTED: "interrupted by Ctrl-C before it was done (run and send stop in order instead)",
}


def table() -> str:
    """Numbers and meanings, aligned, a line each."""
    return "\n".join(f"  {number:<4}{meaning}" for number, meaning in MEANINGS.items())
