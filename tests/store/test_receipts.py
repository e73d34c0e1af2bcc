import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.record import Receipt, Span, XactionIds
from agent.store import receipts
from agent.store.database import open_for_reading, open_for_writing
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds

UUID = "9341f8eb-6d2e-4f7a-8a51-02f0a3d1a7ce"


def lines(found):
    return [(one.source, one.line, one.xaction_id, one.index) for one in found]


async def test_an_id_leads_to_its_line(store, receipt, reopened):
    await store.settle([receipt(0), receipt(1)], [])
    (found,) = receipts.find(reopened(), "1565628583793:1485:153:7")
    expected = receipt(1)
    assert found == receipts.FoundReceipt(
        xaction_id="1565628583793:1485:153:7",
        batch_id=expected.batch_id,
        received_time_ms=expected.received_time_ms,
        accepted_at=expected.accepted_at,
        attempts=1,
        source="orders.ndjson",
        line=18,
        span_line=11,
        span_offset=1000,
        index=7,
    )


async def test_ids_of_a_partial_batch_lead_to_the_lines_that_were_accepted(
    store, receipt, reopened
):
    # Records 2 and 5 of eight were refused; the batch was made of two sources.
    partial = receipt(
        ids=XactionIds(f"{UUID}-", (range(2), range(3, 5), range(6, 8))),
        spans=(
            Span("a.ndjson", 101, 900, 2),
            Span("a.ndjson", 104, 960, 1),
            Span("b.ndjson", 1, 0, 1),
            Span("b.ndjson", 3, 40, 2),
        ),
    )
    await store.settle([partial], [])
    connection = reopened()
    assert lines(receipts.find(connection, f"{UUID}-3")) == [("a.ndjson", 104, f"{UUID}-3", 2)]
    assert lines(receipts.find(connection, f"{UUID}-7")) == [("b.ndjson", 4, f"{UUID}-7", 5)]
    assert receipts.find(connection, f"{UUID}-2") == []
    assert receipts.find(connection, f"{UUID}-8") == []
    assert lines(receipts.find(connection, "b.ndjson:3")) == [("b.ndjson", 3, f"{UUID}-6", 4)]
    assert receipts.find(connection, "a.ndjson:103") == []
    assert receipts.find(connection, "b.ndjson:2") == []


async def test_listed_ids_lead_to_their_lines(store, receipt, reopened):
    ids = tuple(f"odd/{number * 17}" for number in range(10))
    await store.settle([receipt(ids=XactionIds(listed=ids))], [])
    connection = reopened()
    assert lines(receipts.find(connection, "odd/34")) == [("orders.ndjson", 3, "odd/34", 2)]
    assert lines(receipts.find(connection, "orders.ndjson:10")) == [
        ("orders.ndjson", 10, "odd/153", 9)
    ]


async def test_a_batch_id_leads_to_all_records_of_its_batch(store, receipt, reopened):
    foreign = receipt(1, batch_id="the-batch")  # its ids do not begin with it
    listed = receipt(2, batch_id="listed", ids=XactionIds(listed=tuple("abcdefghij")))
    await store.settle([receipt(0), foreign, listed], [])
    connection = reopened()
    for wanted, first in (("1565628583792:1485:153", 1), ("the-batch", 11), ("listed", 21)):
        found = receipts.find(connection, wanted)
        assert [one.line for one in found] == list(range(first, first + 10))
    assert receipts.find(connection, "1565628583793:1485:153") == [], "a prefix is no batch id"


async def test_a_batch_with_two_receipts_is_found_whole(store, receipt, reopened):
    halves = [
        receipt(ids=XactionIds("1:1:1:", (range(5),)), batch_id="1:1:1"),
        receipt(1, ids=XactionIds("1:1:1:", (range(5, 10),)), batch_id="1:1:1"),
    ]
    for half in halves:
        await store.settle([half], [])
    found = receipts.find(reopened(), "1:1:1")
    assert [one.xaction_id for one in found[:10:9]] == ["1:1:1:0", None], "fewer ids than records"
    assert len(found) == 20


async def test_a_single_message_is_found_by_its_id(store, receipt, reopened):
    one = receipt(
        batch_id=None,
        ids=XactionIds(listed=("1584479347507:2153:240",)),
        spans=(Span("stdin", 5, 80, 1),),
    )
    await store.settle([one], [])
    assert [found.line for found in receipts.find(reopened(), "1584479347507:2153:240")] == [5]


async def test_what_reads_as_two_names_of_one_record_is_found_once(store, receipt, reopened):
    one = receipt(batch_id="a:5", ids=XactionIds(listed=("a:5",)), spans=(Span("a", 5, 0, 1),))
    await store.settle([one], [])
    assert lines(receipts.find(reopened(), "a:5")) == [("a", 5, "a:5", 0)]


async def test_a_line_sent_twice_has_two_receipts(store, receipt, reopened):
    wide = receipt(0, spans=(Span("stdin", 1, 0, 5000),), ids=XactionIds("a:", (range(5000),)))
    await store.settle([wide], [])
    for number in range(1, 4):
        await store.settle([receipt(number, spans=(Span("stdin", 4990, 9, 10),))], [])
    found = receipts.find(reopened(), "stdin:4995")
    assert [one.index for one in found] == [4994, 5, 5, 5]


