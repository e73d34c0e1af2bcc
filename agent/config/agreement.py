"""Do the settings fit one another, the machine, and what the platform documents?

These checks look at settings together, so they also run where some of them are wrong: one report
is to show everything.
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.config.admin import AdminSettings
from agent.config.buffer import DISK_BYTES
from agent.config.credentials import read_word
from agent.config.envelope import XdmEnvelope
from agent.config.files import FileSource
from agent.config.flows import FlowSettings, disagreements
from agent.config.inheritance import each_flow, no_such_flow
from agent.config.inlet import DOCUMENTED_REQUEST_BYTES
from agent.config.keys import KeyPath, all_keys
from agent.config.model import Config
from agent.config.problems import show
from agent.config.pushes import HttpSource
from agent.config.sockets import TcpSource, UdpSource
from agent.config.sources import StdinSource
from agent.config.units import parse_size, show_size
from agent.errors import ConfigError

_SIZES = (
    "inlet.max_request_bytes",
    "batch.max_bytes",
    "buffer.max_bytes",
    "buffer.memory_bytes",
)
_SECRET_FILES = {
    "inlet.token_file": "token",
    "inlet.credentials.client_secret_file": "client secret",
}
_FILES = (*_SECRET_FILES, "inlet.tls.ca_file", "inlet.tls.cert_file", "inlet.tls.key_file")
_ADMIN_SECRETS = {"admin.token_file": "token"}
_ADMIN_FILES = (
    *_ADMIN_SECRETS,
    "admin.tls.cert_file",
    "admin.tls.key_file",
    "admin.tls.client_ca_file",
)
_PLATFORM_SECRETS = {
    "platform.client_secret_file": "client secret",
    "platform.token_file": "token",
}
_PLATFORM_FILES = (
    *_PLATFORM_SECRETS,
    "platform.tls.ca_file",
    "platform.tls.cert_file",
    "platform.tls.key_file",
    "platform.jwt.private_key_file",
)


def _written(tree: Mapping[str, Any], key: str) -> Any:
    value: Any = tree
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def size_disagreements(tree: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Sizes that do not fit together, whichever other settings are wrong."""
    for place, flow in each_flow(tree):
        for path, text in _sizes_of(flow):
            yield (*place, *path), text


