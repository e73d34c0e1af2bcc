from agent.emulator.reasons import Reasons


def test_messages_that_differ_in_particulars_only_are_one_reason() -> None:
    reasons = Reasons()
    reasons.add(400, "inletId: [aa] 'x' is 7, not 8", 0)
    reasons.add(400, 'inletId: [bb] "y" is 70, not 80', 1)
    reasons.add(400, "no such schema", 2)
    reasons.add(500, "no such schema", 3)
    reasons.add(400, "inletId: [aa] 'x' is 7, not 8", 4)

    first, *others = reasons.as_json()

    assert first == {
        "status": 400,
        "message": "inletId: [aa] 'x' is 7, not 8",
        "count": 3,
        "first": 0,
        "last": 4,
    }
    assert [(each["status"], each["count"], each["first"]) for each in others] == [
        (400, 1, 2),
        (500, 1, 3),
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


def test_after_clearing_there_are_none() -> None:
    reasons = Reasons()
    reasons.add(400, "a", 0)
    reasons.clear()

    assert reasons.as_json() == []
