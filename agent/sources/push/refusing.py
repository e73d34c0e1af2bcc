"""What keeps a request from being taken, in words for whoever sent it?"""


class Refused(Exception):
    """Nothing of the request was taken. `retry_after` is in seconds, where trying again helps."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


def buffer_is_full() -> Refused:
    """No room in the buffer, for as long as a request may wait for it."""
    return Refused(429, "the buffer is full: the platform is slower than what comes in", 5)


def too_much_waits() -> Refused:
    """Too many other requests wait."""
    return Refused(429, "too many requests wait to be answered", 1)


def draining() -> Refused:
    """The agent is stopping."""
    return Refused(503, "the agent is stopping", 5)


def store_is_full() -> Refused:
    """Nothing can be recorded."""
    why = "its disk or its dead letters are full, and its log says which"
    return Refused(503, f"the agent's store takes nothing at the moment: {why}", 10)


def too_many_connections() -> Refused:
    """There is one connection too many."""
    return Refused(503, "there are too many connections: keep one open and use it again", 1)


def too_large(limit: int) -> Refused:
    """The body is too long."""
    return Refused(413, f"the body has more than {limit} bytes: send it in several requests")
