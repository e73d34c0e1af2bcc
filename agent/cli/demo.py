"""aep-agent demo: the whole journey on this machine, without an account."""

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.telling import tell
from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.app.summary import Snapshot
    from agent.cli.demonstrated import Demonstrated
    from agent.cli.emulated import EmulatedPlatform

HELP = "see the whole journey on this machine, without an account"

_RECORDS = 20_000
_LATENCY_SECONDS = 0.12  # of an inlet on another continent; without it there is nothing to see
_RECORDS_FILE = "orders.ndjson"
_MANIFEST = "orders.yaml"
_LOG = "emulator.log"  # the first file there is
_OURS = (_LOG, _MANIFEST, _RECORDS_FILE)  # by any of these a demo of any version is known
_PLATFORM = "platform"  # what the emulator keeps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `demo`."""
    parser.description = (
        "Start the emulator, set a flow up on it as on the platform (`provision apply`), send\n"
        f"{_RECORDS:,} records of a web shop through the agent, some broken on purpose, and say\n"
        "what became of every one of them: accepted or a dead letter, landed or failed."
    )
    parser.add_argument("--data-dir", metavar="DIR", help="where to keep what the demo made")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the emulator running, to be looked at in a browser, until Ctrl-C",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Show the journey; 0 when every record got its verdict, and all that was accepted landed or
    failed."""
    from agent.cli.demonstrated import Demonstrated, as_object, in_words
    from agent.cli.emulated import emulated

    _end_in_order()
    directory = _fresh(args.data_dir)
    with emulated(_flags(directory), directory / _LOG) as platform:
        _say(f"The platform, emulated by a process of its own: {platform.url}/ in a browser.")
        manifest = _write_manifest(directory, platform)
        config, flow_id = _provision(manifest)
        sent = _send(config, _write_records(directory))
        _end_in_order()  # sending had its own way
        done = Demonstrated(
            directory, manifest, config, platform.url, sent, platform.landed(flow_id)
        )
        tell(json.dumps(as_object(done), ensure_ascii=False) if args.json else in_words(done))
        if args.keep:
            _wait(done)
    return 0 if done.is_complete else 1


def _fresh(data_dir: str | None) -> Path:
    """An empty directory that outlives the demo, so that the commands it names work."""
    from agent.config import default_data_dir

    directory = (Path(data_dir) if data_dir else default_data_dir() / "demo").absolute()
    if directory.exists():
        if any(directory.iterdir()) and not any((directory / name).exists() for name in _OURS):
            raise AgentError(f"{directory} holds something else; choose another --data-dir")
        shutil.rmtree(directory)
    try:
        directory.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise AgentError(f"{directory}: {error.strerror}; choose another --data-dir") from error
    return directory


def _flags(directory: Path) -> list[str]:
    """How the platform behaves: far away, for a moment overloaded, and fussy about one article."""
    from agent.cli.commerce import REFUSED_ARTICLE

    faults = (
        f"path=batch,delay={_LATENCY_SECONDS}",
        f'reject=400,message=Records of recalled articles are refused,matching="{REFUSED_ARTICLE}"',
        "path=batch,status=503,retry_after=1,after=40,requests=2",
    )
    flags = ["--listen", "127.0.0.1:0", "--ims", "--data", str(directory / _PLATFORM)]
    return flags + [word for fault in faults for word in ("--fault", fault)]


def _write_records(directory: Path) -> Path:
    from agent.cli.commerce import records

    path = directory / _RECORDS_FILE
    path.write_bytes(b"\n".join(records(_RECORDS)) + b"\n")
    return path


def _write_manifest(directory: Path, platform: "EmulatedPlatform") -> Path:
    """What there should be on the platform; its secret in a file of its own."""
    from importlib.resources import files

    from agent.emulator.options import CLIENT_SECRET

    secret = directory / "client-secret"
    secret.touch(mode=0o600)
    secret.write_text(CLIENT_SECRET)
    text = files("agent.cli").joinpath("shop.yaml").read_text()
    for name, value in (
        ("@PLATFORM@", platform.url),
        ("@TOKEN_URL@", platform.token_url),
        ("@CLIENT_ID@", platform.client_id),
        ("@DIRECTORY@", str(directory)),
    ):
        # inside quotes of YAML, and a dollar would be a variable
        text = text.replace(name, json.dumps(value, ensure_ascii=False)[1:-1].replace("$", "$$"))
    manifest = directory / _MANIFEST
    manifest.write_text(text)
    return manifest


def _provision(manifest: Path) -> tuple[Path, str]:
    """Set the flow up; the agent's configuration for it, and its id."""
    from agent.cli.provision import applied
    from agent.provision.state import path_beside, read

    _say(f"Setting a flow up, as {manifest} says:")
    done = applied(manifest, lambda words: _say(f"  {words}"))
    assert done.config
    objects = read(path_beside(manifest)).objects
    flow_id = next(each.id for each in objects if each.key == "flow")
    assert flow_id
    return done.config.path, flow_id


def _send(config_path: Path, records: Path) -> "Snapshot":
    from agent.cli.pipeline import deliver
    from agent.cli.progress import printed, view
    from agent.config import load
    from agent.telemetry import logs

    _say(f"Sending {records}, as {config_path} says:")
    logs.configure("error")
    return deliver(load(config_path, environ={}), view() if sys.stderr.isatty() else printed)


def _wait(done: "Demonstrated") -> None:
    from agent.cli.demonstrated import meanwhile

    _say(meanwhile(done))
    try:
        signal.pause()
    except KeyboardInterrupt:
        _say("")


def _end_in_order() -> None:
    """Have SIGTERM do what Ctrl-C does, so that the emulator is ended, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _say(words: str) -> None:
    """What goes on, apart from what comes of it."""
    print(words, file=sys.stderr, flush=True)
