"""What can be said of a source that takes records over HTTP, and what is said of it?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.pushes import HttpSource
from agent.config.summary import summary
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

Configured = Callable[..., "Config"]


def _source(config: "Config") -> HttpSource:
    (source,) = config.sources
    assert isinstance(source, HttpSource)
    return source


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("route: records", "write a path that begins with /"),
        ("route: /collection/x", "write a path that begins with /"),
        ("listen: 'host'", 'found "host"; write'),
        ("ack: received", "write durable or accepted"),
        ("max_waiting_bytes: 1MB", "write a size that is at least max_body_bytes"),
        ("token: a, token_file: b", "write either token or token_file"),
        ("max_connections: 0", "write a whole number from 1"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(
    configured: Configured, source: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(f"sources: [{{type: http, {source}}}]")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "http 127.0.0.1:8080, from anybody, answered once on disk"),
        (
            "name: web, token: t, ack: accepted, allow: [10.0.0.0/8]",
            "http 127.0.0.1:8080 (web), only from 10.0.0.0/8, from whoever knows the token,"
            " answered once the platform has said so",
        ),
    ],
)
def test_it_is_told_in_words(configured: Configured, source: str, words: str) -> None:
    assert summary(configured(f"sources: [{{type: http, {source}}}]"))["sources"] == words


def test_the_token_is_where_it_is_said_to_be(configured: Configured, tmp_path: Path) -> None:
    file = tmp_path / "token"
    source = f"sources: [{{type: http, token_file: {file}}}]"
    file.write_text("word\n")
    settings = _source(configured(source))

    assert settings.read_token() == "word"
    file.write_text("two words")
    with pytest.raises(ConfigError, match="does not hold one token"):
        settings.read_token()
    assert _source(configured("sources: [{type: http, token: t}]")).read_token() == "t"
    assert _source(configured("sources: [{type: http}]")).read_token() is None
    assert "hunter2" not in repr(_source(configured("sources: [{type: http, token: hunter2}]")))
