from collections.abc import Callable
from pathlib import Path

import pytest

from agent.app.parts import build
from agent.app.pipeline import Pipeline
from agent.config.model import Config
from agent.errors import ConfigError

Configured = Callable[..., Config]
FLOW = "x-adobe-flow-id"


async def built(config: Config) -> Pipeline:
    """The pipeline of the only flow."""
    parts = build(config)
    (pipeline,) = parts.each
    await pipeline.inlet.close()
    await parts.store.close()
    return pipeline


def a_file(path: Path) -> Path:
    path.write_bytes(b"{}\n")
    return path


async def test_the_files_of_one_source_are_read_one_after_the_other(
    configured: Configured, tmp_path: Path
) -> None:
    config = configured(a_file(tmp_path / "a"), a_file(tmp_path / "b"))
    parts = await built(config)
    assert [[source.name for source in lane.sources] for lane in parts.lanes] == [
        [str(tmp_path / "a")],
        [str(tmp_path / "b")],
    ]
    together = {"type": "file", "paths": [str(tmp_path / "*")], "follow": False}
    parts = await built(configured(sources=[{"type": "stdin"}, together]))
    assert [[source.name for source in lane.sources] for lane in parts.lanes] == [
        ["stdin"],
        [str(tmp_path / "a"), str(tmp_path / "b")],
    ]


async def test_files_that_are_followed_are_one_source_under_its_name_or_its_patterns(
    configured: Configured, tmp_path: Path
) -> None:
    patterns = [str(tmp_path / "*.log"), str(tmp_path / "*.json")]
    named = {"type": "file", "paths": [patterns[0]], "name": "orders"}
    parts = await built(configured(sources=[named, {"type": "file", "paths": patterns}]))
    assert [source.name for source in parts.sources] == ["orders", ", ".join(patterns)]


async def test_a_file_that_two_sources_read_is_a_configuration_error(
    configured: Configured, tmp_path: Path
) -> None:
    path = a_file(tmp_path / "a")
    with pytest.raises(ConfigError, match="is read by two sources"):
        build(configured(path, path))


async def test_a_missing_file_is_a_configuration_error_and_leaves_no_store(
    configured: Configured, tmp_path: Path, data_dir: Path
) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        build(configured(tmp_path / "missing"))
    assert not data_dir.exists()  # noqa: ASYNC240


async def test_requests_say_which_flow_sandbox_organisation_and_token(
    configured: Configured,
) -> None:
    settings = {"inlet__sandbox": "prod", "inlet__headers": {"x-a": "b"}}
    secret = {"client_id": "id", "client_secret": "s3cret", "org_id": "A@AdobeOrg"}
    parts = await built(
        configured(**settings, inlet__credentials=secret, sources=[{"type": "stdin"}])
    )
    headers = parts.inlet._headers[False]
    assert headers["x-sandbox-name"] == "prod"
    assert headers["x-gw-ims-org-id"] == "A@AdobeOrg"
    assert headers["x-a"] == "b"
    assert headers[FLOW]
    assert "Content-Encoding" not in headers
    assert parts.inlet._headers[True]["Content-Encoding"] == "gzip"
    parts = await built(configured(inlet__token="t0ken", sources=[{"type": "stdin"}]))
    assert await parts.tokens.current() == "t0ken"


async def test_a_token_file_is_read_at_the_start(configured: Configured, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("token-one\n")
    parts = await built(configured(inlet__token_file=str(token), sources=[{"type": "stdin"}]))
    assert await parts.tokens.current() == "token-one"


async def test_single_mode_sends_bare_records_to_the_single_address(
    configured: Configured,
) -> None:
    parts = await built(configured(inlet__mode="single", sources=[{"type": "stdin"}]))
    assert "/batch/" not in str(parts.inlet._url)
    batches = await built(configured(sources=[{"type": "stdin"}]))
    assert "/collection/batch/" in str(batches.inlet._url)


@pytest.mark.parametrize("mode", ["single", "batch"])
async def test_the_longest_record_fills_a_request_to_the_last_byte(
    configured: Configured, mode: str
) -> None:
    parts = await built(configured(inlet__mode=mode, sources=[{"type": "stdin"}]))
    longest = parts.intake.limits.record_bytes_max
    assert parts.senders._shared.encoder.envelope.body_bytes(1, longest) == 1_000_000


async def test_gauges_show_the_parts_as_they_are(configured: Configured) -> None:
    fixed = {"delivery__max_in_flight": 7, "delivery__concurrency": "fixed"}
    parts = await built(configured(sources=[{"type": "stdin"}], **fixed))
    await parts.budget.take(100)
    assert parts.meters.buffer_bytes.value() == 100
    assert parts.meters.buffer_limit_bytes.value() == parts.budget.limit
    assert parts.meters.requests_limit.value() == 7
    assert parts.meters.requests_in_flight.value() == 0
    assert parts.meters.compression_enabled.value() == 1
    assert parts.meters.destination_state.value("ready") == 1
