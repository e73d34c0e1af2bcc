import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.destination import (
    AUTH_BLOCKED,
    DISK_FULL,
    DOWN,
    DRAINING,
    READY,
    SCHEMA_CHANGED,
    STATES,
    THROTTLED,
    WARMING_UP,
    Destination,
    RetryPolicy,
)
from agent.core.statuses import Advice

POLICY = RetryPolicy(initial=1.0, ceiling=60.0)


class Scenario:
    """A destination, and the hand on its clock. Dice always fall on one half."""

    def __init__(self) -> None:
        self.destination = Destination(POLICY)
        self.now = 100.0

    @property
    def state(self) -> str:
        return self.destination.state

    def wait(self) -> float:
        return self.destination.may_send(self.now)

    def send(self) -> float:
        assert self.wait() == 0
        return self.now

    def after(self, seconds: float) -> None:
        self.now += seconds

    def fail(
        self, sent: float, advice: Advice = Advice.RETRY, retry_after: float | None = None
    ) -> bool:
        """Whether that changed the state."""
        before = self.state
        self.destination.failed(advice, sent, self.now, dice=0.5, retry_after=retry_after)
        return self.state != before

    def succeed(self, sent: float) -> bool:
        """Whether that changed the state."""
        before = self.state
        self.destination.succeeded(sent, self.now)
        return self.state != before

    def refuse(self, sent: float) -> None:
        self.destination.refused(sent, self.now, dice=0.5)

    def go_down(self) -> None:
        for _ in range(2):
            sent = self.send()
            self.after(1)
            self.fail(sent)
            self.after(1e-6)
        assert self.state == DOWN

    def probe(self) -> float:
        self.after(self.wait())
        return self.send()


@pytest.fixture
def scene() -> Scenario:
    return Scenario()


def test_a_destination_begins_ready(scene: Scenario) -> None:
    assert (scene.state, scene.wait(), scene.wait()) == (READY, 0, 0)


def test_one_failure_does_not_close_it(scene: Scenario) -> None:
    assert not scene.fail(scene.send())
    assert (scene.state, scene.wait()) == (READY, 0)


def test_a_second_failure_in_a_row_closes_it(scene: Scenario) -> None:
    scene.fail(scene.send())
    scene.after(1)
    assert scene.fail(scene.send())
    assert (scene.state, scene.destination.since) == (DOWN, 101)
    assert scene.wait() == 1  # half of what doubles from one second


def test_a_success_between_two_failures_keeps_it_open(scene: Scenario) -> None:
    scene.fail(scene.send())
    scene.after(1)
    assert not scene.succeed(scene.send())
    scene.after(1)
    scene.fail(scene.send())
    assert (scene.state, scene.destination.failures) == (READY, 1)


def test_requests_that_fail_together_count_as_one(scene: Scenario) -> None:
    sent = [scene.send() for _ in range(32)]
    scene.after(1)
    for each in sent:
        assert not scene.fail(each)
        scene.after(0.01)
    assert (scene.state, scene.destination.failures) == (READY, 1)


@pytest.mark.parametrize(
    ("advice", "state"),
    [
        (Advice.THROTTLED, THROTTLED),
        (Advice.UNAUTHORIZED, AUTH_BLOCKED),
        (Advice.MISDIRECTED, DOWN),
    ],
)
def test_what_is_surely_not_the_batchs_bad_luck_closes_it_at_once(
    scene: Scenario, advice: Advice, state: str
) -> None:
    assert scene.fail(scene.send(), advice)
    assert (scene.state, scene.wait()) == (state, 0.5)


def test_retry_after_is_a_floor_for_all(scene: Scenario) -> None:
    early, late = scene.send(), scene.send()
    scene.after(1)
    scene.fail(early, Advice.THROTTLED, retry_after=30)
    assert [scene.wait(), scene.wait()] == [30, 30]
    scene.after(2)
    scene.fail(late, Advice.THROTTLED, retry_after=5)
    assert scene.wait() == 28, "a shorter wait does not shorten a longer one"


def test_retry_after_holds_even_for_a_stale_answer(scene: Scenario) -> None:
    first, second = scene.send(), scene.send()
    scene.after(1)
    scene.fail(first)
    scene.after(1)
    assert scene.fail(second, Advice.THROTTLED, retry_after=20)
    assert (scene.state, scene.wait()) == (THROTTLED, 20)


def test_retry_after_of_a_plain_failure_closes_it_too(scene: Scenario) -> None:
    assert scene.fail(scene.send(), Advice.RETRY, retry_after=4)
    assert (scene.state, scene.wait()) == (DOWN, 4)


