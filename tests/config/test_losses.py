"""Does `check` say what can be lost with this configuration, not with another?"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from agent.config.losses import consequences

if TYPE_CHECKING:
    from agent.config.model import Config

STDIN = "sources: [{type: stdin}]\n"
FILES = "sources: [{type: file, paths: [a]}]\n"
BOTH = "sources: [{type: stdin}, {type: file, paths: [a]}]\n"
ENDINGS = ["the agent is stopped", "the agent is killed", "the power fails"]
KEPT = "nothing of files: they are still there and are sent again"
TWICE = "records of files that were accepted before, since files are read from their beginning"


def _lost(config: "Config", fault: str) -> str:
    return next(item.lost for item in consequences(config) if item.fault.startswith(fault))


@pytest.mark.parametrize("fault", ENDINGS)
def test_what_was_read_from_stdin_is_lost_up_to_the_buffer(
    configured: Callable[..., "Config"], fault: str
) -> None:
    lost = _lost(configured(STDIN + "buffer: {max_bytes: 8MiB}"), fault)
    assert lost.startswith("what was read from stdin and ")
    assert "at most 8MiB" in lost
    assert KEPT not in lost


@pytest.mark.parametrize("fault", ENDINGS)
def test_files_are_not_lost_but_sent_again(configured: Callable[..., "Config"], fault: str) -> None:
    config = configured(FILES)
    assert _lost(config, fault).startswith(KEPT)
    assert [item.twice for item in consequences(config) if item.fault.startswith(fault)] == [TWICE]


@pytest.mark.parametrize("fault", ENDINGS)
def test_each_source_has_its_own_loss(configured: Callable[..., "Config"], fault: str) -> None:
    lost = _lost(configured(BOTH), fault)
    assert "stdin" in lost
    assert KEPT in lost


def test_an_outage_loses_nothing(configured: Callable[..., "Config"]) -> None:
    lost = _lost(configured(STDIN), "the platform is away")
    assert lost == (
        "nothing: reading waits once 32MiB are held, and sending is tried again for ever, "
        "at most 1m apart"
    )


def test_the_grace_is_named(configured: Callable[..., "Config"]) -> None:
    assert "unanswered 7s later" in _lost(configured("shutdown: {grace: 7s}"), ENDINGS[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("receipts: {enabled: false}", "receipts are off, so nothing names it to Adobe"),
        ("receipts: {keep: 7d}", "its receipt names it to Adobe for 7d"),
    ],
)
def test_receipts_are_what_traces_a_record_that_never_landed(
    configured: Callable[..., "Config"], text: str, words: str
) -> None:
    config = configured(text)
    assert words in _lost(config, "the platform accepts a record and fails")
    assert ("and receipts" in _lost(config, "the power fails")) is config.receipts.enabled
