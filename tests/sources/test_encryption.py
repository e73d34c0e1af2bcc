"""TLS, as clients get it right and wrong."""

import asyncio
import json
import shutil
import ssl
from functools import partial
from pathlib import Path

import pytest

from agent.core.framing import LineFramer
from agent.errors import ConfigError
from agent.sources import encryption
from agent.sources.encryption import Certificates, Encryption
from agent.telemetry.logs import configure
from sources.conftest import Taken
from sources.serving import Serving, serving, until

FILES = Path(__file__).parents[1] / "delivery" / "certificates"
OURS, CLIENT, CA = FILES / "localhost.pem", FILES / "client.pem", FILES / "ca.pem"


def trusting(*, certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=CA)
    if certificate:
        context.load_cert_chain(CLIENT)
    return context


async def secured(
    at_work: Serving, context: ssl.SSLContext, name: str = "localhost"
) -> ssl.SSLSocket:
    return await asyncio.to_thread(context.wrap_socket, at_work.connect(), server_hostname=name)


async def test_records_come_over_tls_whole_and_torn(taken: Taken) -> None:
    records = b'{"x":"%s"}\n' % (b"y" * 900) * 3000
    async with serving(taken, connection=Encryption(Certificates(OURS)).connection) as at_work:
        peer = await secured(at_work, trusting())
        await asyncio.to_thread(peer.sendall, records + b'{"half":')
        await until(lambda: len(taken.bytes) == len(records))
        await asyncio.to_thread(peer.unwrap)
        peer.close()
        await until(lambda: at_work.closed("peer") == 1)
    assert taken.bytes == records
    assert [found for found, _ in taken.refused] == [b'{"half":']


async def test_an_end_without_farewell_is_a_broken_connection(taken: Taken) -> None:
    async with serving(taken, connection=Encryption(Certificates(OURS)).connection) as at_work:
        peer = await secured(at_work, trusting())
        peer.sendall(b'{"a":1}\n{"b":2}')
        await until(lambda: taken.bytes)
        peer.close()
        await until(lambda: at_work.closed("reset") == 1)
    assert taken.bytes == b'{"a":1}\n{"b":2}\n'


async def test_the_last_record_is_deciphered_although_nothing_more_comes(taken: Taken) -> None:
    """More than one round reads at once, and then silence: the kernel has nothing to tell."""
    record = b'{"x":"%s"}\n' % (b"y" * 14_000)
    made = Encryption(Certificates(OURS))
    framer = partial(LineFramer, 100_000, 100)
    async with serving(taken, framer=framer, connection=made.connection) as at_work:
        peers = [await secured(at_work, trusting()) for _ in range(4)]
        for peer in peers:
            await asyncio.to_thread(peer.sendall, record * 40)
        await until(lambda: len(taken.bytes) == 160 * len(record))
        for peer in peers:
            peer.close()


async def test_clients_get_a_farewell_when_the_agent_stops(taken: Taken) -> None:
    async with serving(taken, connection=Encryption(Certificates(OURS)).connection) as at_work:
        peer = await secured(at_work, trusting())
        peer.sendall(b'{"a":1}\n{"whole":1}')
        await until(lambda: taken.bytes)
        await at_work.stopped()
        assert peer.recv(10) == b"", "an end, and no error"
        peer.close()
    assert taken.bytes == b'{"a":1}\n{"whole":1}\n'


async def test_clients_with_a_certificate_get_in_where_one_is_asked_for(
    taken: Taken, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("info", "json", 30.0)  # and forget what was said before
    made = Encryption(Certificates(OURS, client_ca_file=CA))
    async with serving(taken, connection=made.connection) as at_work:
        peer = await secured(at_work, trusting(certificate=True))
        peer.sendall(b"{}\n")
        await until(lambda: taken.bytes == b"{}\n")
        peer.close()
        for _ in range(3):
            stranger = await secured(at_work, trusting())
            with pytest.raises(ssl.SSLError, match="certificate required"):
                await asyncio.to_thread(stranger.recv, 1)
            stranger.close()
        await until(lambda: at_work.closed("tls") == 3)
        assert at_work.open == 0
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "TLS" in line]
    assert [line["reason"] for line in told] == ["the client sent no certificate"]


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b'{"a":1}\n', b"\0" * 100])
async def test_a_client_without_tls_is_refused_and_nobody_else_notices(
    taken: Taken, garbage: bytes
) -> None:
    async with serving(taken, connection=Encryption(Certificates(OURS)).connection) as at_work:
        good = await secured(at_work, trusting())
        bad = at_work.connect()
        bad.sendall(garbage)
        await until(lambda: at_work.closed("tls") + at_work.closed("peer") == 1)
        good.sendall(b"{}\n")
        await until(lambda: taken.bytes == b"{}\n")
        bad.close()
        good.close()


async def test_who_only_looks_whether_the_port_is_open_is_no_news(taken: Taken) -> None:
    async with serving(taken, connection=Encryption(Certificates(OURS)).connection) as at_work:
        at_work.connect().close()
        await until(lambda: at_work.closed("reset") + at_work.closed("peer") == 1)


async def test_a_handshake_that_does_not_come_to_its_end_is_cut_off(taken: Taken) -> None:
    made = Encryption(Certificates(OURS))
    async with serving(taken, connection=made.connection, unfinished=0.3) as at_work:
        silent = at_work.connect()
        peer = await secured(at_work, trusting())
        await until(lambda: at_work.closed("unfinished") == 1)
        assert at_work.open == 1
        silent.close()
        peer.close()


async def test_a_renewed_certificate_is_shown_to_the_next_client(
    taken: Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encryption, "_LOOK_AGAIN", 0.0)
    shutil.copy(OURS, tmp_path / "agent.pem")
    made = Encryption(Certificates(tmp_path / "agent.pem"))
    trust = trusting()
    trust.check_hostname = False

    async def seen(at_work: Serving) -> object:
        with await secured(at_work, trust) as peer:
            return peer.getpeercert()["serialNumber"]  # type: ignore[index]

    async with serving(taken, connection=made.connection) as at_work:
        first = await seen(at_work)
        (tmp_path / "agent.pem").write_text("nonsense")
        assert await seen(at_work) == first
        shutil.copy(CLIENT, tmp_path / "agent.pem")
        assert await seen(at_work) != first


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"cert_file": "missing.pem"}, "missing.pem: No such file or directory; check path"),
        ({"cert_file": "text.pem"}, "cert_file needs a certificate"),
        ({"cert_file": "ca.pem"}, "cert_file needs a certificate"),
        ({"cert_file": "localhost.pem", "key_file": "client.pem"}, "does not belong to the"),
        ({"cert_file": "localhost.pem", "client_ca_file": "text.pem"}, "client_ca_file certif"),
    ],
)
def test_certificates_that_cannot_be_used_are_told_before_anything_listens(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for source in (OURS, CLIENT, CA):
        shutil.copy(source, tmp_path)
    (tmp_path / "text.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match=words):
        Encryption(Certificates(**{key: tmp_path / name for key, name in files.items()}))


async def test_a_certificate_of_nobody_we_know_is_refused(taken: Taken) -> None:
    made = Encryption(Certificates(OURS, client_ca_file=OURS))  # which signed nobody
    async with serving(taken, connection=made.connection) as at_work:
        peer = await secured(at_work, trusting(certificate=True))
        with pytest.raises(OSError):  # noqa: PT011 - an alert, or what follows it
            await asyncio.to_thread(peer.recv, 1)
        await until(lambda: at_work.closed("tls") == 1)
        peer.close()
