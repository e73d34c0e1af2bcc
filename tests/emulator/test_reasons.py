from agent.emulator.reasons import Reasons


def test_messages_that_differ_in_particulars_only_are_one_reason() -> None:
    reasons = Reasons()
    reasons.add(400, "inletId: [a1] 'x1' is 7, not 8", 0)
    reasons.add(400, "inletId: [b2] 'y2' is 70, not 80", 1)
    reasons.add(400, "no such schema", 2)
    reasons.add(500, "no such schema", 3)
    reasons.add(400, "inletId: [a1] 'x1' is 7, not 8", 4)

    first, *others = reasons.as_json()

    assert first == {
        "status": 400,
        "message": "inletId: [a1] 'x1' is 7, not 8",
        "count": 3,
        "first": 0,
        "last": 4,
    }
    assert [(each["status"], each["count"], each["first"]) for each in others] == [
        (400, 1, 2),
        (500, 1, 3),
    ]


def test_fields_are_told_apart_and_many_records_counted_at_once() -> None:
    reasons = Reasons()
    reasons.add("INGEST-1555-400", "required key [person] not found", 0, 3)
    reasons.add("INGEST-1555-400", "required key [_id] not found", 3, 2)

    assert [(each["count"], each["first"], each["last"]) for each in reasons.as_json()] == [
        (3, 0, 2),
        (2, 3, 4),
    ]


def test_reasons_without_end_are_counted_together() -> None:
    reasons = Reasons(reasons_max=2)
    for number, letter in enumerate("abcabcd"):
        reasons.add(400, letter, number)

    assert [(each["message"], each["count"]) for each in reasons.as_json()] == [
        ("further reasons, not told apart", 3),
        ("a", 2),
        ("b", 2),
    ]


def test_long_messages_are_cut() -> None:
    reasons = Reasons()
    reasons.add(400, "x" * 5000, 0)
    reasons.add(400, "x" * 6000, 1)

    (reason,) = reasons.as_json()
    assert (reason["count"], len(reason["message"])) == (2, 1000)


def test_after_clearing_there_are_none() -> None:
    reasons = Reasons()
    reasons.add(400, "a", 0)
    reasons.clear()

    assert reasons.as_json() == []
