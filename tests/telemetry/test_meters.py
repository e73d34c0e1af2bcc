import re
from time import time

import pytest

from agent import __version__
from agent.telemetry.meters import STATES, Meters

UNITS = {
    "aep_agent_destination_state": "state",
    "aep_agent_delivery_compression_enabled": "enabled",
    "aep_agent_build_info": "info",
    "aep_agent_last_reload_successful": "successful",
    "aep_agent_loop_tasks": "tasks",
    "aep_agent_reloads_total": "reloads",
}


@pytest.fixture
def meters() -> Meters:
    return Meters()


def test_every_name_follows_the_convention(meters: Meters) -> None:
    for row in meters.table():
        assert re.fullmatch(r"aep_agent(_[a-z]+){2,}", row.name), row.name
        assert row.name.endswith("_total") == (row.kind == "counter"), row.name
        unit = row.name.removesuffix("_total").rsplit("_", 1)[1]
        plain_units = {"records", "bytes", "batches", "requests", "seconds", "ids", "retries"}
        assert unit in plain_units | {
            "commits",
            "connections",
            "datagrams",
            "files",
            UNITS.get(row.name),
        }, row.name


def test_every_metric_is_explained_in_a_sentence(meters: Meters) -> None:
    rows = list(meters.table())
    assert all(row.help.endswith(".") for row in rows)
    assert len({row.name for row in rows}) == len(rows) >= 30


def test_labels_are_few_and_bounded(meters: Meters) -> None:
    allowed = {
        "source",
        "cause",
        "reason",
        "filter",
        "status",
        "outcome",
        "form",
        "entry",
        "state",
        "version",
        "python",
    }
    assert {label for row in meters.table() for label in row.labels} == allowed


def test_what_is_held_is_what_was_read_and_not_answered_for(meters: Meters) -> None:
    meters.records_read.add(100, "a")
    meters.records_read.add(50, "b")
    assert meters.records_held.value() == 150
    meters.records_accepted.add(60)
    meters.records_dead_lettered.add(5, "invalid_json")
    meters.records_filtered.add(10, "a", "drop-1")
    meters.records_dropped.add(15, "shutdown")
    assert meters.records_held.value() == 60


def test_the_destination_is_in_the_given_states_and_no_other(meters: Meters) -> None:
    meters.destination_is("throttled", "draining")
    meters.destination_is("ready")
    series = {labels[0]: value for labels, value in meters.destination_state.series()}
    assert series == {state: int(state == "ready") for state in STATES}


def test_an_unknown_destination_state_is_refused(meters: Meters) -> None:
    with pytest.raises(ValueError, match="sleeping"):
        meters.destination_is("sleeping")


def test_the_build_and_the_start_are_known(meters: Meters) -> None:
    ((labels, value),) = meters.build_info.series()
    assert (labels[0], value) == (__version__, 1)
    assert abs(meters.start_time_seconds.value() - time()) < 5
