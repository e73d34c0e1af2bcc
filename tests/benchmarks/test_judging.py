from benchmarks import judging


def test_the_demos_records_are_judged_and_nearly_all_of_them_land() -> None:
    judged = judging.run(500)

    assert judged.records > 490
    assert judged.cpu_seconds > 0
    assert judged.per_cpu_second == judged.records / judged.cpu_seconds
