"""What does a configuration to begin with look like? YAML with advice, to be edited."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

SOURCES = {
    "stdin": "what a program writes into a pipe",
    "file:PATTERN": "files, followed as they grow and are rotated",
    "tcp:HOST:PORT": "connections, a record a line",
    "udp:HOST:PORT": "datagrams",
    "unix:PATH": "connections to a Unix socket",
    "http:HOST:PORT": "requests, answered once their records are on disk",
}
# Quotes are needed by none of these; everything else gets some.
_PLAIN = re.compile(r"[A-Za-z0-9/$][\w./@${}+:-]*(?<!:)")
_NO_TEXT = ("null", "Null", "NULL")
_FILE, _HTTP, _UNIX = "file", "http", "unix"
_KINDS = {spec.partition(":")[0] for spec in SOURCES}


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of the agent to be configured."""

    inlet_url: str
    flow_id: str
    sources: tuple[str, ...] = ("stdin",)  # as in SOURCES
    token_file: str | None = None
    client_id: str | None = None
    client_secret_file: str | None = None
    data_dir: str | None = None


def config_text(answers: Answers) -> str:
    """The configuration as YAML. Raises ValueError, saying what there is, for an odd source."""
    return "\n".join((_HEAD, *_inlet(answers), "", *_sources(answers), "", *_rest(answers), ""))


_HEAD = """\
# aep-agent, as `aep-agent init` wrote it. `aep-agent check` says whether it is right, and
# `aep-agent explain` where each setting comes from. Lines such as `#key: value` are switched off.
# ${VAR} and ${VAR:-default} are replaced from the environment; $$ is one dollar.
"""


def _inlet(answers: Answers) -> list[str]:
    lines = [
        "inlet:",
        "  # inletUrl and flow id, as the platform shows them for the HTTP API source.",
        f"  url: {text(answers.inlet_url)}",
        f"  flow_id: {text(answers.flow_id)}",
    ]
    if answers.client_id:
        lines += [
            "  # An OAuth server-to-server credential; the secret may be rotated in its file.",
            "  credentials:",
            f"    client_id: {text(answers.client_id)}",
            f"    client_secret_file: {text(answers.client_secret_file or '')}",
        ]
    elif answers.token_file:
        lines += [
            "  # The inlet's bearer token; the file is read again when it changes.",
            f"  token_file: {text(answers.token_file)}",
        ]
    else:
        lines += [
            "  # For an authenticated inlet, a file with a bearer token, or a credential:",
            "  #token_file: /run/secrets/aep-inlet-token",
            "  #credentials:",
            "  #  client_id: ${AEP_CLIENT_ID}",
            "  #  client_secret_file: /run/secrets/aep-client-secret",
        ]
    return lines


def _sources(answers: Answers) -> list[str]:
    lines = [
        "# Where records are read from, one JSON object a line; any number of sources.",
        "sources:",
    ]
    for spec in answers.sources:
        lines += _source(spec)
    return [
        *lines,
        "    # What records go on, and what of them; see docs/reading.md.",
        "    #filters:",
        "    #  - drop: type = heartbeat",
        "    #  - remove: [person.phone]",
    ]


def _source(spec: str) -> list[str]:
    kind, _, where = spec.partition(":")
    if spec == "stdin":
        return ["  - type: stdin", "    name: stdin"]
    if not where or kind not in _KINDS:
        raise ValueError(f"found {spec!r}; write one of {', '.join(SOURCES)}")
    lines = [f"  - type: {kind}"]
    if kind == _FILE:
        pattern = where if where.startswith(("/", "$")) else str(Path(where).absolute())
        return [
            *lines,
            "    # Let patterns mean rotated names, too, such as app.json.1.",
            f"    paths: [{text(pattern, within_list=True)}]",
            "    # beginning or end of files that are there at the very first start",
            "    start: beginning",
        ]
    lines.append(f"    listen: {text(where)}")
    if kind == _UNIX:
        lines.append("    #mode: 0660")
    if kind == _HTTP:
        lines += [
            "    # durable: answered once on disk; accepted: once the platform has said so",
            "    ack: durable",
            "    #token_file: /run/secrets/aep-push-token",
        ]
    return lines


def _rest(answers: Answers) -> list[str]:
    data_dir = "#data_dir: /var/lib/aep-agent"
    if answers.data_dir:
        data_dir = f"data_dir: {text(answers.data_dir)}"
    return [
        "# The store: what waits to be sent, dead letters, receipts, how far files were read.",
        data_dir,
        "",
        "batch:",
        "  # How long a record may wait for company. Lower is fresher, higher is cheaper.",
        "  max_wait: 1s",
        "",
        "buffer:",
        "  # disk: what was read outlives the agent. memory: it ends with it.",
        "  type: disk",
        "  # Unset: 1GiB. When full, reading waits: nothing is dropped unless when_full says so.",
        "  #max_bytes: 4GiB",
        "",
        "shutdown:",
        "  # Time for requests in flight to be answered. Kubernetes kills after 30s by default.",
        "  grace: 25s",
        "  # As a sidecar, 5s: read on until the application has said its last word.",
        "  quiet: 0s",
        "",
        "admin:",
        "  # Metrics, health, status; `aep-agent top` looks here. null switches it off.",
        "  listen: 127.0.0.1:9600",
    ]


def text(value: str, *, within_list: bool = False) -> str:
    """A text as YAML: in quotes where it would be taken for something else."""
    is_plain = _PLAIN.fullmatch(value) and value not in _NO_TEXT
    if is_plain and not (within_list and set(value) & set("{}[],")):
        return value
    return json.dumps(value, ensure_ascii=False)
