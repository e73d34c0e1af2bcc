"""Which strings are of a format, as far as the platform's validator is concerned."""

import pytest

from agent.xdm.formats import FORMATS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("date", "2024-02-29"),
        ("date-time", "2026-11-25T10:11:12Z"),
        ("date-time", "2026-11-25T10:11:12.123456789Z"),
        ("date-time", "2026-11-25T10:11:12.1+02:00"),
        ("uri", "https://example.com/a%20b?c=d#e"),
        ("uri", "mailto:jane@example.com"),
        ("uri", "https://exämple.com/é"),
        ("uri-reference", ""),
        ("uri-reference", "//cdn/x?y"),
        ("email", "jane.doe+list@mail.example.co.uk"),
        ("email", '"jane doe"@example.com'),
        ("hostname", "a-b.example"),
        ("ipv4", "203.0.113.7"),
        ("ipv6", "2001:db8::1"),
    ],
)
def test_what_is_of_a_format(name: str, text: str) -> None:
    assert FORMATS[name][0](text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("date", "2023-02-29"),
        ("date", "2023-2-9"),
        ("date", "20230209"),
        ("date", "\u0662\u0660\u0662\u0666-11-25"),
        ("date-time", "2026-11-25"),
        ("date-time", "2026-11-25T10:11:12"),
        ("date-time", "2026-11-25 10:11:12Z"),
        ("date-time", "2026-11-25T10:11:12z"),
        ("date-time", "2026-11-25T24:11:12Z"),
        ("date-time", "2026-11-25T10:11:12+0200"),
        ("date-time", "2026-11-25T10:11:12Z\n"),
        ("uri", "example.com/a"),
        ("uri", "https://example.com/a b"),
        ("uri", "https://example.com/%zz"),
        ("uri-reference", "a b"),
        ("uri-reference", "<a>"),
        ("email", "jane"),
        ("email", "jane@example"),
        ("email", "jane..doe@example.com"),
        ("email", "jane@-example.com"),
        ("hostname", "-a"),
        ("ipv4", "203.0.113.256"),
        ("ipv4", "2001:db8::1"),
        ("ipv6", "203.0.113.7"),
    ],
)
def test_what_is_not_of_a_format(name: str, text: str) -> None:
    assert not FORMATS[name][0](text)