def test_a_wait_longer_than_retry_after_stays(scene: Scenario) -> None:
    scene.fail(scene.send(), Advice.THROTTLED, retry_after=0.1)
    assert scene.wait() == 0.5


def test_only_one_probe_is_under_way_at_a_time(scene: Scenario) -> None:
    scene.go_down()
    scene.probe()
    assert [scene.wait(), scene.wait()] == [POLICY.ceiling] * 2
    scene.after(1000)
    assert scene.wait() == POLICY.ceiling


def test_a_probe_that_succeeds_opens_it_for_all(scene: Scenario) -> None:
    scene.go_down()
    sent = scene.probe()
    scene.after(0.2)
    assert scene.succeed(sent)
    assert (scene.state, scene.destination.since) == (READY, scene.now)
    assert [scene.wait(), scene.wait()] == [0, 0]
    scene.after(1)
    assert not scene.fail(scene.send()), "failures are counted from one again"


def test_a_probe_that_fails_makes_the_next_wait_longer(scene: Scenario) -> None:
    scene.go_down()
    waits = []
    for _ in range(8):
        sent = scene.probe()
        scene.after(0.1)
        assert not scene.fail(sent), "it was down before"
        waits.append(scene.wait())
    assert waits == pytest.approx([2, 4, 8, 16, 30, 30, 30, 30])


def test_a_probe_that_was_given_up_makes_room_for_another(scene: Scenario) -> None:
    scene.go_down()
    scene.probe()
    scene.destination.gave_up()
    assert scene.wait() == 0


def test_a_stale_failure_tells_nothing(scene: Scenario) -> None:
    old = scene.send()
    scene.go_down()
    before = scene.destination.failures, scene.wait()
    assert not scene.fail(old)
    assert (scene.destination.failures, scene.wait()) == before


def test_a_stale_success_during_a_pause_tells_nothing(scene: Scenario) -> None:
    sent = [scene.send(), scene.send()]
    scene.after(1)
    scene.fail(sent[0], Advice.THROTTLED, retry_after=30)
    scene.after(1)
    assert not scene.succeed(sent[1])
    assert (scene.state, scene.wait()) == (THROTTLED, 29)


@pytest.mark.parametrize("answer", ["failure", "throttle"])
def test_a_stale_answer_does_not_let_a_second_probe_go(scene: Scenario, answer: str) -> None:
    old = scene.send()
    scene.go_down()
    probe = scene.probe()
    scene.after(0.1)
    if answer == "failure":
        scene.fail(old)
    else:
        scene.fail(old, Advice.THROTTLED, retry_after=0)
    assert scene.wait() == POLICY.ceiling
    scene.after(0.1)
    scene.fail(probe)
    scene.after(POLICY.ceiling)
    assert scene.wait() == 0, "the answer to the probe itself frees the next one"


def test_a_pause_asked_for_during_a_probe_outlasts_the_probes_success(scene: Scenario) -> None:
    old = scene.send()
    scene.go_down()
    probe = scene.probe()
    scene.after(0.1)
    scene.fail(old, Advice.THROTTLED, retry_after=20)
    scene.after(1)
    assert not scene.succeed(probe)
    assert scene.wait() == pytest.approx(19)
    scene.after(20)
    assert scene.succeed(scene.send())
    assert scene.state == READY


def test_another_token_ends_the_pause_that_a_refused_one_began(scene: Scenario) -> None:
    scene.fail(scene.send(), Advice.UNAUTHORIZED)
    assert scene.wait() == 0.5
    scene.destination.another_token(scene.now)
    assert scene.wait() == 0
    scene.fail(scene.now, Advice.THROTTLED, retry_after=30)
    scene.destination.another_token(scene.now)
    assert scene.wait() == 30, "no other pause"


def test_many_agents_do_not_come_back_at_once() -> None:
    """Of a hundred that lost the inlet in the same second, few ask in any one second later."""
    dice = random.Random(7)
    asked = []
    for _ in range(100):
        destination, now = Destination(POLICY), 100.0
        while now < 400:
            now += destination.may_send(now)
            assert destination.may_send(now) == 0
            asked.append(now)
            destination.failed(Advice.RETRY, now, now + 0.01, dice=dice.random(), retry_after=None)
            now += 0.01
    by_second = Counter(int(at) for at in asked if at > 220)
    assert max(by_second.values()) < 4 * sum(by_second.values()) / len(by_second)


# States beside those that answers show.


def test_a_new_flow_is_sent_nothing_before_its_time(scene: Scenario) -> None:
    scene.destination = Destination(POLICY, warm_at=400.0)
    assert (scene.state, scene.wait(), scene.destination.asked_to_wait) == (WARMING_UP, 300, True)
    scene.after(299)
    assert (scene.state, scene.wait()) == (WARMING_UP, 1)
    scene.after(1)
    assert (scene.wait(), scene.state, scene.destination.since) == (0, READY, 400)
    assert not scene.destination.asked_to_wait


