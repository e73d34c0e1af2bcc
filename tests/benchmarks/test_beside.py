"""What the documents say of ours beside others is what comes out, on a small scale."""

import re
import subprocess
from pathlib import Path

import pytest

from benchmarks import events
from benchmarks.beside import report
from benchmarks.beside.days import DAYS, POISON, Day
from benchmarks.beside.records import ids_in
from benchmarks.beside.shippers import SHIPPERS
from benchmarks.beside.trial import Outcome, go_through
from benchmarks.events import EventFile
from recipes.stage import program

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/comparison.md").read_text()
OURS, SYSLOG_NG = SHIPPERS[:2]
BAD = [day for day in DAYS if not day.fast]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> EventFile:
    """Three megabytes of events, the poisoned one among them."""
    file = events.write(tmp_path_factory.mktemp("beside") / "events.ndjson", 3)
    assert POISON in ids_in(file.path.read_bytes())
    return file


def named(name: str) -> Day:
    return next(day for day in DAYS if day.name == name)


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_whatever_the_day_each_record_is_accepted_or_a_dead_letter_with_us(
    day: Day, file: EventFile
) -> None:
    outcome = go_through(OURS, day, file, patience=20)

    refused = {"refused": len(_ending_in_three(file)), "poison": 1}.get(day.name, 0)
    assert (outcome.dead, outcome.dead_in_vain) == (refused, 0)
    assert outcome.accepted == file.records - refused
    assert (outcome.lost, outcome.waiting) == (0, 0)
    assert outcome.doubled == 0 or day.killed


def test_what_is_told_of_syslog_ng_is_so(file: EventFile) -> None:
    program("syslog-ng")

    refused = go_through(SYSLOG_NG, named("refused"), file, patience=4)
    poisoned = go_through(SYSLOG_NG, named("poison"), file, patience=4)

    assert refused.lost == len(_ending_in_three(file))
    assert refused.dead == poisoned.dead == 0
    assert poisoned.lost > 100  # all that was in one request with it


def test_the_document_has_the_tables_that_the_command_prints() -> None:
    outcome = Outcome("aep-agent", "good", True, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1.0, 1.0, 1.0, 1 << 20)
    printed = report.text([outcome], {"aep-agent": "1"})

    for heading in re.findall(r"^\| (?:day|shipper) .*$", printed, re.MULTILINE):
        assert heading in DOCUMENT
    for day in BAD:
        assert DOCUMENT.count(f"| {day.told} | aep-agent |") == 1
    for row in re.findall(r"^\| .* \| aep-agent \|.*$", DOCUMENT, re.MULTILINE):
        lost, doubled, dead, waiting = (cell.strip() for cell in row.split("|")[5:9])
        assert (lost, waiting) == ("0", "0"), row
        assert doubled == "0" or named("killed").told in row
        assert "good" not in dead


def test_the_command_of_the_document_measures_all_of_it() -> None:
    assert "make compare" in DOCUMENT
    dry = subprocess.run(
        ["make", "-n", "compare"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "-m benchmarks.beside" in dry.stdout
    assert all(shipper.name in DOCUMENT for shipper in SHIPPERS)


def _ending_in_three(file: EventFile) -> list[str]:
    return [each for each in ids_in(file.path.read_bytes()) if each.endswith("3")]
