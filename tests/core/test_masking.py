import json
from typing import Any

import pytest

from agent.core.masking import MASKED, Masking


def masked(record: Any, *names: str) -> Any:
    shown = Masking(names).masked(json.dumps(record).encode())
    assert shown is not None
    return json.loads(shown)


@pytest.mark.parametrize(
    "key",
    [
        *("name", "firstName", "first_name", "FIRST-NAME", "lastname", "displayName", "e-mail"),
        *("email", "customerEmailAddress", "workPhone", "mobile", "street1", "postalCode", "ZIP"),
        *("birthDate", "password", "accessToken", "Authorization", "sessionCookie", "ip", "IBAN"),
        *("clientIP", "cardNumber", "ssn", "identityMap", "lat"),
    ],
)
def test_what_the_name_of_a_key_says_is_personal_is_masked_with_all_below(key: str) -> None:
    assert masked({key: "x"}) == {key: MASKED}
    assert masked({"a": {key: [1, True, None, {"b": "x"}]}}) == {
        "a": {key: [MASKED, MASKED, None, {"b": MASKED}]}
    }


@pytest.mark.parametrize("key", ["order", "total", "items", "sku", "eventType", "shipped", "named"])
def test_other_keys_are_shown(key: str) -> None:
    assert masked({key: "plain words, 12 of them"}) == {key: "plain words, 12 of them"}
    assert masked({key: 1795457233001}) == {key: 1795457233001}


@pytest.mark.parametrize(
    "text",
    [
        *("ada@example.com", "+41 79 555 12 12", "(0)79 555 12 12", "4111 1111 1111 1111"),
        *("0041795551212", "eyJhbGciOi1234.eyJzdWIiOi.abc", "Bearer abc"),
    ],
)
def test_what_looks_personal_is_masked_wherever_it_stands(text: str) -> None:
    shown = masked({"note": f"call {text} now", text: 1, "list": [text]})
    assert text not in json.dumps(shown)
    assert shown["note"].startswith("call ")
    assert shown["note"].endswith(" now")


@pytest.mark.parametrize(
    "text", ["2026-11-25T23:00:00Z", "3.14159", "1,234.50", "sku-12", "7d1df3c8-1f0e-4a53", "@home"]
)
def test_times_prices_and_ids_are_shown(text: str) -> None:
    assert masked({"x": text}) == {"x": text}


def test_names_of_ones_own_are_masked_whatever_their_case() -> None:
    assert masked({"OrderNumber": 7, "order": 8}, "ordernumber") == {
        "OrderNumber": MASKED,
        "order": 8,
    }


def test_what_no_utf_8_has_stays_json() -> None:
    shown = Masking().masked(b'{"x": "\\ud800", "y": "Z\xc3\xbcrich"}')
    assert shown == b'{"x": "\\ud800", "y": "Z\xc3\xbcrich"}'


@pytest.mark.parametrize(
    "record", [b"no JSON", b"\xff", b"[" * 100_000, b'{"x": ' + b"9" * 5000 + b"}"]
)
def test_what_cannot_be_masked_is_not_shown(record: bytes) -> None:
    assert Masking().masked(record) is None


def test_what_lies_too_deep_is_masked() -> None:
    shown = Masking().masked(b"[" * 200 + b'"x"' + b"]" * 200)
    assert shown == b"[" * 100 + f'"{MASKED}"'.encode() + b"]" * 100


def test_a_hostile_text_costs_time_in_proportion_to_its_length() -> None:
    for text in ("a@" * 200_000, "1 " * 200_000, "eyJ" + "a" * 400_000, "a" * 400_000 + "@"):
        assert Masking().masked(json.dumps({"x": text}).encode())
