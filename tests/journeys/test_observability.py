"""What is in deploy/observability: rules that fire when they should, a dashboard whose every query
finds its metric, and a real Prometheus that looks at a real agent.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.telemetry.meters import Meters
from support.agent import Running, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders
from support.watching import admin_address, get
from torture.configuring import free_port

HERE = Path(__file__).resolve().parents[2] / "deploy" / "observability"
SERIES = re.compile(r"\b((?:aep_agent|process)_\w+)\b")
TOKEN = "p8e-0123456789abcdef"
PROMTOOL = shutil.which("promtool")
PROMETHEUS = shutil.which("prometheus")

pytestmark = pytest.mark.skipif(
    not (PROMTOOL and PROMETHEUS), reason="THE DEBIAN PACKAGE prometheus IS MISSING"
)


def promtool(*arguments: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        [str(PROMTOOL), *arguments], cwd=HERE, input=stdin, capture_output=True, timeout=60
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_the_rules_are_sound_and_fire_when_they_should() -> None:
    promtool("check", "config", "prometheus.yaml")
    assert "SUCCESS" in promtool("test", "rules", "tests.yaml")


def test_every_alert_is_tried() -> None:
    alerts = re.findall(r"alert: (\w+)", (HERE / "alerts.yaml").read_text())
    tried = (HERE / "tests.yaml").read_text()
    assert [name for name in alerts if name not in tried] == []


def test_the_dashboard_is_what_its_code_makes() -> None:
    made = subprocess.run(
        [sys.executable, HERE / "dashboard.py"], capture_output=True, timeout=60, check=True
    )
    assert made.stdout == (HERE / "dashboard.json").read_bytes()


def test_every_query_is_about_metrics_that_there_are() -> None:
    known = {row.name for row in Meters().table()}
    buckets = {f"{row.name}_bucket" for row in Meters().table() if row.kind == "histogram"}
    of_the_process = {
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
    }
    asked = {name for query in _queries() for name in SERIES.findall(query)}
    assert asked - known - buckets - of_the_process == set()


def test_a_real_prometheus_that_sends_the_token_understands_all_of_it(
    emulator: RunningEmulator,
    configured: Callable[..., Path],
    start: Callable[..., Running],
    tmp_path: Path,
) -> None:
    records = orders(3000)
    (tmp_path / "orders.ndjson").write_bytes(lines([*records, b"no record"]))
    (tmp_path / "token").write_text(TOKEN)
    admin = {"listen": "127.0.0.1:0", "token_file": str(tmp_path / "token")}
    config = configured(emulator, tmp_path / "orders.ndjson", admin=admin)
    settings = json.loads(config.read_text())
    settings["sources"].append({"type": "stdin"})  # so that it goes on
    config.write_text(json.dumps(settings))
    agent = start("run", config)
    address = admin_address(agent)
    eventually(lambda: json.loads(get(address, "/status", TOKEN)[1])["accepted"] == 3000)
    # Names only: promtool's taste in units differs from that of who counts records.
    promtool("check", "metrics", stdin=get(address, "/metrics", TOKEN)[1])
    with _prometheus(tmp_path, address, tmp_path / "token") as ask:
        eventually(lambda: _value(ask, "sum(aep_agent_pipeline_accepted_records_total)") == 3000)
        # Rules are worked out every second here: the recorded ones are there after two looks.
        eventually(lambda: _value(ask, "count(aep_agent:read_records:rate5m)") == 1)

        for query in _queries():
            assert ask("query", query=_filled(query))["status"] == "success", query
        for found in (
            'sum(aep_agent_pipeline_dead_lettered_records_total{reason="invalid_json"})',
            'sum(aep_agent_destination_state{state="ready"})',
        ):
            assert _value(ask, found) == 1, found
        assert _value(ask, "sum(aep_agent_ledger_residue_records)") == 0
        shown = ask(
            "query_exemplars",
            query="aep_agent_delivery_receive_lag_seconds_bucket",
            start="0",
            end="99999999999",
        )["data"]
        ids = {e["labels"]["xaction_id"] for series in shown for e in series["exemplars"]}
        assert ids
        assert ids <= set(emulator.records_by_id())
    agent.signal(signal.SIGTERM)
    assert agent.finished().code == 0


def _queries() -> Iterator[str]:
    """Every query of the dashboard and every expression of the rules."""
    board = json.loads((HERE / "dashboard.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for name in ("recording.yaml", "alerts.yaml"):
        for group in yaml.safe_load((HERE / name).read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


def _filled(query: str) -> str:
    """As Grafana asks it, with all agents chosen."""
    for variable, value in {
        "$job": ".*",
        "$instance": ".*",
        "$__rate_interval": "1m",
        "$__range": "1h",
    }.items():
        query = query.replace(variable, value)
    return query


def _value(ask: Callable[..., dict[str, Any]], query: str) -> float | None:
    result = ask("query", query=query)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


@contextmanager
def _prometheus(
    directory: Path, target: str, token: Path
) -> Iterator[Callable[..., dict[str, Any]]]:
    """A Prometheus with the rules as they are, looking every second; yields how to ask it."""
    config = (HERE / "prometheus.yaml").read_text()
    config = config.replace("127.0.0.1:9600", target).replace("15s", "1s").replace("30s", "1s")
    for line in ("authorization:", "  credentials_file:"):  # as for agents that ask for a token
        config = config.replace(f"    # {line}", f"    {line}")
    config = config.replace("/etc/prometheus/aep-agent-token", str(token))
    path = directory / "prometheus.yaml"
    path.write_text(config)
    for name in ("recording.yaml", "alerts.yaml"):
        text = (HERE / name).read_text().replace("interval: 30s", "interval: 1s")
        (directory / name).write_text(text)
    listen = f"127.0.0.1:{free_port()}"
    with (directory / "prometheus.log").open("wb") as log:
        running = subprocess.Popen(
            [
                *(str(PROMETHEUS), f"--config.file={path}", f"--web.listen-address={listen}"),
                *(f"--storage.tsdb.path={directory / 'tsdb'}", "--enable-feature=exemplar-storage"),
            ],
            stdout=log,
            stderr=log,
        )

    def ask(what: str, **parameters: str) -> dict[str, Any]:
        url = f"http://{listen}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return dict(json.load(answer))
        except OSError as error:  # it does not listen yet, is not ready yet, or refuses the query
            return {"status": str(error), "data": {"result": []}}

    try:
        yield ask
    finally:
        running.terminate()
        running.wait(20)
