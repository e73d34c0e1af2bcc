"""Records that come in something else than lines of their own: all of them arrive, once."""

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.accounts import kept_in
from support.agent import Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import orders

Start = Callable[..., Running]
Configured = Callable[..., Path]


def cri(record: bytes, stream: bytes = b"stdout", part: int = 300) -> list[bytes]:
    """The lines a runtime makes of one of a program's."""
    texts = [record[at : at + part] for at in range(0, len(record), part)]
    tags = [b"P"] * (len(texts) - 1) + [b"F"]
    return [
        b"2026-01-31T00:00:00.1Z %b %b %b" % (stream, tag, text)
        for tag, text in zip(tags, texts, strict=True)
    ]


def docker(record: bytes, part: int = 300) -> list[bytes]:
    texts = [record.decode()[at : at + part] for at in range(0, len(record.decode()), part)]
    texts[-1] += "\n"
    return [
        json.dumps({"log": text, "stream": "stdout", "time": "2026-01-31T00:00:00Z"}).encode()
        for text in texts
    ]


def lines(records: list[bytes], wrap: Callable[[bytes], list[bytes]]) -> bytes:
    return b"".join(line + b"\n" for record in records for line in wrap(record))


def pretty(records: list[bytes]) -> bytes:
    return b"\n".join(json.dumps(json.loads(record), indent=2).encode() for record in records)


def sources(path: Path, **settings: Any) -> dict[str, Any]:
    return {"sources": [{"type": "file", "paths": [f"{path}"], **settings}]}


@pytest.mark.parametrize("format_", ["cri", "docker", "json"])
def test_a_kill_between_the_parts_of_a_record_costs_none(
    format_: str,
    inlet: Callable[..., RunningEmulator],
    configured: Configured,
    start: Start,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    records = orders(3000)
    longer = [record[:-1] + b',"long":"%b"}' % (b"x" * 700) for record in records[::50]]
    records[::50] = longer
    broken = b'no record {"n":'
    records[11::300] = [broken] * 10
    good = [record for record in records if record != broken]
    path = tmp_path / "app.log"
    if format_ == "json":
        good = [
            json.dumps(json.loads(record), indent=2).replace("\n", " ").encode() for record in good
        ]
        records = [
            r if r == broken else json.dumps(json.loads(r), indent=2).encode() for r in records
        ]
        path.write_bytes(b"\n".join(records) + b"\n")
    else:
        path.write_bytes(lines(records, cri if format_ == "cri" else docker))
    emulator = inlet(faults=[{"delay": 0.005}, {"when": {"probability": 0.2}, "status": 503}])
    config = configured(
        emulator,
        delivery={"max_in_flight": 4, "retry": {"max": "500ms"}},
        **sources(path, format=format_, follow=False),
    )
    for _ in range(3):
        agent, before = start("run", config), len(emulator.records())
        eventually(partial(_has_landed_more, emulator, before, agent))
        agent.signal(signal.SIGKILL)
        agent.process.wait(10)
    emulator.set_faults()

    done = aep_agent("run", config)

    assert done.code in (0, 3)  # 3 where it was this run that found what is no record
    assert not done.logged("the file is another one")
    kept = kept_in(data_dir)  # the books balance
    assert set(emulator.records()) == set(good)
    assert [letter.record for letter in kept.dead_letters] == [broken] * 10
    assert len({each.line for each in kept.receipts}) == len(good), "each has its own line"


def _has_landed(emulator: RunningEmulator, count: int) -> bool:
    return len(set(emulator.records())) >= count


def _has_landed_more(emulator: RunningEmulator, before: int, agent: Running) -> bool:
    return len(emulator.records()) > before or agent.process.poll() is not None


def test_what_nobody_asked_for_is_counted_and_the_audit_is_content(
    emulator: RunningEmulator, configured: Configured, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    records = orders(300)
    written = []
    for number, record in enumerate(records):
        written += cri(record)
        written += cri(b"trouble %d" % number, b"stderr") if number % 3 == 0 else []
        written += cri(b"hello") if number % 10 == 0 else []
    path.write_bytes(b"".join(line + b"\n" for line in written))
    settings = {
        "format": "cri",
        "follow": False,
        "stream": "stdout",
        "non_json": "drop",
        "filters": [{"keep": "order <= 100", "name": "few"}],
    }
    config = configured(emulator, **sources(path, **settings))

    done = aep_agent("run", config)

    assert (done.code, done.log[-1]["filtered"]) == (0, 330)
    assert sorted(emulator.records()) == sorted(records[:100])
    assert _filtered(data_dir) == {"few": 200, "non_json": 30, "other_stream": 100}
    assert kept_in(data_dir).dead_letters == []
    assert aep_agent("audit", "--data-dir", data_dir).code == 0
    assert aep_agent("run", config).log[-1]["read"] == 0, "nothing of it is read again"


def _filtered(data_dir: Path) -> dict[str, int]:
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        rows = connection.execute("SELECT reason, records FROM ledger WHERE entry = 'filtered'")
        return dict(rows.fetchall())


def test_pretty_printed_objects_come_through_a_pipe(
    emulator: RunningEmulator, configured: Configured, data_dir: Path
) -> None:
    records = orders(500)
    config = configured(emulator, sources=[{"type": "stdin", "format": "json"}])

    done = aep_agent("run", config, stdin=pretty(records))

    assert done.code == 0
    assert [json.loads(record) for record in sorted(emulator.records())] == [
        json.loads(record) for record in sorted(map(_one_line, records))
    ]
    assert len(kept_in(data_dir).receipts) == 500


def _one_line(record: bytes) -> bytes:
    return json.dumps(json.loads(record), indent=2).replace("\n", " ").encode()


@pytest.mark.parametrize("format_", ["cri", "docker", "json"])
def test_the_log_of_a_container_is_followed_through_rotation(
    format_: str,
    emulator: RunningEmulator,
    configured: Configured,
    start: Start,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    records = orders(600)
    wrap = {"cri": partial(cri, part=60), "docker": partial(docker, part=60)}.get(format_)
    texts = [lines([each], wrap) if wrap else pretty([each]) + b"\n" for each in records]
    follow = {"format": format_, "poll": "20ms", "let_go": "200ms", "unfinished": "200ms"}
    agent = start("run", configured(emulator, **sources(path, **follow)), stdin=None)
    for first in range(0, 600, 100):
        with path.open("ab") as file:
            for text in texts[first : first + 100]:
                file.write(text[: len(text) // 2])
                file.flush()
                file.write(text[len(text) // 2 :])
        eventually(partial(_has_landed, emulator, first + 50))
        path.rename(tmp_path / f"app.log.{first}")
    eventually(partial(_has_landed, emulator, 600))
    agent.signal(signal.SIGTERM)
    agent.process.wait(20)

    good = records if wrap else [*map(_one_line, records)]
    assert sorted(emulator.records()) == sorted(good)
    assert kept_in(data_dir).dead_letters == []
