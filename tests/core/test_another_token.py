"""Another token opens the way for those whose token was refused, and for nobody else."""

import pytest

from agent.core.destination import AUTH_BLOCKED, Destination, RetryPolicy
from agent.core.statuses import Advice


def refused(advice: Advice) -> Destination:
    destination = Destination(RetryPolicy(1.0, 60.0))
    for now in range(8):
        destination.failed(advice, now, now, dice=0.99, retry_after=None)
    return destination


def test_whoever_waits_after_a_refused_token_may_ask_at_once_with_another() -> None:
    destination = refused(Advice.UNAUTHORIZED)
    assert destination.state == AUTH_BLOCKED
    assert destination.may_send(8.0) > 50
    destination.another_token(8.0)
    assert destination.may_send(8.0) == 0.0
    assert destination.may_send(8.0) > 0, "one probe at a time, as ever"


@pytest.mark.parametrize("advice", [Advice.THROTTLED, Advice.RETRY])
def test_another_token_shortens_no_other_wait(advice: Advice) -> None:
    destination = refused(advice)
    wait = destination.may_send(8.0)
    destination.another_token(8.0)
    assert destination.may_send(8.0) == wait
