"""Which shippers are tried, how is each configured, and whom does it tell of what was refused?

Each as well as its manual allows: batches of 500 records, gzip where it has it, a buffer on disk
where it has one, retries for ever, and a place for what was refused where it has one.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.beside.records import ids_in


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shipper is tried: a folder of its own, what it reads, and where it sends."""

    folder: Path
    log: Path
    url: str  # of the inlet, as the user was given it
    door: str  # http://host:port
    flow_id: str
    gzip: bool = True

    @property
    def batch_url(self) -> str:
        """The address that takes many records a request."""
        return self.url.replace("/collection/", "/collection/batch/")


@dataclass(frozen=True, slots=True)
class Shipper:
    """One shipper; `program` is looked for in PATH."""

    name: str
    program: str
    install: str
    configure: Callable[[Place], Sequence[str]]  # writes its files; the command that starts it
    version: Sequence[str]
    compresses: bool = True
    dead: Callable[[Place], set[str]] = field(default=lambda place: set())
    note: str = ""

    def is_here(self) -> bool:
        """Whether it can be started."""
        return bool(shutil.which(self.program))

    def says_its_version(self) -> str:
        """The first number that looks like a version in what it says of itself."""
        said = subprocess.run(
            [self.program, *self.version], capture_output=True, text=True, timeout=30, check=False
        )
        found = re.search(r"\d+\.\d+[\w.+-]*", said.stdout + said.stderr)
        return found[0] if found else "?"


def _aep_agent(place: Place) -> Sequence[str]:
    settings = {
        "data_dir": str(place.folder / "data"),
        "inlet": {
            "url": place.url,
            "flow_id": place.flow_id,
            "compression": "gzip" if place.gzip else "none",
        },
        "sources": [{"type": "file", "paths": [str(place.log)]}],
        "batch": {"max_records": 500},
        "buffer": {"type": "disk"},
        "admin": {"listen": None},
    }
    config = place.folder / "aep-agent.json"
    config.write_text(json.dumps(settings))
    return [sys.executable, "-m", "agent", "run", str(config)]


def _aep_agent_dead(place: Place) -> set[str]:
    command = [sys.executable, "-m", "agent", "dead-letters", "export", "--raw"]
    command += ["--data-dir", str(place.folder / "data")]
    told = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return set(ids_in(told.stdout))


_SYSLOG_NG = r"""@version: 3.35
options { log-msg-size(1048576); time-reopen(1); };
source s_app { file("LOG" flags(no-parse) follow-freq(1)); };
destination d_inlet {
  http(
    url("URL") method("POST")
    headers("Content-Type: application/json", "x-adobe-flow-id: FLOW")
    body-prefix("{\"messages\":[") body("$MESSAGE") delimiter(",\n") body-suffix("]}")
    batch-lines(500) batch-bytes(500000) batch-timeout(1000)
    retries(1000000)
    response-action(400 => drop, 429 => retry, 503 => retry)
    disk-buffer(reliable(yes) disk-buf-size(1073741824) mem-buf-size(33554432) dir("FOLDER"))
  );
};
log { source(s_app); destination(d_inlet); flags(flow-control); };
"""


def _syslog_ng(place: Place) -> Sequence[str]:
    config = place.folder / "syslog-ng.conf"
    config.write_text(_filled(_SYSLOG_NG, place))
    files = {"-p": "pid", "-R": "persist", "-c": "control"}
    where = [word for flag, name in files.items() for word in (flag, str(place.folder / name))]
    return ["syslog-ng", "-F", "--no-caps", "-f", str(config), *where]


_OTELCOL = """\
extensions:
  file_storage: {directory: FOLDER, fsync: true}
receivers:
  filelog:
    include: [LOG]
    start_at: beginning
    storage: file_storage
    retry_on_failure: {enabled: true, max_elapsed_time: 0}
exporters:
  otlphttp:
    logs_endpoint: DOOR/v1/logs
    encoding: json
    compression: GZIP
    headers: {x-adobe-flow-id: FLOW}
    retry_on_failure: {initial_interval: 500ms, max_interval: 5s, max_elapsed_time: 0}
    sending_queue:
      storage: file_storage
      sizer: items
      queue_size: 1000000
      block_on_overflow: true
      batch: {sizer: items, min_size: 500, max_size: 500, flush_timeout: 1s}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [filelog], exporters: [otlphttp]}
"""


def _otelcol(place: Place) -> Sequence[str]:
    config = place.folder / "otelcol.yaml"
    filled = _filled(_OTELCOL, place)
    config.write_text(filled.replace("GZIP", "gzip" if place.gzip else "none"))
    return ["otelcol-contrib", "--config", str(config)]


_BENTHOS = """\
http: {enabled: false}
input:
  file: {paths: [LOG], scanner: {lines: {max_buffer_size: 1048576}}}
output:
  fallback:
    - http_client:
        url: URL
        verb: POST
        headers: {Content-Type: application/json, x-adobe-flow-id: FLOW ENCODING}
        retries: 1000000
        retry_period: 500ms
        max_retry_backoff: 5s
        backoff_on: [429, 503]
        drop_on: [400]
        max_in_flight: 4
        batching:
          count: 500
          period: 1s
          processors:
            - archive: {format: lines}
            - mapping: |
                let records = content().string().replace_all("\\n", ",\\n")
                root = "{\\"messages\\":[" + $records + "]}"
            COMPRESS
    - file: {path: FOLDER/dead.ndjson, codec: lines}
"""


def _benthos(place: Place) -> Sequence[str]:
    config = place.folder / "benthos.yaml"
    filled = _filled(_BENTHOS, place)
    filled = filled.replace(" ENCODING", ", Content-Encoding: gzip" if place.gzip else "")
    filled = filled.replace("COMPRESS", "- compress: {algorithm: gzip}" if place.gzip else "")
    config.write_text(filled)
    return ["benthos", "-c", str(config)]


def _benthos_dead(place: Place) -> set[str]:
    dead = place.folder / "dead.ndjson"
    return set(ids_in(dead.read_bytes())) if dead.exists() else set()


def _filled(template: str, place: Place) -> str:
    words = {
        "FOLDER": str(place.folder),
        "LOG": str(place.log),
        "URL": place.batch_url,
        "DOOR": place.door,
        "FLOW": place.flow_id,
    }
    return re.sub("|".join(words), lambda found: words[found[0]], template)


SHIPPERS = (
    Shipper(
        "aep-agent",
        sys.executable,
        "make .venv/dev",
        _aep_agent,
        ("-m", "agent", "--version"),
        dead=_aep_agent_dead,
    ),
    Shipper(
        "syslog-ng",
        "syslog-ng",
        "apt-get install syslog-ng-core syslog-ng-mod-http, or . .ci/syslog-ng beside rsyslog",
        _syslog_ng,
        ("--version",),
        compresses=False,
        note="this version's http() does not compress",
    ),
    Shipper(
        "otelcol",
        "otelcol-contrib",
        "otelcol-contrib, or one built with filelogreceiver, filestorage and otlphttpexporter",
        _otelcol,
        ("--version",),
        note="sends OTLP/JSON, which the platform does not take: something has to rewrite it",
    ),
    Shipper(
        "benthos",
        "benthos",
        "Redpanda Connect, or its core built from redpanda-data/benthos, as `benthos` in PATH",
        _benthos,
        ("--version",),
        dead=_benthos_dead,
        note="its core has no buffer on disk, and its `file` input remembers no position",
    ),
)
