"""Whatever can go wrong with a record is a finding."""

from dataclasses import replace

import pytest

from agent.record import DeadLetter, Position
from torture.minting import Kind
from torture.verdict import Doubles, Evidence, judge

SOUND, ALSO, REFUSED = b'{"id": "torture-1-1-1-1"}', b'{"id": "torture-1-1-2-2"}', b"refused"


def _letter(record: bytes) -> DeadLetter:
    place = Position(1, 0)
    return DeadLetter(record, len(record), "rejected", "platform", "no", "a", place, 1, 1.0, 1.0)


GOOD = Evidence(
    minted={SOUND: Kind.SOUND, ALSO: Kind.SOUND, REFUSED: Kind.REFUSED},
    landed=[("x-0", SOUND), ("x-1", ALSO)],
    receipts=["x-0", "x-1"],
    letters=[_letter(REFUSED)],
    offered_again=frozenset(),
    cut=frozenset(),
    doubles=Doubles(),
)


def test_what_was_accepted_or_dead_lettered_once_is_no_finding() -> None:
    verdict = judge(GOOD)
    assert verdict.findings == ()
    assert (verdict.accepted, verdict.dead_lettered, verdict.lost) == (2, 1, 0)


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"landed": [("x-0", SOUND)], "receipts": ["x-0"]}, "1 lost: torture-1-1-2-2"),
        ({"letters": []}, "1 lost: b'refused'"),
        ({"landed": [*GOOD.landed, ("y", b"{}")]}, "1 neither minted nor fed: b'{}'"),
        ({"letters": [_letter(REFUSED[:3]), *GOOD.letters]}, "1 neither minted nor fed: b'ref'"),
        ({"landed": [*GOOD.landed, ("y", REFUSED)]}, "1 accepted although to be refused"),
        ({"letters": [*GOOD.letters, _letter(SOUND)]}, "1 dead-lettered although sound"),
        ({"letters": GOOD.letters * 2}, "1 dead-lettered twice"),
        ({"landed": [*GOOD.landed, ("y", SOUND)]}, "1 duplicates, only 0 can be explained"),
        ({"receipts": ["x-0"]}, "1 accepted without a receipt: torture-1-1-2-2"),
        ({"receipts": ["x-0", "x-1", "z"]}, "1 receipts are about nothing"),
        ({"findings": ["seen before"]}, "seen before"),
    ],
)
def test_anything_else_is(changed: dict[str, object], finding: str) -> None:
    findings = judge(replace(GOOD, **changed)).findings
    assert any(each.startswith(finding) for each in findings), findings


def test_doubles_with_a_cause_are_none() -> None:
    again = replace(
        GOOD,
        landed=[*GOOD.landed, ("y", SOUND)],
        receipts=["x-0", "x-1", "y"],
        letters=[*GOOD.letters * 2, _letter(ALSO[:9])],
        offered_again=frozenset({SOUND, REFUSED}),
        cut=frozenset({ALSO}),
        doubles=Doubles(fed_again=1),
    )
    assert judge(again).findings == ()
