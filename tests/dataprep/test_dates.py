"""Dates in the patterns of Java, in the forms that are known without one, and in zones."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.dataprep import EvaluationError
from agent.dataprep.date_patterns import form
from agent.dataprep.zones import zone
from dataprep.evaluating import value_of

AT = datetime(2021, 3, 5, 15, 4, 9, 78_000, tzinfo=UTC)  # a Friday, in ISO week 9
IN_PARIS = datetime(2021, 7, 5, 0, 4, 9, tzinfo=zone("Europe/Paris"))


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2021-03-05T15:04:09.078Z"),
        ("yy yyy y uuuu uu", "21 2021 2021 2021 21"),
        ("M MM MMM MMMM MMMMM L LLL", "3 03 Mar March M 3 Mar"),
        ("d dd D DDD F", "5 05 64 064 1"),
        ("E EEE EEEE EEEEE", "Fri Fri Friday F"),
        ("Y-'W'ww W", "2021-W09 1"),
        ("Q QQ QQQ QQQQ q", "1 01 Q1 1st quarter 1"),
        ("G GGGG GGGGG", "AD Anno Domini A"),
        ("H HH k kk K KK h hh a", "15 15 15 15 3 03 3 03 PM"),
        ("m mm s ss S SSS SSSSSSSSS", "4 04 9 09 0 078 078000000"),
        ("X XX XXX x xx xxx Z ZZZZ ZZZZZ", "Z Z Z +00 +0000 +00:00 +0000 GMT Z"),
        ("z VV O OOOO", "UTC UTC GMT GMT"),
        ("'o''clock' ''", "o'clock '"),
        ("yyyy[-MM]/dd", "2021-03/05"),
    ],
)
def test_a_date_is_written_as_java_writes_it(pattern: str, written: str) -> None:
    assert form(pattern).write(AT) == written


def test_a_date_has_the_offset_of_its_zone() -> None:
    assert form("X XXX Z ZZZZ O VV z").write(IN_PARIS) == (
        "+02 +02:00 +0200 GMT+02:00 GMT+2 Europe/Paris CEST"
    )
    half = datetime(2021, 1, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert form("X XX O kk").write(half) == "-0330 -0330 GMT-3:30 24"


@pytest.mark.parametrize(
    ("pattern", "text", "iso"),
    [
        ("yyyy-MM-dd HH:mm", "2019-10-23 11:24", "2019-10-23T11:24:00Z"),
        ("yyyyMMddHHmmss", "20191023112435", "2019-10-23T11:24:35Z"),
        ("d/M/yy", "3/4/21", "2021-04-03T00:00:00Z"),
        ("MMMM d, yyyy", "December 31, 2020", "2020-12-31T00:00:00Z"),
        ("EEE, dd MMM yyyy HH:mm:ss z", "Tue, 03 Jun 2008 11:05:30 GMT", "2008-06-03T11:05:30Z"),
        ("M/dd/yyyy hh:mm:ss a", "1/02/2021 12:00:00 AM", "2021-01-02T00:00:00Z"),
        ("M/dd/yyyy hh:mm:ss a", "1/02/2021 12:30:00 PM", "2021-01-02T12:30:00Z"),
        ("yyyy-MM-dd K a", "2021-01-02 11 PM", "2021-01-02T23:00:00Z"),
        ("yyyy-MM-dd kk", "2021-01-02 24", "2021-01-02T00:00:00Z"),
        ("yyyy-DDD", "2020-366", "2020-12-31T00:00:00Z"),
        ("YYYY-'W'ww", "2021-W01", "2021-01-04T00:00:00Z"),
        ("yyyy QQQ", "2021 Q3", "2021-07-01T00:00:00Z"),
        ("yyyy-MM-dd", "2021-02-31", "2021-02-28T00:00:00Z"),
        (
            "yyyy-MM-dd'T'HH:mm:ss.SSSX",
            "2021-01-02T03:04:05.678+01",
            "2021-01-02T03:04:05.678+01:00",
        ),
        ("yyyy-MM-dd HH:mmZ", "2021-01-02 03:04-0330", "2021-01-02T03:04:00-03:30"),
        ("yyyy-MM-dd HH:mm VV", "2021-07-02 03:04 Europe/Paris", "2021-07-02T03:04:00+02:00"),
        ("yyyy-MM-dd HH:mm O", "2021-07-02 03:04 GMT+8", "2021-07-02T03:04:00+08:00"),
        ("yyyy[-MM[-dd]]", "2021", "2021-01-01T00:00:00Z"),
        ("yyyy[-MM[-dd]]", "2021-03", "2021-03-01T00:00:00Z"),
        (
            "yyyy-MM-dd HH:mm:ss.SSSSSSSSS",
            "2021-01-01 00:00:00.123456789",
            "2021-01-01T00:00:00.123Z",
        ),
    ],
)
def test_a_date_is_read_as_java_reads_it(pattern: str, text: str, iso: str) -> None:
    assert value_of("date(text, pattern)", {"text": text, "pattern": pattern}) == iso


@pytest.mark.parametrize(
    ("pattern", "text", "message"),
    [
        ("yyyy-MM-dd", "2021-1-2", "is not a date of the form yyyy-MM-dd"),
        ("yyyy-MM-dd", "2021-13-01", "there is no date '2021-13-01'"),
        ("yyyy-MM-dd", "2021-00-01", "there is no date"),
        ("yyyy-DDD", "2021-366", "there is no date"),
        ("yyyy hh a", "2021 13 AM", "there is no date"),
        ("HH:mm", "11:24", "a date needs a year"),
        ("yyyy b", "2021 x", "b has no meaning"),
        ("yyyy 'open", "2021 open", "a quote is not closed"),
        ("yyyy]", "2021", "a ] closes nothing"),
        ("[yyyy", "2021", r"a \[ is not closed"),
        ("y" * 300, "2021", "a date pattern may have 256 characters"),
        ("yyyy z", "2021 Nowhere", "is no time zone"),
    ],
)
def test_what_is_no_such_date_says_so(pattern: str, text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        value_of("date(text, pattern)", {"text": text, "pattern": pattern})


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2021-01-02 03:04:05+0100", "2021-01-02T03:04:05+01:00"),
        ("2021-01-02 03:04:05.678+0100", "2021-01-02T03:04:05.678+01:00"),
        ("2021-01-02 03:04:05.678", "2021-01-02T03:04:05.678Z"),
        ("2021-01-02T03:04:05.678Z", "2021-01-02T03:04:05.678Z"),
        ("2021-01-02T03:04:05Z", "2021-01-02T03:04:05Z"),
        ("2021-01-02", "2021-01-02T00:00:00Z"),
        ("2021/01/02", "2021-01-02T00:00:00Z"),
        ("2021.01.02", "2021-01-02T00:00:00Z"),
        ("2021-Jan-02", "2021-01-02T00:00:00Z"),
        ("20210102", "2021-01-02T00:00:00Z"),
        ("01-02-2021", "2021-01-02T00:00:00Z"),
        ("12112020", "2020-12-11T00:00:00Z"),
        ("1/02/2021", "2021-01-02T00:00:00Z"),
        ("02.1.2021", "2021-01-02T00:00:00Z"),
        ("1/02/2021 03:04:05 PM", "2021-01-02T15:04:05Z"),
        ("02.1.2021 03:04:05 AM", "2021-01-02T03:04:05Z"),
        ("02.Jan.2021", "2021-01-02T00:00:00Z"),
        ("02-Jan-2021", "2021-01-02T00:00:00Z"),
        ("2021-01-02 03:04:05", "2021-01-02T03:04:05Z"),
        ("2021-01-02T03:04:05+02:00", "2021-01-02T03:04:05+02:00"),
    ],
)
def test_a_date_in_a_known_form_needs_no_pattern(text: str, iso: str) -> None:
    assert value_of("date(text)", {"text": text}) == iso


@pytest.mark.parametrize(
    ("component", "part"),
    [
        *(("year", 2021), ("yyyy", 2021), ("yy", 2021), ("quarter", 4), ("qq", 4), ("q", 4)),
        *(("month", 10), ("mm", 10), ("m", 10), ("dayofyear", 299), ("dy", 299), ("y", 299)),
        *(("day", 26), ("dd", 26), ("d", 26), ("week", 43), ("ww", 43), ("w", 43)),
        *(("weekday", 2), ("dw", 2), ("hour", 10), ("hh", 10), ("hh24", 10), ("hh12", 10)),
        *(("minute", 10), ("mi", 10), ("n", 10), ("second", 24), ("ss", 24), ("s", 24)),
        *(("millisecond", 123), ("SSS", 123), ("ms", 123)),
    ],
)
def test_every_part_of_a_date_has_its_names(component: str, part: int) -> None:
    assert value_of(f'date_part("{component}", now())') == part


@pytest.mark.parametrize("name", ["../../etc/passwd", "Europe", "a" * 100, "+99:00", "\x00", "é"])
def test_what_is_no_zone_is_no_file_either(name: str) -> None:
    with pytest.raises(EvaluationError, match="is no time zone"):
        zone(name)
