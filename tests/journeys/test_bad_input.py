"""Legal JSON arrives byte for byte however odd; what is none is kept exactly, with a reason."""

import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from support.accounts import accounted_for
from support.agent import Finished, Running, aep_agent, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines

Send = Callable[..., Finished]

ODD = {
    "numbers over 64 bits": b'{"n":123456789012345678901234567890,"f":1e999,"z":-0.0e-0}',
    "duplicate keys": b'{"a":1,"a":2}',
    "depth 10,000": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "lone surrogate escapes": b'{"a":"\\ud800","\\udfff":"\\uD83D\\u0020"}',
    "an escaped NUL": b'{"a":"\\u0000"}',
    "no keys": b"{}",
    "separators of Unicode": '{"a":"\u2028\u2029\u0085\ufeff"}'.encode(),
    "text that looks like a body": b'{"messages":[{"a":1},{"a":2}],"s":"]},{\\n"}',
    "spaces round everything": b'{ "a" :\t[ 1 , 2 ] }',
    "DEL and noncharacters": b'{"a":"\x7f\xef\xbf\xbf\xf4\x8f\xbf\xbf"}',
}

BAD = {
    b'{"a":1': "invalid_json",
    b'{"a":1,': "invalid_json",
    b'"b":2}': "invalid_json",
    b'{"a":1}{"b":2}': "invalid_json",
    b'{"a":1} {"b":2}': "invalid_json",
    b'{"a":1},{"b":2}': "invalid_json",
    b'{"a":1}]}': "invalid_json",
    b'{"a":NaN}': "invalid_json",
    b'{"a":-Infinity}': "invalid_json",
    b'{"a":01}': "invalid_json",
    b'{"a":1,}': "invalid_json",
    b"{'a':1}": "invalid_json",
    b'{"a":"\\x41"}': "invalid_json",
    b'{"a":"\\ud8"}': "invalid_json",
    b'{"a":"tab\there"}': "invalid_json",
    b'{"a":"\x00"}': "invalid_json",
    b'{"a":1}\x00': "invalid_json",
    b"\x00\x00\x00": "invalid_json",
    b'\xef\xbb\xbf{"a":1}': "invalid_json",
    b"plain text": "invalid_json",
    b'\x0c{"a":1}': "invalid_json",
    b'{"a":1}\r{"b":2}': "invalid_json",
    b"[1,2]": "not_an_object",
    b'"text"': "not_an_object",
    b"42": "not_an_object",
    b"null": "not_an_object",
    b'{"a":"\xff"}': "invalid_utf8",
    b'{"a":"\xed\xa0\x80"}': "invalid_utf8",
    b'{"a":"\xc0\xaf"}': "invalid_utf8",
    b'{"a":"\xe6\x9d"}': "invalid_utf8",
    b'{"\xf5\x80\x80\x80":1}': "invalid_utf8",
    b'{"a":"' + b"x" * 1_200_000 + b'"}': "too_large",
}

LONG = b'{"pad":"' + b"x" * 100_000_000 + b'"}'


def _check_reasons(stored: list[dict[str, object]]) -> None:
    for letter in stored:
        whole = next(line for line in BAD if line.startswith(_record(letter)))
        assert letter["reason"] == BAD[whole], letter["message"]
        assert letter["stage"] in ("validate", "frame")
        assert letter["message"]
        assert letter["length"] == len(whole)
        assert letter["truncated"] == (letter["reason"] == "too_large")
        assert letter["sha256"] == (sha256(whole).hexdigest() if letter["truncated"] else None)


def _record(letter: dict[str, object]) -> bytes:
    """The exact bytes of an exported dead letter."""
    if "record" in letter:
        return str(letter["record"]).encode()
    return b64decode(str(letter["record_base64"]))


def test_in_one_file_bad_lines_become_dead_letters_and_their_neighbours_arrive(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    whole = [b'{"first":true}']
    for number, bad in enumerate([*BAD, *ODD.values()]):
        whole += [bad, b'{"neighbour":%d}' % number]
    file = tmp_path / "bad.ndjson"
    file.write_bytes(lines(whole))
    done = send(emulator, file)

    assert done.code == 3
    kept = accounted_for({str(file): whole}, emulator, data_dir)
    assert {letter.record for letter in kept.dead_letters} == {bad[: 2**20] for bad in BAD}
    exported = aep_agent("dead-letters", "export", "--data-dir", data_dir)
    stored = [json.loads(line) for line in exported.stdout.splitlines()]
    assert len(stored) == len(BAD)
    _check_reasons(stored)
    raw = aep_agent("dead-letters", "export", "--raw", "--data-dir", data_dir)
    assert raw.stdout == lines([bad[: 2**20] for bad in BAD])
    for letter in kept.dead_letters:
        at = letter.position.offset
        assert lines(whole)[at : at + len(letter.record)] == letter.record


def test_each_alone_in_a_file_with_and_without_a_last_newline(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    sources = {}
    for number, line in enumerate([*BAD, *ODD.values()]):
        for name, content in ((f"{number}.ndjson", line + b"\n"), (f"{number}-torn.ndjson", line)):
            (tmp_path / name).write_bytes(content)
            sources[str(tmp_path / name)] = [line]
    done = send(emulator, tmp_path / "*.ndjson")

    assert done.code == 3
    kept = accounted_for(sources, emulator, data_dir)
    assert len(kept.dead_letters) == 2 * len(BAD)
    assert len(kept.receipts) == 2 * len(ODD)
    reasons = {letter.record: letter.reason for letter in kept.dead_letters}
    assert reasons == {bad[: 2**20]: reason for bad, reason in BAD.items()}


def test_blank_lines_are_no_records_and_lines_may_end_in_crlf(
    send: Send, emulator: RunningEmulator, data_dir: Path
) -> None:
    text = b'\n\r\n{"a":1}\r\n \t\r\n{"a":2}\n\n{"a":3}\r\n{"a":4}'
    done = send(emulator, "-", stdin=text)

    assert done.code == 0, done.stderr
    assert done.summary["read"] == 4
    assert sorted(emulator.records()) == [b'{"a":%d}' % number for number in (1, 2, 3, 4)]
    by_id = emulator.records_by_id()
    found = aep_agent("receipts", "export", "--data-dir", data_dir)
    receipts = [json.loads(line) for line in found.stdout.splitlines()]
    assert {each["line"]: by_id[each["xaction_id"]] for each in receipts} == {
        3: b'{"a":1}', 5: b'{"a":2}', 7: b'{"a":3}', 8: b'{"a":4}'
    }  # fmt: skip


def test_a_line_of_100_mb_costs_no_memory_and_is_known_by_length_and_hash(
    start: Callable[..., Running], emulator: RunningEmulator, data_dir: Path
) -> None:
    agent = start(*send_arguments(emulator, data_dir, "-"))
    agent.write(lines([b'{"before":1}', LONG, b'{"after":1}']))
    eventually(lambda: emulator.stats()["records_accepted"] == 2)
    peak = agent.peak_bytes()
    done = agent.finished()

    assert done.code == 3
    (letter,) = accounted_for(
        {"stdin": [b'{"before":1}', LONG, b'{"after":1}']}, emulator, data_dir
    ).dead_letters
    assert (letter.reason, letter.stage, letter.length) == ("too_large", "frame", len(LONG))
    assert letter.sha256 == sha256(LONG).hexdigest()
    assert len(letter.record) == 2**20
    assert peak < 100_000_000