def _sizes_of(tree: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    written = {key: _written(tree, key) for key in _SIZES}
    sizes = {key: all_keys()[key].default or DISK_BYTES for key in _SIZES}
    try:
        sizes |= {key: parse_size(str(text)) for key, text in written.items() if text is not None}
    except ValueError:
        return  # reported as what it is: not a size
    for ways_out in disagreements(*sizes.values()):
        # A default cannot be wrong: what was written is what does not fit.
        key = next((key for key in ways_out if written[key] is not None), next(iter(ways_out)))
        yield tuple(key.split(".")), f"found {show_size(sizes[key])}; write {ways_out[key]}"


def unreadable_files(tree: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Files that settings name and the agent cannot read."""
    for place, flow in each_flow(tree):
        for path, text in _files_of(flow, _FILES, _SECRET_FILES):
            yield (*place, *path), text
    yield from _files_of(tree, _PLATFORM_FILES, _PLATFORM_SECRETS)
    yield from _files_of(tree, _ADMIN_FILES, _ADMIN_SECRETS)


def _files_of(
    tree: Mapping[str, Any], keys: Iterable[str], secrets: Mapping[str, str]
) -> Iterator[tuple[KeyPath, str]]:
    for key in keys:
        written = _written(tree, key)
        if not written or not isinstance(written, str | Path):
            continue
        path = tuple(key.split("."))
        try:
            with Path(written).expanduser().open("rb"):
                pass
        except (OSError, ValueError, RuntimeError) as error:
            reason = (getattr(error, "strerror", None) or "not a path").lower()
            yield path, f"found {show(written)}, which cannot be read: {reason}; write another path"
            continue
        if noun := secrets.get(key):
            yield from _bad_secret(path, Path(written).expanduser(), noun)


def _bad_secret(path: KeyPath, file: Path, noun: str) -> Iterator[tuple[KeyPath, str]]:
    try:
        read_word(file, ".".join(map(str, path)), noun)
    except ConfigError:
        yield path, f"found {show(file)}, which does not hold one {noun}; write the {noun} into it"


def unknown_inlets(tree: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Inlets of which neither the address is written nor how to find it."""
    example = all_keys()["inlet.url"].examples
    missing = f"missing; write one such as {example[0] if example else ''}, or set AEP_INLET_URL"
    for place, flow in each_flow(tree):
        url, name, id = (_written(flow, f"inlet.{key}") for key in ("url", "flow", "flow_id"))
        if url or not isinstance(flow.get("inlet", {}), Mapping):
            continue
        if not name and (not id or not tree.get("platform")):
            by_id = ", or write section platform, through which it is found" if id else ""
            yield (*place, "inlet", "url"), f"{missing}{by_id}"
        elif name and not tree.get("platform"):
            text = "is looked up there; write section platform, with org_id, client_id and secret"
            yield (*place, "inlet", "flow"), f"found {show(name)}, which {text}"


def unclear_flows(tree: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Sources of which it is not clear which flow they are for."""
    written = tree.get("flows") or {}
    if not isinstance(written, Mapping):
        return
    flows = [str(name) for name in written]
    sources = tree.get("sources")
    if sources is None and len(flows) > 1:
        yield ("sources",), "missing; write sources, each with its `flow`"
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        name = source.get("flow") if isinstance(source, Mapping) else None
        path = ("sources", index, "flow")
        if not name and len(flows) > 1:
            yield path, f"missing; write one of {', '.join(flows)}"
        elif name and not flows:
            yield path, f"found {show(name)}; leave it out, or write this flow below `flows`"
        elif name and name not in flows:
            yield path, f"found {show(name)}; {no_such_flow(str(name), flows)}"


def same_destinations(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Flows that are another one over again."""
    seen: dict[str, str] = {}
    for name, flow in config.each_flow().items():
        if first := seen.get(flow.inlet.destination):
            text = f"goes where flow {first} goes; write another url or flow_id, or give the"
            yield ("flows", name, "inlet"), f"{text} sources of both to {first}"
        seen.setdefault(flow.inlet.destination, name)


def shared_addresses(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Sources that listen where another one does."""
    seen: dict[tuple[bool, str], int] = {}
    for index, source in enumerate(config.sources):
        listen = "" if isinstance(source, StdinSource | FileSource) else source.listen
        may_share = isinstance(source, TcpSource | UdpSource) and source.reuse_port
        # what systemd opened may be several sockets, and any free port is another one each time
        if not listen or may_share or listen.split(":")[0] == "systemd" or listen.endswith(":0"):
            continue
        first = seen.setdefault((source.type == "udp", listen), index)
        if first != index:
            text = f"found {show(listen)}, where sources[{first}] listens; write another address"
            yield ("sources", index, "listen"), text


def cautions(config: Config) -> Iterator[str]:
    """What is allowed but probably not meant, a sentence each."""
    for name, flow in config.each_flow().items():
        place = f"flows.{name}." if name else ""
        yield from (f"{place}{words}" for words in _cautions_of(flow))
    for name in config.flows.keys() - {config.flow_of(source) for source in config.sources}:
        yield f"flows.{name} has no sources: nothing is sent there but what is in the spool"
    yield from _cautions_of_admin(config.admin)
    for source in config.sources:
        if isinstance(source, TcpSource | HttpSource) and _is_open(source):
            proofs = "token, allow" if isinstance(source, HttpSource) else "allow"
            yield (
                f"{source.shown_name} listens on {source.listen}: whoever reaches it can send"
                f" records, for it has none of {proofs} and tls.client_ca_file"
            )
    if config.shutdown.grace > 25:
        yield (
            "shutdown.grace is above 25s: Kubernetes kills after 30s "
            "unless terminationGracePeriodSeconds says more"
        )


def _cautions_of_admin(admin: AdminSettings) -> Iterator[str]:
    if not admin.listen or _is_here(admin.listen.rpartition(":")[0].strip("[]")):
        return
    if not admin.asks_who_it_is:
        yield (
            f"admin.listen is {admin.listen}: others can read the metrics and the status, for it"
            " has none of token, token_file and tls.client_ca_file"
        )
    elif not admin.tls and not admin.trusted_network:
        yield (
            f"admin.listen is {admin.listen} without tls: who listens on the network can read the"
            " token, unless it is a trusted_network"
        )


def _cautions_of(flow: FlowSettings) -> Iterator[str]:
    inlet = flow.inlet
    url = urlsplit(inlet.url or "https://platform/collection/")
    if inlet.max_request_bytes > DOCUMENTED_REQUEST_BYTES:
        yield (
            f"inlet.max_request_bytes is {show_size(inlet.max_request_bytes)}: "
            "the platform documents 1MB and answers 413 above it"
        )
    if "/collection/" not in url.path and inlet.mode == "batch":
        yield "inlet.url has no /collection/ in it, where batches would go to /collection/batch/"
    if url.scheme == "http" and not _is_here(url.hostname or ""):
        yield "inlet.url is http: records and tokens cross the network readable by others"
    added, field = flow.record_id.add, flow.record_id.field
    if added != "none" and field != "_id" and isinstance(inlet.envelope, XdmEnvelope):
        yield f"record_id.field is {field}: Profile goes by _id, and xdm records are not mapped"
    issuer = urlsplit(inlet.credentials.token_url) if inlet.credentials else None
    if issuer and issuer.scheme == "http" and not _is_here(issuer.hostname or ""):
        yield "inlet.credentials.token_url is http: the secret crosses the network readable by all"
    if not inlet.tls.verify:
        yield "inlet.tls.verify is off: whoever is on the way can read and change records"


def _is_open(source: TcpSource | HttpSource) -> bool:
    """Whether others than this machine can send records without being asked who they are."""
    host, colon, _ = source.listen.rpartition(":")
    if not colon or host == "systemd" or source.listen.startswith(("/", ".", "~", "@")):
        return False  # the file's mode says who may, or the unit says where it listens
    knows = isinstance(source, HttpSource) and (source.token or source.token_file)
    return not (knows or source.asks_who_it_is or _is_here(host.strip("[]")))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
