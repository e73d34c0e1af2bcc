import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from agent.telemetry.instruments import Example
from agent.telemetry.meters import Meters
from agent.telemetry.prometheus import render

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ODD_SOURCE = 'odd "name"\\\n漢\udcff'


@pytest.fixture
def meters() -> Meters:
    meters = Meters()
    meters.records_read.add(7, "orders.json")
    meters.records_read.add(1, ODD_SOURCE)
    meters.records_dead_lettered.add(2, "invalid_json")
    meters.requests.add(1, "207")
    meters.request_seconds.observe(0.3)
    meters.receive_lag_seconds.observe_many(2, 500)
    meters.destination_is("ready")
    return meters


def families(meters: Meters, accept: str) -> dict[str, Metric]:
    body, content_type = render({"": meters}, accept)
    read = read_openmetrics if "openmetrics" in content_type else read_text
    return {family.name: family for family in read(body.decode())}


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_every_metric_of_the_table_is_exposed_in_both_formats(meters: Meters, accept: str) -> None:
    exposed = families(meters, accept)
    for row in meters.table():
        family = exposed[row.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (row.kind, row.help)
        assert all(set(row.labels) <= set(sample.labels) for sample in family.samples)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_the_numbers_are_those_counted(meters: Meters, accept: str) -> None:
    exposed = families(meters, accept)
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in exposed.values()
        for sample in family.samples
    }
    assert samples["aep_agent_pipeline_read_records_total", "orders.json"] == 7
    assert samples["aep_agent_pipeline_read_records_total", 'odd "name"\\\n漢\\udcff'] == 1
    assert samples["aep_agent_pipeline_held_records",] == 6
    assert samples["aep_agent_delivery_request_seconds_bucket", "0.25"] == 0
    assert samples["aep_agent_delivery_request_seconds_bucket", "0.5"] == 1
    assert samples["aep_agent_delivery_receive_lag_seconds_bucket", "+Inf"] == 500
    assert samples["aep_agent_delivery_receive_lag_seconds_count",] == 500
    assert samples["aep_agent_delivery_receive_lag_seconds_sum",] == 1000
    assert samples["aep_agent_destination_state", "ready"] == 1
    assert samples["aep_agent_destination_state", "down"] == 0
    assert samples["process_resident_memory_bytes",] > 1e6


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0"),
        (OPENMETRICS + ";q=0.5,text/plain;version=0.0.4;q=0.3", "application/openmetrics-text"),
        ("text/html,application/xml;q=0.9", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=abc", "text/plain; version=0.0.4"),
    ],
)
def test_the_scraper_gets_the_format_it_asks_for(
    meters: Meters, accept: str, content_type: str
) -> None:
    assert render({"": meters}, accept)[1].startswith(content_type)


@given(st.text(max_size=60) | st.from_regex(r"(text/plain|application/openmetrics-text);.{0,30}"))
def test_no_accept_header_breaks_the_scrape(accept: str) -> None:
    assert b"aep_agent_build_info" in render({"": Meters()}, accept)[0]


def test_metrics_are_whole_while_others_write_them(meters: Meters) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            meters.requests.add(1, str(number % 150))
            meters.store_commit_seconds.observe(number % 7)

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    try:
        for _ in range(50):
            exposed = families(meters, OPENMETRICS)
            buckets = [
                sample.value
                for sample in exposed["aep_agent_store_commit_seconds"].samples
                if sample.name.endswith("_bucket")
            ]
            assert all(low <= high for low, high in pairwise(buckets))
            seen.append(sum(s.value for s in exposed["aep_agent_delivery_requests"].samples))
    finally:
        stop.set()
        writer.join()
    assert all(before <= after for before, after in pairwise(seen))
    assert len(exposed["aep_agent_delivery_requests"].samples) == 101


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_metrics_of_several_flows_carry_their_names_and_those_of_the_process_none(
    meters: Meters, accept: str
) -> None:
    other = Meters(beside=meters)
    other.records_read.add(3, "orders.json")
    other.store_commits.add(5)
    other.request_seconds.observe(0.2)
    body, content_type = render({"a": meters, "b": other}, accept)
    read = read_openmetrics if "openmetrics" in content_type else read_text
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in read(body.decode())
        for sample in family.samples
    }
    records = "aep_agent_pipeline_read_records_total"
    assert found[records, ("flow", "a"), ("source", "orders.json")] == 7
    assert found[records, ("flow", "b"), ("source", "orders.json")] == 3
    seconds = "aep_agent_delivery_request_seconds_count"
    assert found[seconds, ("flow", "a")] == found[seconds, ("flow", "b")] == 1
    assert found["aep_agent_store_commits_total",] == 5
    assert meters.store_commits.value() == 5


def test_a_single_flow_has_its_label_where_it_has_a_name(meters: Meters) -> None:
    assert b'aep_agent_batcher_encoded_batches_total{flow="a"}' in render({"a": meters}, "")[0]
    assert b"aep_agent_batcher_encoded_batches_total 0" in render({"": meters}, "")[0]
    assert b"aep_agent_store_commits_total 0" in render({"a": meters}, "")[0]


@pytest.mark.parametrize(
    ("xaction_id", "shown"), [("1565628583792:1485:153:0", True), ("x" * 101, False)]
)
def test_a_lag_can_be_looked_up_by_the_id_of_a_record_that_had_it(
    meters: Meters, xaction_id: str, shown: bool
) -> None:
    meters.receive_lag_seconds.exemplify(Example(2, xaction_id, 1_565_628_583.8))
    samples = families(meters, OPENMETRICS)["aep_agent_delivery_receive_lag_seconds"].samples
    told = {s.labels["le"]: s.exemplar for s in samples if s.exemplar}
    assert bool(told) is shown
    if shown:
        exemplar = told["2.5"]
        assert exemplar.labels == {"xaction_id": xaction_id}
        assert (exemplar.value, float(exemplar.timestamp)) == (2, 1_565_628_583.8)
    plain = families(meters, "").values()
    assert not any(sample.exemplar for family in plain for sample in family.samples)
