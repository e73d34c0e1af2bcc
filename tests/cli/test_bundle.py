import gzip
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.cli.log_lines import LOGGERS
from support.agent import aep_agent, eventually
from support.listening import Listening, listening
from support.watched import address_of

ROOT = Path(__file__).parents[2]
SECRETS = {
    name: f"geheim-{name}-0123456789"
    for name in ("token", "header", "proxy", "push", "file", "variable", "inlet")
}
RECORD = "Ada-Lovelace-1815"
ABOUT = {"versions.json", "config.json", "store.json", "system.json", "about.json"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "push-token").write_text(SECRETS["file"])
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    (tmp_path / "app.ndjson").write_text(f'{{"name": "{RECORD}"}}\n{RECORD} is no JSON\n')
    config = {
        "data_dir": str(tmp_path / "data"),
        "inlet": {
            "url": f"http://127.0.0.1:{port}/collection/{SECRETS['inlet']}",
            "flow_id": "f",
            "token": SECRETS["token"],
            "headers": {"x-api-key": SECRETS["header"]},
            "proxy": f"http://me:{SECRETS['proxy']}@127.0.0.1:{port}",
        },
        "batch": {"max_wait": "20ms"},
        "buffer": {"write_after": "0s"},
        "sources": [
            {"type": "file", "paths": [str(tmp_path / "app.ndjson")]},
            {"type": "http", "listen": "127.0.0.1:0", "token_file": str(tmp_path / "push-token")},
        ],
        "admin": {"listen": "127.0.0.1:0"},
        "log": {"format": "json", "level": "debug"},
    }
    (tmp_path / "agent.yaml").write_text(json.dumps(config))
    return tmp_path


@pytest.fixture
def agent(home: Path) -> Iterator[Listening]:
    with listening(["run", home / "agent.yaml"], 1) as agent:
        eventually(lambda: agent.status()["held_on_disk"] == 1)
        yield agent


def bundled(*words: str | Path, **variables: str) -> dict[str, bytes]:
    """What is in a bundle, by name."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "bundle", "-o", "-", *map(str, words)],
        capture_output=True,
        env={**os.environ, **variables},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return {
            member.name.partition("/")[2]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
        }


def planted(parts: Mapping[str, bytes]) -> list[str]:
    """What was planted and came into the bundle after all."""
    whole = b"\n".join(parts.values()).decode()
    return [each for each in (*SECRETS.values(), RECORD) if each in whole]


def test_no_secret_and_no_record_is_in_it_wherever_they_were(home: Path, agent: Listening) -> None:
    own = {"timestamp": "t", "level": "info", "event": "own line", "logger": "source"}
    said = list(agent.log)
    log = [
        *(json.dumps(line) for line in said),
        json.dumps({**own, "record": RECORD, "reason": f"Bearer {SECRETS['token']}"}),
        json.dumps({**own, "seen": SECRETS["variable"], "url": f"//x?{SECRETS['push']}"}),
        f'{{"name": "{RECORD}"}}',
        json.dumps({**own, "logger": "shop", "name": RECORD}),
        RECORD,
    ]
    (home / "agent.log").write_text("\n".join(log))
    parts = bundled(
        *("--config", home / "agent.yaml", "--log", home / "agent.log"),
        *("--url", address_of(agent)),
        MY_API_KEY=SECRETS["variable"],
        AEP_PUSH_TOKEN=SECRETS["push"],
    )
    assert planted(parts) == []
    assert set(parts) == {
        *ABOUT,
        *("status.json", "metrics.txt", "livez.txt", "readyz.txt", "log-1.ndjson"),
    }
    about = json.loads(parts["about.json"])
    assert about["missing"] == {}
    books = json.loads(parts["store.json"])
    assert books["audit"]["read"] == 2
    assert books["dead_letters"]["open"] == {"invalid_json": 1}
    assert [each["records"] for each in books["spool"]] == [1]
    status = json.loads(parts["status.json"])
    assert (status["read"], "last_receipts" in status) == (2, False)
    assert [each["reason"] for each in status["last_dead_letters"]] == ["invalid_json"]
    assert "message" not in status["last_dead_letters"][0]
    assert b"aep_agent_build_info" in parts["metrics.txt"]
    last = json.loads(parts["log-1.ndjson"].splitlines()[-1])
    assert last == {
        "lines": len(said) + 2,
        "left_out": 3,
        "reason": "not written by the agent in JSON",
    }
    assert b"own line" in parts["log-1.ndjson"]


def test_a_secret_in_the_wrong_place_of_the_configuration_stays_out(home: Path) -> None:
    whole: dict[str, Any] = json.loads((home / "agent.yaml").read_text())
    whole["inlet"]["url"] = SECRETS["token"]
    whole["batch"]["max_wait"] = SECRETS["header"]
    whole["sources"][0]["type"] = SECRETS["push"]
    (home / "agent.yaml").write_text(json.dumps(whole))
    parts = bundled("--config", home / "agent.yaml", "--data-dir", home / "data")
    assert planted(parts) == []
    assert "inlet.url" in json.loads(parts["about.json"])["missing"]["config.json"]


def test_where_nothing_is_there_it_says_what_is_missing(tmp_path: Path) -> None:
    words = ("--data-dir", tmp_path / "none", "--log", tmp_path / "none.log")
    parts = bundled(*words, "--url", "127.0.0.1:1")
    assert set(parts) == ABOUT - {"config.json"}
    missing = json.loads(parts["about.json"])["missing"]
    assert missing["status.json"].startswith("no agent answers at http://127.0.0.1:1")
    assert {"config.json", "metrics.txt", "log-1.ndjson"} <= set(missing)
    assert json.loads(parts["store.json"])["there"] is False


def test_the_file_is_its_owners_alone_and_replaces_no_other(home: Path) -> None:
    target = home / "mine.tar.gz"
    words = ("bundle", "--config", home / "agent.yaml", "--url", "127.0.0.1:1", "-o", target)
    done = aep_agent(*words)
    assert (done.code, done.stdout.decode().strip()) == (0, str(target))
    assert target.stat().st_mode & 0o777 == 0o600
    before = gzip.decompress(target.read_bytes())
    again = aep_agent(*words)
    assert again.code == 1
    assert b"File exists" in again.stderr
    assert gzip.decompress(target.read_bytes()) == before


def test_no_half_of_a_bundle_stands_in_the_way_of_the_next(tmp_path: Path) -> None:
    path = tmp_path / "b.tgz"
    words = [*(sys.executable, "-m", "agent", "bundle", "--data-dir", tmp_path), "-o", path]
    full = subprocess.run(
        ["bash", "-c", 'ulimit -f 0; trap "" XFSZ; "$@"', "-", *words], check=False
    )
    assert full.returncode == 1
    assert not path.exists()


def test_every_logger_of_the_agent_is_known() -> None:
    named = re.compile(r'get_logger\("([^"]+)"\)')
    found = {
        name for path in (ROOT / "agent").rglob("*.py") for name in named.findall(path.read_text())
    }
    assert found == LOGGERS
