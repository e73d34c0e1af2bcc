"""The command `emulate`, run as a child of the test and spoken to over its port."""

import argparse
import json
import re
import resource
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.cli import emulate
from agent.errors import AgentError, ConfigError

ROOT = Path(__file__).parents[2]
COMMAND = (
    "import argparse, sys; from agent.cli import emulate; parser = argparse.ArgumentParser(); "
    "emulate.add_arguments(parser); sys.exit(emulate.run(parser.parse_args()))"
)

Emulate = Callable[..., tuple[subprocess.Popen[bytes], dict[str, str]]]


@pytest.fixture
def emulated() -> Iterator[Emulate]:
    """Start the command on a free port; returns the child and the line it printed."""
    children: list[subprocess.Popen[bytes]] = []

    def started(*arguments: str) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
        command = [sys.executable, "-c", COMMAND, "--listen", "127.0.0.1:0", *arguments]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        children.append(child)
        assert child.stdout is not None
        return child, json.loads(child.stdout.readline())

    yield started
    for child in children:
        child.kill()
        child.communicate()


def post(line: dict[str, str], body: bytes) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", "x-adobe-flow-id": line["flow_id"]}
    request = urllib.request.Request(line["inlet_url"], body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    emulate.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_when_it_listens_and_ends_cleanly(
    emulated: Emulate, tmp_path: Path, number: signal.Signals
) -> None:
    child, line = emulated("--data", str(tmp_path))
    assert list(line) == ["listening", "inlet_url", "flow_id"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", line["listening"])
    assert re.fullmatch(
        re.escape(line["listening"]) + "/collection/[0-9a-f]{64}", line["inlet_url"]
    )
    assert post(line, b'{"a":1}')[0] == 200
    child.send_signal(number)
    out, err = child.communicate(timeout=10)
    assert (child.returncode, out, err) == (0, b"", b"")
    assert (tmp_path / "records.ndjson").read_bytes() == b'{"a":1}\n'


def test_its_flags_choose_the_inlet_and_its_faults(emulated: Emulate, tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- when: {requests: 1}\n  status: 429\n")
    flow = "11111111-2222-4333-8444-555555555555"
    _, line = emulated(
        *("--faults", str(faults), "--fault", "reject=422,message=no,matching=bad"),
        *("--inlet-id", "ab" * 32, "--flow-id", flow, "--max-request-bytes", "100"),
    )
    assert (line["inlet_url"][-64:], line["flow_id"]) == ("ab" * 32, flow)
    assert [post(line, body)[0] for body in (b"{}", b"{}", b'{"bad":1}', b" " * 101)] == [
        429,
        200,
        422,
        413,
    ]


def test_a_port_that_is_taken_is_an_error_with_advice(emulated: Emulate) -> None:
    _, line = emulated()
    args = parsed("--listen", line["listening"].removeprefix("http://"))
    with pytest.raises(AgentError, match="choose another port"):
        emulate.run(args)


@pytest.mark.parametrize(
    ("flags", "client", "secret", "life"),
    [
        (["--ims"], "emulated-client", "emulated-secret", 86_399),
        (["--client-id", "me", "--client-secret", "mine", "--token-life", "60"], "me", "mine", 60),
    ],
)
def test_it_issues_tokens_where_it_is_told_to(
    emulated: Emulate, flags: list[str], client: str, secret: str, life: int
) -> None:
    _, line = emulated(*flags)
    assert (line["client_id"], list(line)[3]) == (client, "token_url")
    assert post(line, b"{}")[0] == 401
    form = f"grant_type=client_credentials&client_id={client}&client_secret={secret}&scope=openid"
    with urllib.request.urlopen(line["token_url"], form.encode(), timeout=10) as answer:
        assert json.load(answer)["expires_in"] == life
    assert secret not in json.dumps(line)


def test_a_record_that_cannot_be_kept_is_not_accepted(emulated: Emulate, tmp_path: Path) -> None:
    child, line = emulated("--data", str(tmp_path))
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (20, 20))
    status, answer = post(line, b'{"text":"longer than a file may be"}')
    assert (status, b"cannot keep the records" in answer) == (500, True)


def test_answers_are_broken_in_the_same_way_on_the_loop_of_the_command(emulated: Emulate) -> None:
    _, line = emulated(
        *("--fault", "requests=1,reset=0"),
        *("--fault", "requests=1,reset=12"),
        *("--fault", "requests=1,truncate=5"),
        *("--fault", "requests=1,hang=0.05"),
    )
    host, port = line["listening"].removeprefix("http://").split(":")
    path = line["inlet_url"].removeprefix(line["listening"])
    received: list[bytes] = []
    for _ in range(4):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"x-adobe-flow-id: {line['flow_id']}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
            )
            received.append(everything(connection))
    assert received[:2] == [b"<reset>", b"HTTP/1.1 200<reset>"]
    assert received[2].endswith(b'\r\n\r\n{"inl')
    assert received[3] == b""


def everything(connection: socket.socket) -> bytes:
    """What arrives until the connection ends, and whether a reset ended it."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        received += b"<reset>"
    return received


def test_bad_flags_are_a_configuration_error(tmp_path: Path) -> None:
    for arguments in (
        ["--listen", "here"],
        ["--fault", "stats=503"],
        ["--faults", str(tmp_path / "missing.yaml")],
    ):
        with pytest.raises(ConfigError):
            emulate.run(parsed(*arguments))


def test_gzip_can_be_accepted_or_refused_but_not_both() -> None:
    assert parsed().gzip
    assert parsed("--accept-gzip").gzip
    assert not parsed("--refuse-gzip").gzip
    with pytest.raises(SystemExit):
        parsed("--accept-gzip", "--refuse-gzip")


def test_the_help_names_every_key_of_a_fault() -> None:
    from agent.emulator.checks import EFFECTS, WHEN

    parser = argparse.ArgumentParser()
    emulate.add_arguments(parser)
    help_text = parser.format_help()
    missing = [key for key in (*WHEN, *EFFECTS) if f"{key}=" not in help_text and key != "headers"]
    assert missing == []


def test_declaring_the_flags_imports_nothing_heavy() -> None:
    code = (
        "import argparse, sys; from agent.cli import emulate; "
        "emulate.add_arguments(argparse.ArgumentParser()); "
        "print(sorted({'aiohttp', 'yaml', 'uvloop', 'msgspec', 'orjson'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, cwd=ROOT).strip() == b"[]"


def test_xdm_with_a_directory_loads_component_files_and_leaves_the_inlet_raw(
    emulated: Emulate, tmp_path: Path
) -> None:
    component = {"$id": "https://ns.adobe.com/xdm/context/own", "title": "Own", "type": "object"}
    (tmp_path / "datatypes").mkdir()
    (tmp_path / "datatypes" / "own.schema.json").write_text(json.dumps(component))
    _, line = emulated("--xdm", str(tmp_path))
    headers = {
        "Authorization": "Bearer x",
        "x-api-key": "x",
        "x-gw-ims-org-id": "x",
        "Accept": "application/vnd.adobe.xed-id+json",
    }
    url = f"{line['listening']}/data/foundation/schemaregistry/global/datatypes?property=title==Own"

    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        (found,) = json.load(answer)["results"]

    assert found["$id"] == component["$id"]
    assert post(line, b"{}")[0] == 200
