"""Are filters read as they are meant, and is every mistake in them explained?"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from agent.config.summary import described
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config


def written(filter_: str) -> str:
    return f"sources: [{{type: stdin, filters: [{filter_}]}}]"


@pytest.mark.parametrize(
    ("filter_", "words"),
    [
        ("{keep: a > 1}", "only records with a > 1"),
        ("{drop: [a > 1, b exists]}", "no records with a > 1 and b exists"),
        ("{sample: 0.25, by: user.id}", "a share of 0.25, by user.id"),
        ("{sample: 1}", "a share of 1"),
        ("{remove: [a.b, 'c[*].d']}", "without a.b, c[*].d"),
        ("{hash: mail}", "mail hashed"),
        ("{hash: mail, normalize: true}", "mail hashed (trimmed, lower case)"),
        (
            "{set: {a: x, b.c: 1, d: '\"1\"', e: null, f: true}}",
            'with a = "x", b.c = 1, d = "1", e = null, f = true',
        ),
    ],
)
def test_a_filter_is_what_was_written(
    configured: Callable[..., "Config"], filter_: str, words: str
) -> None:
    (source,) = configured(written(filter_)).sources
    assert described(source.filters[0]) == words
    assert source.filter_names == (f"{source.filters[0].kind}-1",)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("{keep: a >}", "filters[0].keep: found \"a >\"; write another condition: 'a >' is no"),
        ("{keep: []}", "filters[0].keep: found an empty list; write a condition such as"),
        ("{keep: [[a]]}", "filters[0].keep: found a list; write a condition such as"),
        ("{keep: {a: b}}", "filters[0].keep: found a mapping; write a condition such as"),
        ("{drop: a matches (}", 'filters[0].drop: found "a matches ("; write another condition:'),
        ("{sample: 10}", 'filters[0].sample: found "10"; write a share from 0 to 1'),
        ("{sample: 0.1, by: 'a[*]'}", 'filters[0].by: found "a[*]"; write a path of one field'),
        ("{sample: 0.1, by: [a]}", "filters[0].by: found a list; write a path such as order.id"),
        ("{remove: a..b}", 'filters[0].remove: found "a..b"; write another path:'),
        ("{remove: 'a[0]'}", 'filters[0].remove: found "a[0]"; write paths that end with a name'),
        ("{hash: a, keep: b = 1}", "filters[0]: found a mapping; write one of keep, drop, sample"),
        ("{name: x}", "filters[0]: found a mapping; write one of keep, drop, sample"),
        ("{hash: a, by: b}", 'filters[0].by: found "b"; write `by` beside sample only'),
        ("{drop: a = 1, normalize: true}", 'filters[0].normalize: found "true"; write `normalize`'),
        ("{set: x}", 'filters[0].set: found "x"; write paths with their values'),
        ("{set: {}}", "filters[0].set: found a mapping; write paths with their values"),
        ("{set: {a: [1]}}", "filters[0].set: found a mapping; write paths with their values"),
        ("{set: {'a[0]': 1}}", "filters[0].set: found a mapping; write paths of names only"),
        ("{set: {a..b: 1}}", "filters[0].set: found a mapping; write another path:"),
        ("{set: {a: '{'}}", "filters[0].set: found a mapping; write another value:"),
    ],
)
def test_a_mistake_in_a_filter_is_told_with_its_place(
    configured: Callable[..., "Config"], filter_: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(written(filter_))
    assert f":1: sources[0].{expected}" in str(caught.value)


def test_a_stream_is_chosen_only_of_containers(configured: Callable[..., "Config"]) -> None:
    chosen = "sources: [{type: stdin, format: %s, stream: stderr}]"
    assert configured(chosen % "cri").sources[0].stream == "stderr"
    for format_ in ("ndjson", "json"):
        with pytest.raises(ConfigError, match="write `stream` beside format docker or cri only"):
            configured(chosen % format_)
