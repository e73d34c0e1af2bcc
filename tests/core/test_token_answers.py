"""What an answer of a token endpoint means, whoever gives it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.token_answers import (
    LIFE_MAX,
    LIFE_UNKNOWN,
    NoToken,
    Token,
    Trouble,
    read,
    unavailable,
)


def said(**answer: object) -> bytes:
    return json.dumps(answer).encode()


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (86_399, 86_399),
        (86_399_992, 86_399.992),  # milliseconds, as the older exchanges have it
        ("86399", 86_399),
        ("86399992", 86_399.992),
        (1.5, 1.5),
        (172_800, 172_800),
        (604_800, 604.8),  # a week as seconds, taken for ten minutes: renewed early, harmless
        (10**12, LIFE_MAX),
        ("inf", LIFE_MAX),
        ("nan", LIFE_UNKNOWN),
        (0, LIFE_UNKNOWN),
        (-5, LIFE_UNKNOWN),
        (None, LIFE_UNKNOWN),
        (True, LIFE_UNKNOWN),
        ("soon", LIFE_UNKNOWN),
        ([3600], LIFE_UNKNOWN),
    ],
)
def test_a_life_is_read_in_seconds_or_milliseconds_whichever_is_plausible(
    expires_in: object, life: float
) -> None:
    found = read(200, said(access_token="t", token_type="bearer", expires_in=expires_in))
    assert isinstance(found, Token)
    assert (found.text, found.life) == ("t", pytest.approx(life))


def test_an_answer_without_a_life_gives_a_token_that_is_renewed_soon() -> None:
    assert read(201, said(access_token="t")) == Token("t", LIFE_UNKNOWN)


def test_a_token_is_not_in_its_own_repr() -> None:
    assert "s3cret" not in repr(read(200, said(access_token="s3cret")))


URL = "check inlet.credentials.token_url"
CLIENT = "check inlet.credentials.client_id"
WAIT = "nothing for now"


@pytest.mark.parametrize(
    ("status", "body", "trouble", "reason", "step"),
    [
        (200, b"", "unusable", "no JSON object but an empty body", URL),
        (200, b"<!doctype html><p>log in", "unusable", "no JSON object but an HTML page", URL),
        (200, b" \n<html>", "unusable", "an HTML page", URL),
        (200, b"OK", "unusable", "text without a known error", URL),
        (200, b"\xff\xfe{", "unusable", "text without a known error", URL),
        (200, b"[]", "unusable", "no JSON object", URL),
        (200, b'"token"', "unusable", "no JSON object", URL),
        (200, b"[" * 2000, "unusable", "no JSON object", URL),
        (200, said(token_type="bearer"), "unusable", "holds no access_token", URL),
        (200, said(access_token=None), "unusable", "holds no access_token", URL),
        (200, said(access_token=""), "unusable", "not one word of printable ASCII", URL),
        (200, said(access_token="two words"), "unusable", "not one word", URL),
        (200, said(access_token="line\n"), "unusable", "not one word", URL),
        (200, said(access_token="a\r\nX: y"), "unusable", "not one word", URL),
        (200, said(access_token="jeton\u00e9"), "unusable", "not one word", URL),
        (200, said(access_token=7), "unusable", "not one word", URL),
        (200, said(access_token="x" * 20_000), "unusable", "not one word", URL),
        (200, said(error="invalid_client"), "refused", "status 200: invalid_client", CLIENT),
        (302, b"", "unusable", "status 302: a redirect, which is not followed", URL),
        (307, b"", "unusable", "status 307: a redirect, which is not followed", URL),
        (
            400,
            said(error="invalid_client", error_description="invalid client_secret parameter"),
            "refused",
            "status 400: invalid_client, invalid client_secret parameter",
            CLIENT,
        ),
        (401, said(error="invalid_client"), "refused", "status 401: invalid_client", CLIENT),
        (400, said(error="invalid_grant"), "refused", "invalid_grant", CLIENT),
        (400, said(error="unauthorized_client"), "refused", "unauthorized_client", "add the OAuth"),
        (
            400,
            said(error="invalid_scope"),
            "refused",
            "invalid_scope",
            "check inlet.credentials.sc",
        ),
        (400, said(error="something_new"), "refused", "something_new", CLIENT),
        (400, said(error="Bad Thing"), "unusable", "status 400: Bad Thing", URL),
        (400, said(error={"code": 7}), "unusable", "status 400: text without a known", URL),
        (403, b"", "unusable", "status 403: an empty body", URL),
        (404, b"<html>", "unusable", "status 404: an HTML page", URL),
        (407, b"", "unusable", "status 407", URL),
        (408, b"", "unavailable", "status 408", WAIT),
        (429, said(error="slow_down"), "unavailable", "status 429: slow_down", WAIT),
        (500, b"<html>", "unavailable", "status 500: an HTML page", WAIT),
        (503, b"", "unavailable", "status 503: an empty body", WAIT),
        (100, b"", "unusable", "status 100", URL),
    ],
)
def test_what_is_no_token_is_told_with_what_to_do(
    status: int, body: bytes, trouble: str, reason: str, step: str
) -> None:
    found = read(status, body)
    assert isinstance(found, NoToken)
    assert found.trouble == trouble
    assert reason in found.reason
    assert found.next_step.startswith(step)


def test_what_an_endpoint_says_is_quoted_on_one_line_of_bounded_length() -> None:
    found = read(400, said(error="invalid_client", error_description="a\nb\x1b[31m" + "x" * 5000))
    assert isinstance(found, NoToken)
    assert found.reason.isprintable()
    assert len(found.reason) < 250


def test_no_answer_is_unavailable() -> None:
    assert unavailable("the connection broke").trouble is Trouble.UNAVAILABLE


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_whatever_is_too_much(status: int, body: bytes) -> None:
    assert isinstance(read(status, body), Token | NoToken)
