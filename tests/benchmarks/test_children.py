import os
import sys

import pytest

from benchmarks.children import BenchmarkError, Child


def test_the_cpu_and_memory_of_a_child_are_its_own() -> None:
    busy = """if True:
        import time
        held = b"x" * 60_000_000
        while time.process_time() < 0.3: pass
        print("said")
    """
    with Child([sys.executable, "-c", busy]) as child:
        finished = child.expect(20)
    assert finished.stdout == b"said\n"
    assert 0.3 <= finished.cpu_seconds < 1.5
    assert finished.wall_seconds >= 0.3
    assert finished.peak_rss > 60_000_000


def test_a_child_that_fails_is_told_with_its_last_words() -> None:
    with (
        Child([sys.executable, "-c", "import sys; sys.exit('no inlet there')"]) as child,
        pytest.raises(BenchmarkError, match=r"ended with 1: no inlet there"),
    ):
        child.expect(20)


def test_a_child_that_does_not_end_is_ended() -> None:
    with (
        Child(["sleep", "600"]) as child,
        pytest.raises(BenchmarkError, match=r"did not end within 0\.1 s"),
    ):
        child.wait(0.1)
    assert not child.running()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_variables_that_would_change_what_is_measured_do_not_reach_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("AEP_AGENT_BATCH__MAX_WAIT", "9s")
    shows = "import os; print([n for n in os.environ if n.startswith(('AEP_', 'PYTHOND'))])"
    with Child([sys.executable, "-c", shows]) as child:
        assert child.expect(20).stdout == b"[]\n"
