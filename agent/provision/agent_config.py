"""Which configuration does the agent need for this flow, and is it where it belongs?

Secrets are referred to as the manifest refers to them: by their variable or file.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.errors import StoreError
from agent.provision.manifest.loading import Written
from agent.provision.manifest.source import HttpInlet
from agent.provision.objects.connections import SCHEMA_VERSION
from agent.provision.objects.kind import Known
from agent.provision.placing import put
from agent.provision.state import StateFile, WrittenConfig

_HEAD = """\
# Written by `aep-agent provision apply {manifest}`, and again whenever that changes something:
# what is to stay belongs into the manifest, below agent.settings.
"""


@dataclass(frozen=True, slots=True)
class WrittenAs:
    """Where the agent's configuration is."""

    path: Path
    news: str  # what a person should know of it; empty where it is as it was


def path_of(written: Written) -> Path:
    """Where it belongs."""
    file = written.manifest.agent.file
    return file or written.path.with_name(f"{written.path.stem}.agent.yaml")


def write_config(written: Written, known: Known, file: StateFile) -> WrittenAs | None:
    """Write the configuration where it is not there yet; None where no agent is needed.

    What somebody has changed by hand is left alone, and the new one put beside it. Raises
    StoreError where it cannot be written.
    """
    if not isinstance(written.manifest.source, HttpInlet):
        return None
    path = path_of(written)
    content = content_of(written, known, file)
    ours = WrittenConfig(file=str(path.absolute()), sha256=hashlib.sha256(content).hexdigest())
    now = _hash_of(path)
    if now == ours.sha256:
        file.config(ours)
        return WrittenAs(path, "")
    if now is not None and (file.state.config is None or now != file.state.config.sha256):
        beside = path.with_name(f"{path.name}.new")
        _put(beside, content)
        return WrittenAs(beside, f"{path} was changed by hand and is left as it is: compare them")
    _put(path, content)
    file.config(ours)
    return WrittenAs(path, "written")


def remove_config(file: StateFile) -> str:
    """Take away the configuration that was written; what became of it, in a sentence."""
    config = file.state.config
    if config is None:
        return ""
    path = Path(config.file)
    now = _hash_of(path)
    if now == config.sha256:
        path.unlink(missing_ok=True)
    file.config(None)
    if now is None:
        return ""
    if now == config.sha256:
        return f"{path}: removed"
    return f"{path}: stays, for it was changed by hand"


def content_of(written: Written, known: Known, file: StateFile) -> bytes:
    """The configuration, YAML."""
    settings = dict(written.manifest.agent.settings)
    own = settings.pop("inlet", None) or {}
    inlet = {**_inlet(written, known), **own}
    if file.state.ready_at:
        inlet["ready_at"] = file.state.ready_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    tree = {**_platform(written), "inlet": inlet, **settings}
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)
    return (_HEAD.format(manifest=written.path.name) + text).encode()


def _platform(written: Written) -> dict[str, Any]:
    """How the platform is asked, for `reconcile` and `preflight`.

    Only where the agent has the credential anyway: who sends without tokens needs no secret.
    """
    source = written.manifest.source
    asked = isinstance(source, HttpInlet) and source.authenticated
    return {"platform": written.section("platform")} if asked else {}


def _inlet(written: Written, known: Known) -> dict[str, Any]:
    manifest = written.manifest
    source = manifest.source
    assert isinstance(source, HttpInlet)
    inlet: dict[str, Any] = {"url": known.inlet_url, "flow_id": known.id("flow")}
    if source.data_type == "xdm":
        inlet["envelope"] = {
            "type": "xdm",
            "schema_id": known.id("schema"),
            "schema_content_type": SCHEMA_VERSION,
            "ims_org_id": written.text_of("platform", "org_id"),
            "dataset_id": known.id("dataset"),
            "source_name": manifest.flow.name,
        }
    return {**inlet, **(_access(written) if source.authenticated else {})}


def _access(written: Written) -> dict[str, Any]:
    """As whom the agent sends: as who provisions, with the same references to secrets."""
    told = {key: written.text_of("platform", key) for key in ("token", "token_file")}
    if any(told.values()):
        return {key: text for key, text in told.items() if text}
    keys = ("client_id", "client_secret", "client_secret_file", "org_id", "token_url")
    texts = {key: written.text_of("platform", key) for key in keys}
    return {"credentials": {key: text for key, text in texts.items() if text}}


def _hash_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error


def _put(path: Path, content: bytes) -> None:
    try:
        # its inlet's URL lets anybody send: it is for the agent's eyes
        put(path, content)
    except OSError as error:
        raise StoreError(
            f"{path}: the agent's configuration cannot be written: {error.strerror}; mend that, or"
            " write another agent.file, and apply again"
        ) from error
