"""What an HTTP status of the inlet calls for by itself, whatever the body says."""

from enum import StrEnum


class Advice(StrEnum):
    """What the answer calls for besides settling the records it gave a verdict on."""

    SETTLE = "settle"  # the request was read: see the verdicts
    RETRY = "retry"  # no usable answer: the same request again, later
    THROTTLED = "throttled"  # the destination asks for less
    UNAUTHORIZED = "unauthorized"  # our credentials: pause, blame no record
    MISDIRECTED = "misdirected"  # wrong address or method: pause, blame no record
    TOO_LARGE = "too_large"  # split, and make smaller requests from now on
    SUSPECT = "suspect"  # something in the request is refused: split to find it


# A 4xx that says something of the address, the method, the time or the caller: never of a record.
_MISDIRECTED = frozenset({404, 405, 406, 407, 411, 415, 421, 426, 428, 431, 451, 501, 505})
_RETRY = frozenset({408, 409, 423, 425})
_UNAUTHORIZED = frozenset({401, 402, 403, 511})
_THROTTLED = frozenset({429, 503})


def advice_of(status: int) -> Advice:
    """What a status calls for by itself, whatever the body."""
    if 200 <= status < 300:
        return Advice.SETTLE
    for statuses, advice in (
        (_UNAUTHORIZED, Advice.UNAUTHORIZED),
        (_THROTTLED, Advice.THROTTLED),
        (_MISDIRECTED, Advice.MISDIRECTED),
        (_RETRY, Advice.RETRY),
    ):
        if status in statuses:
            return advice
    if status == 413:
        return Advice.TOO_LARGE
    if 400 <= status < 500:
        return Advice.SUSPECT
    # redirects are not followed: the records and the token were meant for this address
    return Advice.MISDIRECTED if 300 <= status < 400 else Advice.RETRY