async def test_a_file_may_be_named_by_the_end_of_its_path(store, receipt, reopened):
    names = ("/var/log/orders.ndjson", "/var/log/old-orders.ndjson", "odd:name:3")
    for number, name in enumerate(names):
        await store.settle([receipt(number, spans=(Span(name, 1, 0, 10),))], [])
    connection = reopened()
    for wanted in ("orders.ndjson:4", "log/orders.ndjson:4", "/var/log/orders.ndjson:4"):
        assert [one.source for one in receipts.find(connection, wanted)] == [names[0]]
    assert [one.source for one in receipts.find(connection, "odd:name:3:4")] == [names[2]]
    assert receipts.find(connection, "rders.ndjson:4") == []


async def test_what_was_never_accepted_is_not_found(store, receipt, reopened):
    await store.settle([receipt()], [])
    for wanted in ("", ":", "x", "orders.ndjson", "orders.ndjson:0", "orders.ndjson:11", "-1"):
        assert receipts.find(reopened(), wanted) == []


async def test_receipts_are_read_in_order_and_from_a_time_on(store, receipt, reopened):
    await store.settle([receipt(number) for number in range(450)], [])
    found = list(receipts.each(reopened()))
    assert [one.line for one in found] == list(range(1, 4501))
    late = list(receipts.each(reopened(), since=receipt(440).accepted_at))
    assert late == found[4400:]


async def test_sources_are_named_newest_first(store, receipt, reopened):
    for number, name in enumerate(("a", "b", "a", "c")):
        await store.settle([receipt(number, spans=(Span(name, 1, 0, 10),))], [])
    assert receipts.newest_sources(reopened(), 2) == ["c", "b"]


def test_one_of_many_receipts_is_found_at_once(tmp_path):
    connection, _ = open_for_writing(tmp_path)
    settling = Settling(SourceIds(), 0)
    connection.execute("BEGIN")
    settling.write(
        connection,
        [
            Receipt(
                accepted_at=1_700_000_000.0 + number,
                received_time_ms=None,
                batch_id=f"b{number * 7919 % 100_003}",
                ids=XactionIds(f"b{number * 7919 % 100_003}-", (range(500),)),
                spans=(Span("orders.ndjson", number * 500 + 1, number * 500_000, 500),),
                attempts=1,
            )
            for number in range(100_000)
        ],
        [],
    )
    settling.flush(connection)
    connection.execute("COMMIT")
    connection.close()
    for wanted in ("b7919-77", "orders.ndjson:49999500", "orders.ndjson:1", "b1", "b100004-1"):
        started = time.perf_counter()
        reader = open_for_reading(tmp_path)
        found = receipts.find(reader, wanted)
        reader.close()
        assert time.perf_counter() - started < 0.05
        assert bool(found) is (wanted != "b100004-1")


texts = st.text(st.characters(codec="utf-8"), max_size=12)
spans = st.builds(
    Span, texts, st.integers(1, 2**40), st.integers(0, 2**50), st.integers(1, 50), st.just(1)
)


@st.composite
def whole_receipts(draw):
    parts = tuple(draw(st.lists(spans, min_size=1, max_size=4)))
    count = sum(span.count for span in parts)
    if draw(st.booleans()):
        ids = XactionIds(listed=tuple(f"{number}{draw(texts)}" for number in range(count)))
    else:
        numbers = sorted(draw(st.sets(st.integers(0, 300), min_size=count, max_size=count)))
        runs: list[range] = []
        for number in numbers:
            if runs and runs[-1].stop == number:
                runs[-1] = range(runs[-1].start, number + 1)
            else:
                runs.append(range(number, number + 1))
        ids = XactionIds(draw(texts) + draw(st.sampled_from(":-")), tuple(runs))
    return Receipt(
        accepted_at=draw(st.integers(0, 2**42)) / 1000,
        received_time_ms=draw(st.none() | st.integers(0, 2**60)),
        batch_id=draw(st.none() | texts),
        ids=ids,
        spans=parts,
        attempts=draw(st.integers(1, 99)),
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(whole_receipts(), min_size=1, max_size=4), st.data())
def test_any_receipt_is_read_back_and_each_of_its_records_found(tmp_path, kept, data):
    connection, _ = open_for_writing(tmp_path)
    connection.execute("DELETE FROM receipts")
    connection.execute("BEGIN")
    settling = Settling(SourceIds(), 0)
    settling.write(connection, kept, [])
    settling.flush(connection)
    connection.execute("COMMIT")
    assert list(receipts.each_receipt(connection)) == kept
    everything = list(receipts.each(connection))
    assert [one.xaction_id for one in everything] == [each for one in kept for each in one.ids]
    wanted = data.draw(st.sampled_from(everything))
    assert wanted in receipts.find(connection, wanted.xaction_id)
    assert (
        wanted in receipts.find(connection, f"{wanted.source}:{wanted.line}") or not wanted.source
    )
    if wanted.batch_id is not None:
        assert wanted in receipts.find(connection, wanted.batch_id)
    connection.close()


async def test_a_path_means_all_files_that_were_followed_under_it(store, receipt, reopened):
    spans = (
        Span("/var/log/app.log", 1, 0, 1),
        Span("/var/log/app.log#2", 1, 0, 1),
        Span("/var/log/app.log#12", 1, 0, 1),
        Span("/var/log/other-app.log", 1, 0, 1),
        Span("/var/log/app.log#x", 1, 0, 1),
    )
    await store.settle([receipt(ids=XactionIds(f"{UUID}-", (range(5),)), spans=spans)], [])
    found = [one.source for one in receipts.find(reopened(), "app.log:1")]
    assert found == [span.source for span in spans[:3]]
    (one,) = receipts.find(reopened(), "/var/log/app.log#2:1")
    assert one.source == "/var/log/app.log#2"
