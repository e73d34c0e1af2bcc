import pytest

from agent.core.statuses import Advice, advice_of

SPECIAL = {
    401: Advice.UNAUTHORIZED,
    402: Advice.UNAUTHORIZED,
    403: Advice.UNAUTHORIZED,
    404: Advice.MISDIRECTED,
    405: Advice.MISDIRECTED,
    406: Advice.MISDIRECTED,
    407: Advice.MISDIRECTED,
    408: Advice.RETRY,
    409: Advice.RETRY,
    411: Advice.MISDIRECTED,
    413: Advice.TOO_LARGE,
    415: Advice.MISDIRECTED,
    421: Advice.MISDIRECTED,
    423: Advice.RETRY,
    425: Advice.RETRY,
    426: Advice.MISDIRECTED,
    428: Advice.MISDIRECTED,
    429: Advice.THROTTLED,
    431: Advice.MISDIRECTED,
    451: Advice.MISDIRECTED,
    501: Advice.MISDIRECTED,
    503: Advice.THROTTLED,
    505: Advice.MISDIRECTED,
    511: Advice.UNAUTHORIZED,
}
OF_CLASS = {
    1: Advice.RETRY,
    2: Advice.SETTLE,
    3: Advice.MISDIRECTED,
    4: Advice.SUSPECT,
    5: Advice.RETRY,
}


def test_every_status_calls_for_what_its_class_does_or_for_something_special() -> None:
    expected = {status: SPECIAL.get(status, OF_CLASS[status // 100]) for status in range(100, 600)}
    assert {status: advice_of(status) for status in range(100, 600)} == expected


@pytest.mark.parametrize("status", [0, 99, 600, 999])
def test_what_is_no_status_at_all_is_tried_again(status: int) -> None:
    assert advice_of(status) is Advice.RETRY
