import socket

import pytest

from agent.admin.access import Access, is_local

TOKEN = "a-long-enough-token"
LOCAL = Access(None, local=True)
BEYOND = Access(None, local=False)
LOCKED = Access(TOKEN, local=False)


def status(
    access: Access,
    path: str = "/status",
    *,
    method: str = "GET",
    host: str = "127.0.0.1:9600",
    authorization: str | None = None,
    is_page: bool = False,
) -> int:
    """The status of the refusal; 200 where there is none."""
    refusal = access.refusal(method, path, host=host, authorization=authorization, is_page=is_page)
    return refusal.status if refusal else 200


@pytest.mark.parametrize("access", [LOCAL, BEYOND, LOCKED])
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_answer_anybody_by_any_name(access: Access, path: str) -> None:
    assert status(access, path, host="evil.example") == 200


def test_with_a_token_everything_else_asks_for_it() -> None:
    bearer = f"Bearer {TOKEN}"
    for path in ("/status", "/metrics", "/whatever-comes-later"):
        assert status(LOCKED, path) == 401
        assert status(LOCKED, path, authorization=bearer) == 200
    assert status(LOCKED, "/", is_page=True) == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer \udcff\udcfe",
    ],
)
def test_what_is_not_the_token_is_refused(authorization: str | None) -> None:
    assert status(LOCKED, authorization=authorization) == 401


def test_metrics_may_be_left_open_and_nothing_else() -> None:
    access = Access(TOKEN, local=False, open_metrics=True)
    assert status(access, "/metrics") == 200
    assert status(access, "/status") == 401
    assert status(access, "/metrics", method="POST") == 401


def test_nothing_is_changed_without_a_token() -> None:
    assert status(LOCAL, "/later", method="POST") == 403
    assert status(LOCKED, "/later", method="POST") == 401
    assert status(LOCKED, "/later", method="DELETE", authorization=f"Bearer {TOKEN}") == 200
    assert status(LOCAL, "/livez", method="POST") == 403


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:9600",
        "[::1]:9600",
        "10.1.2.3:9600",
        "localhost:9600",
        "LOCALHOST",
        "agent.localhost:9600",
        "",
        socket.gethostname(),
    ],
)
def test_who_asks_by_address_or_by_our_name_is_answered(host: str) -> None:
    assert status(LOCAL, host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:9600",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[evil",
        "0x7f000001",
        "evil\udcff",
        "127.0.0.1@evil.example",
    ],
)
def test_a_site_that_led_a_browser_here_by_its_own_name_learns_nothing(host: str) -> None:
    for path in ("/status", "/metrics"):
        assert status(LOCAL, path, host=host) == 421
    assert status(LOCAL, "/", host=host, is_page=True) == 421
    assert status(BEYOND, host=host) == 421


def test_names_can_be_written_down_or_proven_by_the_token() -> None:
    assert (
        status(Access(None, local=False, hosts=("Agent.Example",)), host="agent.example:1") == 200
    )
    assert status(LOCKED, host="agent.example", authorization=f"Bearer {TOKEN}") == 200
    assert status(LOCKED, host="agent.example") == 421


def test_scrapers_on_the_network_ask_by_whatever_name_it_gave() -> None:
    assert status(BEYOND, "/metrics", host="aep-agent.logging.svc:9600") == 200


def test_what_a_stranger_wrote_is_said_harmlessly() -> None:
    refusal = LOCAL.refusal(
        "GET", "/status", host="\x1b[31mevil\n" + "x" * 500, authorization=None, is_page=False
    )
    assert refusal
    assert refusal.says.isprintable()
    assert len(refusal.says) < 300


def test_words_of_the_platform_are_for_those_who_are_here_or_have_proven_themselves() -> None:
    assert (LOCAL.is_private, LOCKED.is_private, BEYOND.is_private) == (True, True, False)


@pytest.mark.parametrize(
    ("listen", "local"),
    [
        ("127.0.0.1:9600", True),
        ("127.9.9.9:0", True),
        ("[::1]:9600", True),
        ("localhost:9600", True),
        ("0.0.0.0:9600", False),
        ("[::]:9600", False),
        ("10.0.0.1:9600", False),
        ("agent.example:9600", False),
    ],
)
def test_what_is_local(listen: str, local: bool) -> None:
    assert is_local(listen) is local
