"""Connections, as clients make and break them."""

import asyncio
import os
import socket
import struct
import threading
import time
from ipaddress import ip_network
from pathlib import Path

import pytest

from agent.core.announced import LengthPrefixedFramer, OctetCountedFramer
from agent.core.framing import Oversize
from agent.core.separated import JsonSequenceFramer, NulFramer
from agent.record import Position
from agent.sources.listening import Listening
from agent.sources.networks import comes_from
from agent.store.positions import SavedPosition
from sources.conftest import Taken
from sources.serving import HEAD, MAX, SOON, serving, until

RESET = struct.pack("ii", 1, 0)


def break_off(peer: socket.socket) -> None:
    """Close it so that the other end gets a reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


def torn(taken: Taken) -> list[bytes]:
    return [found for found, fault in taken.refused if fault.reason == "torn"]


async def test_whole_lines_of_all_connections_come_out(taken: Taken) -> None:
    async with serving(taken) as at_work:
        first, second = at_work.connect(), at_work.connect()
        first.sendall(b'{"a":1}\n{"a"')
        await until(lambda: taken.bytes == b'{"a":1}\n')
        second.sendall(b'{"b":1}\r\n')
        await until(lambda: taken.bytes.endswith(b'{"b":1}\r\n'))
        first.sendall(b":2}\n")
        await until(lambda: taken.bytes.endswith(b'{"a":2}\n'))
        assert at_work.open == 2
        first.close()
        second.close()
        await until(lambda: at_work.closed("peer") == 2)
        assert at_work.open == 0
        assert at_work.source.progress().read == 25
    assert taken.refused == []


@pytest.mark.parametrize("listen", ["[::1]:0", "unix"])
async def test_other_families_do_the_same(taken: Taken, listen: str, tmp_path: Path) -> None:
    address = str(tmp_path / "s") if listen == "unix" else listen
    async with serving(taken, address) as at_work:
        peer = at_work.connect()
        peer.sendall(b"{}\n")
        peer.close()
        await until(lambda: at_work.closed("peer") == 1)
    assert taken.bytes == b"{}\n"
    assert not os.path.lexists(address)  # noqa: ASYNC240


@pytest.mark.parametrize("how", ["peer", "reset"])
@pytest.mark.parametrize(
    ("last", "record", "dead"),
    [
        (b'{"a":1', b"", b'{"a":1'),
        (b'{"a":1}', b'{"a":1}\n', b""),
        (b'{"a":1}\r', b'{"a":1}\r\n', b""),
        (b" \t", b"", b""),
    ],
)
async def test_a_last_line_without_an_end_is_a_record_if_it_is_whole_and_else_a_dead_letter(
    taken: Taken, how: str, last: bytes, record: bytes, dead: bytes
) -> None:
    async with serving(taken) as at_work:
        peer = at_work.connect()
        peer.sendall(b'{"first":1}\n' + last)
        await until(lambda: at_work.source.progress().read == 12 + len(last))
        break_off(peer) if how == "reset" else peer.close()
        await until(lambda: at_work.closed(how) == 1)
    assert taken.bytes == b'{"first":1}\n' + record
    assert torn(taken) == ([dead] if dead else [])
    if dead:
        said = taken.refused[0][1].message
        assert said.startswith("the connection from 127.0.0.1:")
        assert "within a record: not valid JSON" in said


async def test_a_half_closed_connection_is_read_to_its_end_and_closed(taken: Taken) -> None:
    async with serving(taken) as at_work:
        peer = at_work.connect()
        peer.sendall(b"{}\n{}")
        peer.shutdown(socket.SHUT_WR)
        assert await asyncio.to_thread(peer.recv, 10) == b""
        peer.close()
        assert at_work.closed("peer") == 1
    assert taken.bytes == b"{}\n{}\n"


async def test_a_line_too_long_is_swallowed_and_the_connection_goes_on(taken: Taken) -> None:
    async with serving(taken) as at_work:
        peer = at_work.connect()
        await asyncio.to_thread(peer.sendall, b"x" * 300_000 + b"\n{}\n")
        await until(lambda: taken.bytes == b"{}\n")
        peer.close()
    [line] = taken.oversized
    assert (line.head, line.length) == (b"x" * HEAD, 300_000)
    assert isinstance(line, Oversize)


async def test_a_connection_too_many_is_refused_and_the_others_do_not_notice(taken: Taken) -> None:
    async with serving(taken, connections=2) as at_work:
        peers = [at_work.connect(), at_work.connect()]
        await until(lambda: at_work.open == 2)
        refused = at_work.connect()
        assert await asyncio.to_thread(refused.recv, 10) == b""
        refused.close()
        for peer in peers:
            peer.sendall(b"{}\n")
        await until(lambda: taken.bytes == b"{}\n" * 2)
        peers.pop().close()
        await until(lambda: at_work.open == 1)
        peers.append(at_work.connect())
        await until(lambda: at_work.open == 2)
        for peer in peers:
            peer.close()
        assert at_work.meters.connections_refused.value("clients", "max_connections") == 1


async def test_an_idle_connection_is_closed_where_that_is_wanted(taken: Taken) -> None:
    async with serving(taken, idle=0.3) as at_work:
        idle, busy = at_work.connect(), at_work.connect()
        begun = time.monotonic()
        while not at_work.closed("idle"):
            assert time.monotonic() - begun < SOON
            busy.sendall(b"{}\n")
            await asyncio.sleep(0.02)
        assert at_work.open == 1
        assert idle.recv(10) == b""
        idle.close()
        busy.close()


async def test_a_record_that_does_not_come_to_its_end_in_time_is_a_dead_letter(
    taken: Taken,
) -> None:
    async with serving(taken, unfinished=0.3) as at_work:
        slow, between = at_work.connect(), at_work.connect()
        between.sendall(b"{}\n")
        while not at_work.closed("unfinished"):
            slow.send(b"x")
            await asyncio.sleep(0.02)
        assert at_work.open == 1, "between two records there is no hurry"
        await until(lambda: torn(taken))
        [dead] = torn(taken)
        assert dead == b"x" * len(dead)
        slow.close()
        between.close()


async def test_what_waited_for_room_did_not_come_late(taken: Taken) -> None:
    taken.room.clear()
    async with serving(taken, idle=0.2, unfinished=0.2) as at_work:
        peer, other = at_work.connect(), at_work.connect()
        other.sendall(b'{"o":0}\n{"o"')
        await until(lambda: at_work.open == 2)
        await asyncio.sleep(0.05)
        other.sendall(b":1}\n")
        peer.sendall(b'{"a":1}\n')
        await asyncio.sleep(0.5)
        assert at_work.closed("idle") == at_work.closed("unfinished") == 0
        taken.room.set()
        await until(lambda: taken.bytes.count(b"\n") == 3)
        peer.close()
        other.close()
    assert sorted(taken.bytes.splitlines()) == [b'{"a":1}', b'{"o":0}', b'{"o":1}']


async def test_unfinished_records_of_all_together_are_bounded(taken: Taken) -> None:
    async with serving(taken, unfinished_bytes=2000) as at_work:
        peers = [at_work.connect() for _ in range(5)]
        for number, peer in enumerate(peers):
            peer.sendall(b"x" * (400 + number * 10))
            await until(
                lambda sent=number: (
                    at_work.source.progress().read
                    == sum(400 + each * 10 for each in range(sent + 1))
                )
            )
        await until(lambda: at_work.closed("memory") == 1)
        assert torn(taken) == [b"x" * 440], "the one that held most"
        peers[0].sendall(b"\n")
        await until(lambda: len(taken.bytes) == 401)
        for peer in peers:
            peer.close()


async def test_senders_wait_while_there_is_no_room_and_nothing_is_lost(taken: Taken) -> None:
    taken.room.clear()
    line, wanted = b'{"x":"%s"}\n' % (b"y" * 80), 40_000_000
    sent = 0

    def write(peer: socket.socket) -> None:
        nonlocal sent
        block = line * 100
        while sent < wanted:
            peer.sendall(block)
            sent += len(block)
        peer.close()

    async with serving(taken) as at_work:
        peer = at_work.connect()
        peer.settimeout(SOON)
        writer = threading.Thread(target=write, args=(peer,))
        writer.start()
        seen = -1
        while seen != sent:
            seen = sent
            await asyncio.sleep(0.2)
        assert 0 < sent < wanted / 2, "the sender was not slowed down"
        assert at_work.source.progress().read <= 2**20
        taken.room.set()
        await until(lambda: not writer.is_alive() and at_work.closed("peer") == 1)
        assert len(taken.bytes) == sent
        assert taken.bytes == line * (sent // len(line))


async def test_a_firehose_does_not_starve_a_quiet_client(taken: Taken) -> None:
    stop = threading.Event()

    def pour(peer: socket.socket) -> None:
        block = b'{"x":"%s"}\n' % (b"y" * 1000) * 60
        while not stop.is_set():
            peer.sendall(block)
        peer.close()

    async with serving(taken) as at_work:
        hoses = [threading.Thread(target=pour, args=(at_work.connect(),)) for _ in range(2)]
        for hose in hoses:
            hose.start()
        quiet, delays = at_work.connect(), []
        try:
            for number in range(20):
                begun, mark = time.monotonic(), b'{"quiet":%d}\n' % number
                quiet.sendall(mark)
                await until(lambda mark=mark: any(mark in block for block in taken.blocks))
                delays.append(time.monotonic() - begun)
                taken.blocks.clear()
        finally:
            stop.set()
        await until(lambda: not any(hose.is_alive() for hose in hoses))
        quiet.close()
    assert sorted(delays)[10] < 0.5, delays


async def test_what_was_sent_before_the_stop_is_read_and_clients_get_a_clean_close(
    taken: Taken,
) -> None:
    async with serving(taken) as at_work:
        early = at_work.connect()
        await until(lambda: at_work.open == 1)
        early.sendall(b'{"early":1}\n{"half":')
        late = at_work.connect()  # still in the kernel's queue
        late.sendall(b'{"late":1}\n{"whole":1}')
        await at_work.stopped()
        assert early.recv(10) == late.recv(10) == b"", "no reset"
        with pytest.raises(ConnectionRefusedError):
            at_work.connect()
        early.close()
        late.close()
    assert sorted(taken.bytes.splitlines()) == [b'{"early":1}', b'{"late":1}', b'{"whole":1}']
    assert torn(taken) == [b'{"half":']


async def test_numbering_goes_on_where_an_earlier_run_had_got_to(taken: Taken) -> None:
    async with serving(taken) as at_work:
        await at_work.stopped()
        again = at_work.source
        again.resume({"clients": SavedPosition(Position(4711, 99_000), None)})
        again._stopped = False
        await again.claim()
        running = asyncio.ensure_future(again.run(taken))
        await asyncio.sleep(0)
        assert taken.position == Position(4711, 99_000)
        again.stop()
        await asyncio.wait_for(running, SOON)


async def test_garbage_costs_only_itself(taken: Taken) -> None:
    async with serving(taken) as at_work:
        bad = at_work.connect()
        await asyncio.to_thread(bad.sendall, os.urandom(200_000) + b"\n")
        good = at_work.connect()
        good.sendall(b'{"good":1}\n')
        await until(lambda: b'{"good":1}\n' in taken.bytes)
        bad.close()
        good.close()


async def test_a_thousand_slow_writers_cost_next_to_nothing(taken: Taken) -> None:
    async with serving(taken) as at_work:
        peers = [at_work.connect() for _ in range(1000)]
        await until(lambda: at_work.open == 1000)
        begun = time.process_time()
        for byte in b'{"a":1}\n':
            for peer in peers:
                peer.send(bytes([byte]))
            await asyncio.sleep(0.05)
        await until(lambda: taken.bytes.count(b"\n") == 1000)
        spent = time.process_time() - begun
        assert spent < 4.0, "eight seconds of their time, at a byte a second"
        assert taken.bytes == b'{"a":1}\n' * 1000
        for peer in peers:
            peer.close()
        await until(lambda: at_work.closed("peer") == 1000)


async def test_a_source_that_was_stopped_before_it_ran_reads_nothing(taken: Taken) -> None:
    async with serving(taken, Listening("127.0.0.1:0")) as at_work:
        at_work.source.stop()
        await asyncio.wait_for(at_work.running, SOON)
    assert taken.blocks == []


@pytest.mark.parametrize(
    ("framer", "stream"),
    [
        (NulFramer, b'{"a":\n1}\0{"b":2}\0'),
        (LengthPrefixedFramer, b'\0\0\0\x08{"a":\n1}\0\0\0\x07{"b":2}'),
        (OctetCountedFramer, b'8 {"a":\n1}7 {"b":2}'),
        (JsonSequenceFramer, b'\x1e{"a":\n1}\n\x1e{"b":2}\n'),
    ],
)
async def test_records_come_in_other_frames_byte_by_byte(
    taken: Taken, framer: type[NulFramer], stream: bytes
) -> None:
    async with serving(taken, framer=lambda: framer(MAX, HEAD)) as at_work:
        peer = at_work.connect()
        for sent, byte in enumerate(stream, 1):
            peer.send(bytes([byte]))
            await until(lambda sent=sent: at_work.source.progress().read == sent)
        assert taken.bytes.split(b"\n") == [b'{"a": 1}', b'{"b":2}', b""]
        peer.close()


@pytest.mark.parametrize("framer", [LengthPrefixedFramer, OctetCountedFramer, JsonSequenceFramer])
async def test_a_client_that_frames_in_another_way_is_cut_off_and_alone_in_that(
    taken: Taken, framer: type[LengthPrefixedFramer]
) -> None:
    async with serving(taken, framer=lambda: framer(MAX, HEAD)) as at_work:
        wrong, other = at_work.connect(), at_work.connect()
        wrong.sendall(b"GET / HTTP/1.1\r\n\r\n")
        await until(lambda: at_work.closed("framing") == 1)
        assert at_work.open == 1
        assert wrong.recv(10) == b""
        wrong.close()
        other.close()
    [(found, fault)] = taken.refused
    assert (found, fault.reason) == (b"GET / HTTP/1.1\r\n\r\n", "framing")


@pytest.mark.parametrize(
    ("networks", "refused"),
    [(("10.0.0.0/8", "fd00::/8"), 1), (("10.0.0.0/8", "127.0.0.0/8"), 0), ((), 0)],
)
async def test_clients_from_elsewhere_are_refused_where_networks_are_named(
    taken: Taken, networks: tuple[str, ...], refused: int
) -> None:
    allowed = tuple(map(ip_network, networks))
    async with serving(taken, networks=allowed) as at_work:
        peer = at_work.connect()
        peer.sendall(b"{}\n")
        counted = at_work.meters.connections_refused
        await until(lambda: counted.value("clients", "not_allowed") == refused)
        await until(lambda: taken.bytes == b"{}\n" or refused)
        peer.close()
    assert len(taken.blocks) == 1 - refused


def test_addresses_are_known_however_they_are_written() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fe80::/10"))
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fe80::1%eth0"):
        assert comes_from((address, 5170, 0, 0), networks)
    for address in ("11.1.2.3", "::ffff:11.1.2.3", "fd00::1"):
        assert not comes_from((address, 5170, 0, 0), networks)
    assert comes_from("", networks), "who comes by a Unix socket has no address"


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "unix"])
async def test_who_connects_while_one_source_takes_the_place_of_another_is_served_by_that(
    taken: Taken, listen: str, tmp_path: Path
) -> None:
    address = str(tmp_path / "s") if listen == "unix" else listen
    async with serving(taken, address) as before:
        told = before.connect()
        await until(lambda: before.open == 1)
        before.source.stop()
        waiting = before.connect()
        async with serving(taken, address, former=before) as after:
            assert after.address == before.address
            assert told.recv(1) == b"", "its source is gone"
            waiting.sendall(b'{"a":1}\n')
            await until(lambda: taken.bytes == b'{"a":1}\n')
            late = after.connect()
            late.sendall(b'{"a":2}\n')
            await until(lambda: taken.bytes == b'{"a":1}\n{"a":2}\n')
            for peer in (told, waiting, late):
                peer.close()
    assert not (tmp_path / "s").exists(), "the file goes with the last of them"
