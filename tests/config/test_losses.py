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
MEMORY = "buffer: {type: memory, max_bytes: 8MiB}\n"
KEPT = "nothing of files: reading goes on where it had got to"


def _lost(config: "Config", fault: str) -> str:
    return next(item.lost for item in consequences(config) if item.fault.startswith(fault))


@pytest.mark.parametrize("fault", ENDINGS)
def test_what_was_read_from_stdin_is_lost_up_to_the_buffer(
    configured: Callable[..., "Config"], fault: str
) -> None:
    lost = _lost(configured(STDIN + MEMORY), fault)
    assert lost.startswith("what was read from stdin and ")
    assert "at most 8MiB" in lost
    assert KEPT not in lost


def test_on_disk_only_the_last_moments_of_a_pipe_are_lost_and_only_where_the_agent_is_killed(
    configured: Callable[..., "Config"],
) -> None:
    config = configured(STDIN + "batch: {max_wait: 2s}")
    assert _lost(config, "the agent is stopped").startswith("nothing: what has no answer stays")
    for fault in ("the agent is killed", "the power fails"):
        assert "read from stdin in the last 2s100ms or so, at most 32MiB" in _lost(config, fault)


def test_what_sockets_gave_is_lost_like_that_of_a_pipe_and_what_was_on_the_way_too(
    configured: Callable[..., "Config"],
) -> None:
    config = configured("sources: [{type: stdin}, {type: tcp, listen: '127.0.0.1:5170'}]")
    assert _lost(config, "the agent is stopped").startswith("nothing: what has no answer stays")
    for fault in ("the agent is killed", "the power fails"):
        lost = _lost(config, fault)
        assert lost.startswith("what was read from stdin and sockets in the last 1s100ms or so")
        assert "also what clients had sent and the agent had not yet received" in lost
    assert not any(item.fault.startswith("UDP") for item in consequences(config))


def test_udp_loses_what_nobody_reads_in_time(configured: Callable[..., "Config"]) -> None:
    config = configured("sources: [{type: udp, listen: '127.0.0.1:5170'}]")
    assert "counted in datagrams" in _lost(config, "UDP datagrams come faster")


@pytest.mark.parametrize("fault", ENDINGS)
@pytest.mark.parametrize("buffer", ["", MEMORY])
def test_files_are_not_lost(configured: Callable[..., "Config"], fault: str, buffer: str) -> None:
    lost = _lost(configured(FILES + buffer), fault)
    assert KEPT in lost or lost.startswith("nothing: ")


@pytest.mark.parametrize("fault", ENDINGS)
def test_each_source_has_its_own_loss(configured: Callable[..., "Config"], fault: str) -> None:
    lost = _lost(configured(BOTH + MEMORY), fault)
    assert "stdin" in lost
    assert KEPT in lost


@pytest.mark.parametrize("fault", ["an answer is lost", "the agent is killed"])
@pytest.mark.parametrize(("add", "told"), [("none", False), ("position", True), ("content", True)])
def test_ids_say_who_notices_that_a_record_came_twice(
    configured: Callable[..., "Config"], fault: str, add: str, told: bool
) -> None:
    config = configured(FILES + f"record_id: {{add: {add}}}")
    (twice,) = [item.twice for item in consequences(config) if item.fault.startswith(fault)]
    assert ("Profile ignores an event whose _id it has" in twice) is told


def test_an_outage_loses_nothing(configured: Callable[..., "Config"]) -> None:
    lost = _lost(configured(STDIN), "the platform is away")
    assert lost == (
        "nothing: reading waits once 1GiB are held, and sending is tried again for ever, "
        "at most 1m apart"
    )


def test_the_grace_is_named(configured: Callable[..., "Config"]) -> None:
    config = configured("shutdown: {grace: 7s}\n" + MEMORY)
    assert "unanswered 7s later" in _lost(config, ENDINGS[0])


@pytest.mark.parametrize(
    ("policy", "which"), [("drop_newest", "newest"), ("drop_oldest", "oldest")]
)
def test_dropping_is_a_loss_that_is_said(
    configured: Callable[..., "Config"], policy: str, which: str
) -> None:
    lost = _lost(configured(f"buffer: {{when_full: {policy}}}"), "the platform is away")
    assert lost.startswith(f"the {which} batches once 1GiB are held, counted as dropped")


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


@pytest.mark.parametrize(
    ("poison", "words"),
    [
        ("", "after 500 dead letters at most"),
        ("{share: 0.1, least: 200}", "after 200 dead letters at most"),
        ("{share: 1}", "all of them become dead letters"),
    ],
)
def test_what_a_changed_schema_costs_is_said(
    configured: Callable[..., "Config"], poison: str, words: str
) -> None:
    config = configured(f"delivery: {{poison: {poison or '{}'}}}")
    (found,) = [each for each in consequences(config) if each.fault.startswith("most records")]
    assert words in found.lost


def test_what_filters_do_is_said_in_words(configured: Callable[..., "Config"]) -> None:
    config = configured(
        "sources: [{type: stdin, non_json: drop, filters: [{drop: a = 1, name: ones},"
        " {hash: mail, normalize: true}]}]\n"
    )
    assert (
        _lost(config, "a record of stdin meets a filter: no records with a = 1")
        == "what filter ones leaves out: it is counted as filtered, and gone"
    )
    assert "filter hash-2" in _lost(config, "a record of stdin meets a filter: mail hashed")
    assert "(non_json), and gone" in _lost(config, "a line of stdin is no JSON object")
    assert not [each for each in consequences(configured(STDIN)) if "filter" in each.fault]


@pytest.mark.parametrize("fault", ENDINGS)
def test_what_was_answered_over_http_is_not_lost(
    configured: Callable[..., "Config"], fault: str
) -> None:
    lost = _lost(configured("sources: [{type: http}]\n" + MEMORY), fault)
    assert "nothing that was answered with 2xx over HTTP" in lost
    assert "stdin" not in lost
