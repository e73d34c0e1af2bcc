from agent.emulator.throughput import Throughput


class Clock:
    """A time that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.5

    def __call__(self) -> float:
        return self.time


def test_each_second_has_its_own_count_also_those_in_which_nothing_came() -> None:
    clock = Clock()
    throughput = Throughput(now=clock)
    throughput.accepted(3)
    throughput.accepted(4)
    throughput.refused(1)
    clock.time = 1002.1
    throughput.refused(5)
    clock.time = 1003.0

    assert throughput.as_json() == {"until": 1003, "accepted": [7, 0, 0], "rejected": [1, 0, 5]}


def test_the_second_that_is_not_over_is_left_out() -> None:
    throughput = Throughput(now=Clock())
    throughput.accepted(3)

    assert throughput.as_json() == {"until": 1000, "accepted": [], "rejected": []}


def test_only_so_many_seconds_are_kept() -> None:
    clock = Clock()
    throughput = Throughput(seconds=3, now=clock)
    for second in range(10):
        clock.time = 1000.0 + second
        throughput.accepted(second)
    clock.time = 1009.9

    assert throughput.as_json()["accepted"] == [6, 7, 8]
