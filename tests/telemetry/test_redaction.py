import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.record import Chunk
from agent.telemetry.redaction import REDACTED, forget, redact, scrub, scrub_fields, scrub_text

SECRET = 'p4ss"w/rd é\\'


@pytest.fixture
def secret() -> Iterator[str]:
    redact(SECRET)
    yield SECRET
    forget(SECRET)


@pytest.mark.parametrize(
    "name",
    [
        *("token", "Authorization", "client_secret", "CLIENT-SECRET", "password", "cookie"),
        *("Set-Cookie", "api_key", "x-api-key", "apiKey", "access_token", "private_key"),
        "inlet.token",
    ],
)
def test_what_goes_under_the_name_of_a_secret_is_redacted(name: str) -> None:
    for value in ("abc", b"abc", 4711, ["abc"], {"is": "abc"}):
        assert scrub_fields({name: value}) == {name: REDACTED}
        assert scrub({"headers": [{name: value}]}) == {"headers": [{name: REDACTED}]}


def test_whether_a_secret_is_there_may_be_told() -> None:
    assert scrub_fields({"token": None, "has_secret": True}) == {"token": None, "has_secret": True}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sent Bearer xyz to you", "sent Bearer [redacted] to you"),
        ("authorization: bearer abc.def-9", "authorization: [redacted]"),
        ("Authorization: Basic dTpw next", "Authorization: [redacted] next"),
        ('{"client_secret": "a\\"b c", "n": 1}', '{"client_secret": [redacted], "n": 1}'),
        ("{'Cookie': 'a=b; c=d', 'n': 1}", "{'Cookie': [redacted], 'n': 1}"),
        ("((b'Authorization', b'Basic dTpw'),)", "((b'Authorization', [redacted]),)"),
        ("POST /t?access_token=abc&b=1", "POST /t?access_token=[redacted]&b=1"),
        ("https://me:p@ss@proxy:3128/x", "https://[redacted]@proxy:3128/x"),
        ("got eyJhbGciOiJSUzI1NiJ9.eyJpZCI6MX0.c2ln.", "got [redacted]."),
        ("https://example.org/a?mail=a@b", "https://example.org/a?mail=a@b"),
        ("Ims service token is empty", "Ims service token is empty"),
    ],
)
def test_secrets_are_recognised_by_their_shape(text: str, shown: str) -> None:
    assert scrub_text(text) == shown


@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        json.dumps,
        repr,
        lambda secret: json.dumps(secret, ensure_ascii=False),
        lambda secret: repr(secret.encode()),
        lambda secret: f"https://host/{quote(secret, safe='')}/x",
        lambda secret: ValueError(f"cannot use {secret}"),
        lambda secret: KeyError(secret),
        lambda secret: Path(f"/run/{secret}/x"),
    ],
)
def test_a_registered_secret_is_found_in_every_usual_spelling(secret: str, spell: object) -> None:
    assert callable(spell)
    shown = scrub(spell(secret))
    assert isinstance(shown, str)
    assert REDACTED in shown
    assert "p4ss" not in shown


def test_a_forgotten_secret_is_looked_for_no_more() -> None:
    redact("expired-token-1")
    redact("current-one-2")
    forget("expired-token-1")
    assert scrub_text("expired-token-1 current-one-2") == "expired-token-1 [redacted]"
    forget("current-one-2")
    assert scrub_text("current-one-2") == "current-one-2"


def test_a_secret_that_begins_like_another_is_taken_out_whole() -> None:
    redact("hush-hush")
    redact("hush-hush-and-more")
    assert scrub_text("hush-hush-and-more") == "[redacted]"
    forget("hush-hush")
    forget("hush-hush-and-more")


def test_registering_something_too_short_changes_nothing() -> None:
    redact("a")
    redact("")
    assert scrub_text("banana") == "banana"


planted = st.text(min_size=6, max_size=40).map(lambda text: f"#{text}#")
keys = st.text(max_size=8) | st.sampled_from(["url", "token", "status", "record"])


def around(secret: str) -> st.SearchStrategy[object]:
    """Values of every shape that hold `secret` somewhere."""
    leaf = st.tuples(st.text(max_size=20), st.text(max_size=20)).map(secret.join)
    leaves: st.SearchStrategy[object] = leaf | leaf.map(ValueError) | leaf.map(KeyError)
    return st.recursive(
        leaves | leaf.map(lambda text: text.encode("utf-8", "surrogateescape")),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | leaf, inner, max_size=3),
        max_leaves=6,
    )


@given(st.data())
def test_a_planted_secret_never_comes_out_whatever_it_is_in(draw: st.DataObject) -> None:
    secret = draw.draw(planted)
    fields = draw.draw(st.dictionaries(keys, around(secret), max_size=4))
    redact(secret)
    try:
        shown = scrub_fields(fields)
    finally:
        forget(secret)
    assert secret not in json.dumps(shown, ensure_ascii=False)
    assert json.dumps(secret)[1:-1] not in json.dumps(shown)


def test_records_are_told_only_by_their_size() -> None:
    shown = scrub_fields({"record": b'{"a":1}', "body": "hé", "chunk": b"1234"})
    assert shown == {"record": "[7 bytes]", "body": "[2 characters]", "chunk": "[4 bytes]"}
    assert scrub_fields({"body": {"a": "mail@host"}}) == {"body": "[not shown]"}
    assert scrub(memoryview(b"1234")) == "[4 bytes]"


def test_our_nouns_may_be_logged_without_showing_the_records_in_them() -> None:
    chunk = Chunk("a.json", 1, 0, b'{"mail":"m@host"}\n', 0.5)
    shown = scrub(chunk)
    assert isinstance(shown, dict)
    assert (shown["data"], shown["source"]) == ("[18 bytes]", "a.json")


def test_everything_is_bounded() -> None:
    assert scrub_text("x" * 10_000) == "x" * 8192 + " [1808 characters cut]"
    assert scrub_text("x" * 10_000 + "end", keep_end=True).endswith("xend")
    assert scrub_text("x" * 2_000_000) == "[2000000 characters]"
    many = scrub(list(range(250)))
    assert isinstance(many, list)
    assert many[99:] == [99, "[150 more]"]
    wide = scrub({str(number): number for number in range(250)})
    assert isinstance(wide, dict)
    assert wide["more"] == "[150 more]"
    endless: list[object] = []
    endless.append(endless)
    assert "[list]" in json.dumps(scrub(endless))


def test_hostile_texts_take_time_in_proportion_to_their_length() -> None:
    start = perf_counter()
    for piece in ("token", "eyJaaaaaaaaa-", "://", 'token="', "bearer ", "a.", "secret" + "-" * 60):
        scrub_text(piece * (400_000 // len(piece)))
    assert perf_counter() - start < 10


class Unreadable(list[int]):
    def __len__(self) -> int:
        raise RuntimeError


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError


def test_what_cannot_be_put_in_words_is_named_by_its_type() -> None:
    assert scrub([Unspeakable()]) == ["[Unspeakable]"]
    assert scrub({"list": Unreadable([1])}) == {"list": "[Unreadable]"}
    assert scrub(ValueError(Unspeakable())) == "ValueError: [ValueError]"


def test_plain_values_stay_as_they_are() -> None:
    values = [None, True, 1, -(2**63) + 1, 1.5, "plain é", {"a": [1]}]
    assert scrub(values) == values
    assert scrub(2**63) == "0x8000000000000000"
    assert scrub("bad \udcff") == "bad \\udcff"
    assert scrub(TimeoutError()) == "TimeoutError"