def test_what_is_refused_for_its_most_part_is_probed_ever_more_rarely(scene: Scenario) -> None:
    scene.refuse(scene.send())
    assert (scene.state, scene.destination.is_open, scene.wait()) == (SCHEMA_CHANGED, False, 0.5)
    waits = []
    for _ in range(7):
        sent = scene.probe()
        assert scene.wait() == POLICY.ceiling, "one at a time"
        scene.after(0.1)
        scene.refuse(sent)
        waits.append(scene.wait())
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30])
    assert scene.succeed(scene.probe())
    assert (scene.state, scene.wait()) == (READY, 0)


def test_refusals_that_come_together_count_as_one(scene: Scenario) -> None:
    sent = [scene.send() for _ in range(8)]
    scene.after(1)
    for each in sent:
        scene.refuse(each)
        scene.after(0.001)
    assert scene.destination.failures == 1


def test_an_outage_while_most_is_refused_is_an_outage_until_it_is_refused_again(
    scene: Scenario,
) -> None:
    scene.refuse(scene.send())
    scene.fail(scene.probe())
    assert scene.state == DOWN
    scene.refuse(scene.probe())
    assert (scene.state, scene.destination.failures) == (SCHEMA_CHANGED, 1)


def test_a_refusal_that_a_throttle_overtook_opens_nothing(scene: Scenario) -> None:
    early, late = scene.send(), scene.send()
    scene.after(1)
    scene.fail(early, Advice.THROTTLED, retry_after=30)
    scene.after(1)
    scene.refuse(late)
    assert (scene.state, scene.wait()) == (THROTTLED, 29)


def test_what_a_person_must_see_to_is_shown_before_what_passes_by_itself(scene: Scenario) -> None:
    destination = scene.destination
    assert destination.states == (READY,)
    destination.mark(DRAINING, True, 101.0)
    assert (scene.state, destination.since) == (DRAINING, 101)
    scene.after(2)
    scene.fail(scene.send(), Advice.THROTTLED)
    assert destination.states == (THROTTLED, DRAINING)
    destination.mark(DISK_FULL, True, 103.0)
    assert destination.states == (DISK_FULL, THROTTLED, DRAINING)
    assert (scene.state, destination.since) == (DISK_FULL, 103)
    scene.fail(scene.probe(), Advice.UNAUTHORIZED)
    assert destination.states == (AUTH_BLOCKED, DISK_FULL, DRAINING)
    destination.mark(DISK_FULL, False, 104.0)
    scene.succeed(scene.probe())
    assert destination.states == (DRAINING,)
    assert destination.is_open
    assert set(STATES) >= {*destination.states}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "succeed", "fail"]),
        st.floats(0.001, 50),
        st.integers(0, 20),
        st.sampled_from([Advice.RETRY, Advice.THROTTLED, Advice.UNAUTHORIZED, Advice.MISDIRECTED]),
        st.none() | st.floats(0, 100),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_probes_come_one_by_one_floors_hold_and_it_can_recover(
    steps: list[tuple[str, float, int, Advice, float | None]],
) -> None:
    scene = Scenario()
    floor = 0.0
    in_flight: list[float] = []
    probe: float | None = None
    for step, seconds, which, advice, retry_after in steps:
        scene.after(seconds)
        closed = not scene.destination.is_open
        if step == "send":
            wait = scene.wait()
            assert 0 <= wait <= max(POLICY.ceiling, 100)
            if wait == 0:
                if closed:
                    assert probe is None
                    assert scene.now >= floor
                    probe = scene.now
                in_flight.append(scene.now)
        elif in_flight:
            sent = in_flight.pop(which % len(in_flight))
            probe = None if sent == probe else probe
            if step == "succeed":
                scene.succeed(sent)
                floor = 0.0 if scene.state == READY else floor
            else:
                scene.fail(sent, advice, retry_after)
                floor = max(floor, scene.now + (retry_after or 0.0))
        probe = None if scene.state == READY else probe
    for sent in in_flight:
        scene.after(0.01)
        scene.fail(sent)
    scene.after(1000)
    if scene.state != READY:
        assert scene.succeed(scene.send())
    assert (scene.state, scene.wait()) == (READY, 0)


def test_it_says_when_it_may_be_asked_next(scene: Scenario) -> None:
    scene.fail(scene.send(), Advice.THROTTLED, retry_after=30)
    assert scene.destination.closed_until == scene.now + 30
    assert Destination(POLICY, warm_at=500.0).closed_until == 500.0
