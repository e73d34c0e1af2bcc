import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.aep.transport import Route
from agent.delivery import inlet as module
from agent.delivery.inlet import InletAddress
from agent.errors import ConfigError, Unavailable
from delivery.posting import (
    BODY,
    LIMITS,
    answer_of,
    client,
    closing,
    saying,
)
from delivery.rig import Inlet, talking

CERTIFICATES = Path(__file__).parent / "certificates"

# TLS.


@pytest.fixture
async def secure() -> AsyncIterator[str]:
    """The address of an inlet whose certificate says localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.pem")
    async with talking(saying(answer_of(b"safe")), ssl=context) as place:
        yield place.replace("127.0.0.1", "localhost")


async def test_an_inlet_with_a_certificate_of_our_own_authority_is_trusted(secure: str) -> None:
    async with client(f"https://{secure}/", ca_file=CERTIFICATES / "ca.pem") as inlet:
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"


async def test_an_inlet_of_an_authority_that_the_system_trusts_is_trusted(
    secure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
    async with client(f"https://{secure}/") as inlet:
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"


async def test_a_proxy_behind_tls_is_trusted_and_refused_like_an_inlet(secure: str) -> None:
    proxy, url = f"https://{secure}", "http://inlet.invalid/"
    async with client(url, proxy=proxy, ca_file=CERTIFICATES / "ca.pem") as inlet:
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"
    async with client(url, proxy=proxy) as inlet:
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await inlet.post(BODY, gzipped=False)


async def test_an_inlet_of_an_unknown_authority_is_refused_in_words(secure: str) -> None:
    async with client(f"https://{secure}/") as inlet:
        with pytest.raises(Unavailable, match="certificate verify failed") as raised:
            await inlet.post(BODY, gzipped=False)
    assert str(raised.value).startswith(f"cannot connect to {secure}: ")


async def test_a_certificate_for_another_host_is_refused_in_words(secure: str) -> None:
    url = f"https://{secure.replace('localhost', '127.0.0.1')}/"
    async with client(url, ca_file=CERTIFICATES / "ca.pem") as inlet:
        with pytest.raises(Unavailable, match="IP address mismatch"):
            await inlet.post(BODY, gzipped=False)


async def test_verification_can_be_switched_off(secure: str) -> None:
    url = f"https://{secure.replace('localhost', '127.0.0.1')}/"
    async with client(url, verify=False) as inlet:
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"


async def test_an_inlet_that_does_not_speak_tls_is_unavailable(inlet: Inlet) -> None:
    async with client(inlet.url.replace("http:", "https:")) as posting:
        with pytest.raises(Unavailable):
            await posting.post(BODY, gzipped=False)


async def test_an_inlet_that_speaks_no_tls_is_told_so() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        host, port = plain.sockets[0].getsockname()
        async with client(f"https://{host}:{port}/collection/x") as inlet:
            with pytest.raises(Unavailable, match=r"does not speak TLS: should the URL begin"):
                await inlet.post(BODY, gzipped=False)


async def test_the_agent_shows_its_own_certificate_where_it_has_one() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.pem")
    context.load_verify_locations(CERTIFICATES / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    trust = {"ca_file": CERTIFICATES / "ca.pem"}
    async with talking(saying(answer_of(b"safe")), ssl=context) as place:
        url = f"https://{place.replace('127.0.0.1', 'localhost')}/"
        async with client(url, **trust, cert_file=CERTIFICATES / "client.pem") as inlet:
            assert (await inlet.post(BODY, gzipped=False)).body == b"safe"
        async with client(url, **trust) as inlet:
            with pytest.raises(Unavailable):
                await inlet.post(BODY, gzipped=False)


@pytest.mark.parametrize("which", ["ca_file", "cert_file"])
def test_certificates_that_cannot_be_loaded_are_a_configuration_error(
    which: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("this is no certificate")
    for path in (tmp_path / "bad.pem", tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=r"^inlet\.tls: cannot load the certificates"):
            module.Inlet(InletAddress("https://localhost/", {}, Route(**{which: path})), LIMITS)


# Proxies.


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    heads: list[bytes] = []

    async def talk(head: bytes, reader, writer) -> None:
        heads.append(head)
        await saying(answer_of(b"by proxy"))(head, reader, writer)

    async with talking(talk) as place:
        yield place, heads


async def test_a_configured_proxy_is_asked_for_the_whole_url_with_its_credentials() -> None:
    async with proxy() as (place, heads):
        address = {"proxy": f"http://user:pass@{place}"}
        async with client("http://inlet.invalid/collection/x", **address) as inlet:
            assert (await inlet.post(BODY, gzipped=False)).body == b"by proxy"
    assert heads[0].startswith(b"POST http://inlet.invalid/collection/x HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in heads[0]


@pytest.mark.parametrize("written", ["http://{}", "{}"])
async def test_the_environment_names_a_proxy_with_or_without_its_scheme(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    async with proxy() as (place, heads):
        monkeypatch.setenv("http_proxy", written.format(place))
        async with client("http://inlet.invalid/x") as inlet:
            assert (await inlet.post(BODY, gzipped=False)).body == b"by proxy"
    assert len(heads) == 1


async def test_a_configured_proxy_is_preferred_to_the_environments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with (
        proxy() as (place, _),
        client("http://inlet.invalid/x", proxy=f"http://{place}") as inlet,
    ):
        assert (await inlet.post(BODY, gzipped=False)).body == b"by proxy"


@pytest.mark.parametrize("without", ["127.0.0.1", "*", "127.0.0.1:{port}", "other, 127.0.0.1"])
async def test_no_proxy_is_asked_for_hosts_that_need_none(
    monkeypatch: pytest.MonkeyPatch, inlet: Inlet, without: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", without.format(port=inlet.url.split(":")[2].split("/")[0]))
    async with client(inlet.url) as posting:
        assert (await posting.post(BODY, gzipped=False)).status == 207


async def test_the_environments_proxy_for_https_is_not_used_for_http(
    monkeypatch: pytest.MonkeyPatch, inlet: Inlet
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    async with client(inlet.url) as posting:
        assert (await posting.post(BODY, gzipped=False)).status == 207


def test_a_proxy_of_another_kind_in_the_environment_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://user:secret@127.0.0.1:9")
    with pytest.raises(ConfigError, match="found a proxy of the kind socks5") as raised:
        module.Inlet(InletAddress("https://localhost/", {}), LIMITS)
    assert "secret" not in str(raised.value)


async def test_a_proxy_that_refuses_or_is_not_there_never_shows_its_password() -> None:
    words = []
    async with talking(closing(answer_of(b"", "407 Proxy Authentication Required"))) as place:
        for where in (place, "127.0.0.1:9"):
            address = {"proxy": f"http://user:secret@{where}"}
            async with client("https://inlet.invalid/x", **address) as inlet:
                with pytest.raises(Unavailable) as raised:
                    await inlet.post(BODY, gzipped=False)
            words.append(str(raised.value))
    assert words[0] == "the proxy answered 407"
    assert words[1].startswith("cannot connect to 127.0.0.1:9")
    assert not any("secret" in each for each in words)


async def test_tls_goes_through_a_proxy_untouched(secure: str) -> None:
    async def tunnel(head: bytes, reader, writer) -> None:
        port = int(head.split(b" ")[1].split(b":")[1])
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while part := await source.read(65_536):
                target.write(part)
            target.close()

        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    address = {"ca_file": CERTIFICATES / "ca.pem"}
    async with (
        talking(tunnel) as place,
        client(f"https://{secure}/", proxy=f"http://{place}", **address) as inlet,
    ):
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"
