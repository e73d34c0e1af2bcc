"""Does an export give back what was read, and what became of it?"""

import base64
import json
import os
import stat
from dataclasses import replace

import pytest

from cli.dead_letters.letters import BROKEN, CUT, REJECTED


def test_an_export_has_exactly_the_promised_keys(settle, command):
    settle([REJECTED])
    code, out, err = command("export")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "record": '{"name":"Zoë\\u0000","n":12345678901234567890}',
        "reason": "rejected",
        "stage": "platform",
        "status": 400,
        "message": "inletId: [57e8] Message has unknown xdm format",
        "xaction_id": "1565628583792:1485:153:7",
        "source": "/var/log/orders.ndjson",
        "position": {"line": 4711, "offset": 1000000},
        "attempts": 2,
        "first_at": "2023-11-14T22:13:20.125Z",
        "last_at": "2023-11-14T22:14:20.500Z",
        "id": 1,
        "length": 44,
        "sha256": None,
        "truncated": False,
    }


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b'"\\ \r \x00 \x1b[31m \x7f',
        '{"a":"\u2028é😀\ufeff"}'.encode(),
        b"\xed\xa0\x80",  # a lone surrogate, which UTF-8 does not allow
        b"\xff" * 100,
        os.urandom(1 << 20),
        b"x" * (1 << 20),
    ],
    ids=["empty", "controls", "unicode", "surrogate", "not text", "random", "large"],
)
def test_an_export_gives_back_the_exact_bytes(settle, command, record):
    settle([replace(REJECTED, record=record, length=len(record))])
    _, out, _ = command("export")
    assert out.count(b"\n") == 1
    exported = json.loads(out)
    if "record" in exported:
        assert exported["record"].encode() == record
        assert "record_base64" not in exported
    else:
        assert base64.b64decode(exported["record_base64"]) == record
        with pytest.raises(UnicodeDecodeError):
            record.decode()
    _, raw, _ = command("export", "--raw")
    assert raw == record + b"\n"


def test_an_export_to_a_file_is_its_owners_alone(settle, command, tmp_path):
    settle([REJECTED, BROKEN])
    path = tmp_path / "out.ndjson"
    code, out, _ = command("export", "--raw", "-o", str(path))
    assert (code, out) == (0, b"")
    assert path.read_bytes() == REJECTED.record + b"\n" + BROKEN.record + b"\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_to_a_place_that_cannot_be_written_says_so(settle, command, tmp_path):
    settle([REJECTED])
    code, _, err = command("export", "-o", str(tmp_path / "no" / "where"))
    assert code == 1
    assert "cannot write" in err


def test_a_raw_export_says_which_records_are_cut(settle, command):
    settle([CUT, REJECTED])
    _, _, err = command("export", "--raw")
    assert "1 of 2 records are cut" in err
    exported = json.loads(command("export", "--reason", "too_large")[1])
    assert (exported["truncated"], exported["length"]) == (True, 10**8)
