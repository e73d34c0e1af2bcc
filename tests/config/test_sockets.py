"""What may be written for a source that listens?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.sockets import TcpSource, UdpSource, UnixSource
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

Configured = Callable[..., "Config"]


def test_a_source_has_the_name_of_its_address_unless_it_has_one_of_its_own(
    configured: Configured,
) -> None:
    config = configured(
        "sources: [{type: tcp, listen: '[::1]:5170'}, {type: udp, listen: 'h:1', name: devices}]"
    )
    tcp, udp = config.sources
    assert isinstance(tcp, TcpSource)
    assert isinstance(udp, UdpSource)
    assert (tcp.shown_name, udp.shown_name) == ("tcp [::1]:5170", "devices")
    assert (tcp.max_connections, tcp.idle_timeout, tcp.unfinished_timeout) == (10_000, None, 300)


def test_two_sources_do_not_listen_in_one_place(configured: Configured) -> None:
    with pytest.raises(ConfigError) as told:
        configured(
            "sources: [{type: udp, listen: 'h:1'}, {type: tcp, listen: 'h:1'},"
            " {type: http, listen: 'h:1'}, {type: unix, listen: /run/a},"
            " {type: unix_datagram, listen: /run/a}]"
        )
    problems = [line.partition(": sources")[2] for line in str(told.value).splitlines()]
    assert problems == [
        '[2].listen: found "h:1", where sources[1] listens; write another address',
        '[4].listen: found "/run/a", where sources[3] listens; write another address',
    ]


@pytest.mark.parametrize(
    "sources",
    [
        "{type: tcp, listen: 'h:1'}, {type: udp, listen: 'h:1'}",
        "{type: tcp, listen: 'h:0'}, {type: http, listen: 'h:0'}",
        "{type: tcp, listen: systemd}, {type: udp, listen: systemd}",
        "{type: tcp, listen: 'h:1', reuse_port: true, name: a},"
        " {type: tcp, listen: 'h:1', reuse_port: true, name: b}",
    ],
)
def test_two_sources_may_share_what_can_be_shared(configured: Configured, sources: str) -> None:
    assert len(configured(f"sources: [{sources}]").sources) == 2


@pytest.mark.parametrize(
    ("digits", "mode"), [("0660", 0o660), ("600", 0o600), ('"0666"', 0o666), ("0o600", None)]
)
def test_a_mode_is_octal_however_it_is_written(
    configured: Configured, digits: str, mode: int | None
) -> None:
    text = f"sources: [{{type: unix, listen: /run/a, mode: {digits}}}]"
    if mode is None:
        with pytest.raises(ConfigError, match="write permissions in octal digits, such as 0660"):
            configured(text)
    else:
        [unix] = configured(text).sources
        assert isinstance(unix, UnixSource)
        assert unix.mode == mode


@pytest.mark.parametrize(
    "good", ["127.0.0.1:5170", '"[::1]:5170"', "localhost:0", "systemd", "systemd:records"]
)
def test_where_a_port_is_listened_on(configured: Configured, good: str) -> None:
    configured(f"sources: [{{type: tcp, listen: {good}}}]")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("type: tcp, listen: 5170", "write host:port such as 127.0.0.1:5170"),
        ("type: tcp, listen: /run/a.sock", "write host:port"),
        ("type: tcp, listen: 'h:70000'", "write host:port"),
        ("type: tcp, listen: 'systemd:'", "write host:port"),
        ("type: udp", "listen: missing"),
        ("type: unix, listen: records.sock", "write the path of a socket such as /run/aep-agent"),
        ("type: unix, listen: '@'", "write the path of a socket"),
        ("type: unix, listen: 'h:1'", "write the path of a socket"),
        ("type: tcp, listen: 'h:1', allow: [10.0.0.1/8]", "write a network such as 10.0.0.0/8"),
        ("type: tcp, listen: 'h:1', allow: [[]]", "write a network such as 10.0.0.0/8"),
        (
            "type: tcp, listen: 'h:1', framing: lines",
            "write newline, octet_counted, nul",
        ),
        ("type: tcp, listen: 'h:1', max_connections: 0", "write a whole number from 1"),
        ("type: tcp, listen: 'h:1', tls: {}", "tls.cert_file: missing"),
        ("type: udp, listen: 'h:1', framing: nul", "belongs to another type of this section"),
    ],
)
def test_what_cannot_be_listened_on_is_told(
    configured: Configured, source: str, words: str
) -> None:
    with pytest.raises(ConfigError) as told:
        configured(f"sources: [{{{source}}}]")
    assert words in str(told.value)


def test_paths_of_certificates_may_begin_at_home(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    [tcp] = configured("sources: [{type: tcp, listen: 'h:1', tls: {cert_file: ~/a.pem}}]").sources
    assert isinstance(tcp, TcpSource)
    assert tcp.tls
    assert tcp.tls.cert_file == Path("/home/someone/a.pem")
