"""Are durations and sizes read as people mean them, and shown as people write them?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.units import parse_duration, parse_size, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("30d", 2_592_000.0),
        ("1d1h1m1s1ms", 90_061.001),
        ("1.5s", 1.5),
        ("0.1ms", 0.0001),
        ("0", 0.0),
        ("0s", 0.0),
        ("2", 2.0),
        ("0.25", 0.25),
        (" 3s ", 3.0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "1 fortnight",
        "1x",
        "-1s",
        "+1s",
        "1S",
        "1m1m",
        "1s1m",
        "1 s",
        "1e3",
        "inf",
        "nan",
        ".5s",
        "1.",
        "1,5s",
        "1h 30m",
        "\u0661s",
        "9" * 20,
        "1\n2",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000000", 1_000_000),
        ("7B", 7),
        ("500KB", 500_000),
        ("500 KB", 500_000),
        ("500kb", 500_000),
        ("1KiB", 1024),
        ("1MB", 1_000_000),
        ("1MiB", 1_048_576),
        ("1GiB", 1_073_741_824),
        ("2TB", 2_000_000_000_000),
        ("1TiB", 1_099_511_627_776),
        ("1.5KiB", 1536),
        ("0.5KB", 500),
    ],
)
def test_a_size_is_read_in_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "KB",
        "1K",
        "1M",
        "32Mi",
        "-1",
        "1e6",
        "1_000",
        "1,000",
        "0.5",
        "0.5B",
        "1.0001KB",
        "1  KB",
        "1PB",
        "inf",
        "\u00b2",
        "9" * 20,
        "1KB1KB",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0s"),
        (0.5, "500ms"),
        (1.5, "1s500ms"),
        (60.0, "1m"),
        (5400.0, "1h30m"),
        (2592000.0, "30d"),
        (0.0001, "0.1ms"),
    ],
)
def test_a_duration_is_shown_in_the_largest_units(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1KB"),
        (1024, "1KiB"),
        (1000000, "1MB"),
        (33554432, "32MiB"),
        (1048577, "1048577B"),
    ],
)
def test_a_size_is_shown_in_the_largest_unit_that_divides_it(size: int, shown: str) -> None:
    assert show_size(size) == shown


@given(st.integers(0, 10**12).map(lambda milliseconds: milliseconds / 1000))
def test_a_shown_duration_reads_back_unchanged(seconds: float) -> None:
    assert parse_duration(show_duration(seconds)) == seconds


@given(st.integers(0, 2**49))
def test_a_shown_size_reads_back_unchanged(size: int) -> None:
    assert parse_size(show_size(size)) == size
