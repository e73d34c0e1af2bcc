"""Missing is what should have landed by now; neither what is on its way nor what others sent."""

import pytest

from agent.reconcile.comparing import Comparison
from agent.reconcile.counting import Accepted
from agent.reconcile.platform_side import Batch, Counts


def _compared(
    accepted: int, landed: int, failed: int = 0, young: int = 0, messages: int | None = None
) -> Comparison:
    batches = (Batch("b", "success", landed, 0, {}), Batch("c", "failed", 0, failed, {}))
    counts = Counts(None, None, messages, None, batches)
    return Comparison(Accepted(accepted, young, 0, None, None), counts)


@pytest.mark.parametrize(
    ("compared", "on_their_way", "missing", "of_others", "well"),
    [
        (_compared(10, 10), 0, 0, 0, True),
        (_compared(10, 8, young=5), 2, 0, 0, True),
        (_compared(10, 3, young=5), 5, 2, 0, False),
        (_compared(10, 8, failed=2), 0, 0, 0, False),
        (_compared(10, 12, failed=1), 0, 0, 3, False),
        (_compared(0, 0), 0, 0, 0, True),
    ],
)
def test_each_record_is_counted_once(
    compared: Comparison, on_their_way: int, missing: int, of_others: int, well: bool
) -> None:
    assert compared.on_their_way == on_their_way
    assert compared.missing == missing
    assert compared.of_others == of_others
    assert compared.is_well is well


@pytest.mark.parametrize(("messages", "not_counted"), [(None, 0), (12, 0), (10, 0), (7, 1), (8, 0)])
def test_the_inlets_own_count_may_lag_behind_by_what_is_young(
    messages: int | None, not_counted: int
) -> None:
    assert _compared(10, 10, young=2, messages=messages).not_counted == not_counted
