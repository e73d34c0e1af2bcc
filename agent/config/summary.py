"""What do the settings in effect come to, in a line each?"""

import json
from urllib.parse import urlsplit

from agent.config.admin import AdminSettings
from agent.config.buffer import BufferSettings
from agent.config.credentials import CredentialSettings
from agent.config.delivery import DeliverySettings
from agent.config.envelope import XdmEnvelope
from agent.config.files import FileSource
from agent.config.filters import FilterSettings
from agent.config.flows import FlowSettings
from agent.config.formats import Formatted, Received
from agent.config.inlet import InletSettings
from agent.config.model import Config
from agent.config.pushes import HttpSource
from agent.config.sockets import ConnectionSettings, SocketSource, TcpSource
from agent.config.sources import Source
from agent.config.units import show_duration, show_size

_COMPRESSION = {
    "auto": "gzip where the inlet takes it",
    "gzip": "always gzip",
    "none": "not compressed",
}


def summary(config: Config) -> dict[str, str]:
    """The settings in effect by section, without secrets; those of flows are in `of_flow`."""
    receipts = config.receipts
    return {
        **({} if config.flows else of_flow(config, "")),
        "store": str(config.data_dir),
        "dead letters": f"up to {show_size(config.dead_letters.max_bytes)}, each up to "
        f"{show_size(config.dead_letters.max_record_bytes)}",
        "receipts": f"kept for {show_duration(receipts.keep)}, up to "
        f"{show_size(receipts.max_bytes)}"
        if receipts.enabled
        else "off",
        "shutdown": _shutdown(config),
        "admin": _admin(config.admin),
        "log": f"{config.log.level}, {config.log.format}; {_repeats(config.log.repeat)}",
    }


def of_flow(config: Config, name: str) -> dict[str, str]:
    """The settings in effect for the flow of that name, or for the only one where it is empty."""
    flow = config.each_flow()[name]
    sources = config.sources_of(name)
    batch, delivery = flow.batch, flow.delivery
    return {
        "inlet": flow.inlet.url or _looked_up(config, flow.inlet),
        "envelope": _envelope(flow.inlet),
        "requests": _requests(flow.inlet),
        "access": _access(flow.inlet),
        "sources": "; ".join(map(_source, sources)) or "none",
        "record ids": _record_ids(flow),
        "batch": f"up to {show_size(batch.max_bytes)} or {batch.max_records} records, "
        f"sent after {show_duration(batch.max_wait)} at the latest",
        "buffer": _buffer(flow.buffer),
        "delivery": f"{'up to ' if delivery.concurrency == 'adaptive' else ''}"
        f"{delivery.max_in_flight} requests in flight; tried again after up to "
        f"{show_duration(delivery.retry.initial)}, later {show_duration(delivery.retry.max)}"
        f"{_rates(delivery)}",
    }


def _admin(admin: AdminSettings) -> str:
    if not admin.listen:
        return "off"
    scheme = "https" if admin.tls else "http"
    knows = " for whoever knows the token" if admin.token or admin.token_file else ""
    proves = " with a client certificate" if admin.tls and admin.tls.client_ca_file else ""
    return f"{scheme}://{admin.listen}{knows}{proves}"


def _looked_up(config: Config, inlet: InletSettings) -> str:
    assert config.platform
    by = f"named {inlet.flow}" if inlet.flow else inlet.flow_id
    platform = config.platform
    return f"of the flow {by}, looked up at {platform.url} in sandbox {platform.sandbox}"


def _buffer(buffer: BufferSettings) -> str:
    full = {
        "block": "the reader waits when it is full",
        "drop_newest": "new batches are dropped when it is full",
        "drop_oldest": "the oldest batches are dropped when it is full",
    }
    memory = f"{show_size(buffer.memory_limit)} of memory"
    if buffer.type == "memory":
        return f"{memory}; {full[buffer.when_full]}"
    written = show_duration(buffer.write_after)
    return (
        f"{show_size(buffer.disk_limit)} on disk, {memory}; written after {written} without an "
        f"answer; {full[buffer.when_full]}"
    )


def _envelope(inlet: InletSettings) -> str:
    flow = f"flow {inlet.flow_id}" if inlet.flow_id else "the flow in the URL"
    if isinstance(inlet.envelope, XdmEnvelope):
        flow = f", flow {inlet.flow_id}" if inlet.flow_id else ""
        return f"xdm, schema {inlet.envelope.schema_id}, dataset {inlet.envelope.dataset_id}{flow}"
    return f"raw, {flow}"


def _requests(inlet: InletSettings) -> str:
    records = "batches" if inlet.mode == "batch" else "one record each"
    limit = show_size(inlet.max_request_bytes)
    return f"{records}, up to {limit}, {_COMPRESSION[inlet.compression]}"


def _access(inlet: InletSettings) -> str:
    parts = ["no token"]
    if inlet.token is not None:
        parts = ["a token from the configuration"]
    elif inlet.token_file is not None:
        parts = [f"the token in {inlet.token_file}"]
    elif inlet.credentials is not None:
        parts = [_issued(inlet.credentials)]
    if inlet.sandbox:
        parts.append(f"sandbox {inlet.sandbox}")
    if inlet.headers:
        parts.append(f"headers {', '.join(inlet.headers)}")
    if inlet.proxy:
        parts.append("through a proxy")
    return "; ".join(parts)


def _issued(credentials: CredentialSettings) -> str:
    secret = "the secret in the configuration"
    if credentials.client_secret_file:
        secret = f"the secret in {credentials.client_secret_file}"
    organisation = f"; organisation {credentials.org_id}" if credentials.org_id else ""
    host = urlsplit(credentials.token_url).netloc
    return f"tokens from {host} for {credentials.client_id} with {secret}{organisation}"


def _repeats(seconds: float) -> str:
    return f"repeats once in {show_duration(seconds)}" if seconds else "every repeat"


def _source(source: Source) -> str:
    told = source.name or ""
    if isinstance(source, FileSource):
        name = f" ({source.name})" if source.name else ""
        told = f"files {', '.join(source.paths)}{name}"
    elif isinstance(source, SocketSource):
        name = f" ({source.name})" if source.name else ""
        told = f"{source.type} {source.listen}{name}{_received(source)}"
    elif isinstance(source, HttpSource):
        told = _pushes(source)
    if isinstance(source, Formatted) and source.format != "ndjson":
        stream = "" if source.stream == "all" else f" ({source.stream})"
        told += f" in {source.format}{stream}"
    if isinstance(source, Received) and source.format != "ndjson":
        told += f" in {source.format}"
    filters = "; ".join(map(described, source.filters))
    return f"{told}, filtered: {filters}" if filters else told


def _received(source: SocketSource | HttpSource) -> str:
    """How records come over a socket, where that is not as usual."""
    told: list[str] = []
    if isinstance(source, ConnectionSettings) and source.framing != "newline":
        told.append(source.framing)
    if isinstance(source, TcpSource | HttpSource) and source.tls:
        told.append("TLS with client certificates" if source.tls.client_ca_file else "TLS")
    if isinstance(source, TcpSource | HttpSource) and source.allow:
        told.append(f"only from {', '.join(source.allow)}")
    return "".join(f", {each}" for each in told)


def described(settings: FilterSettings) -> str:
    """What a filter does, in words."""
    conditions = " and ".join(settings.keep or settings.drop or ())
    match settings.kind:
        case "keep":
            return f"only records with {conditions}"
        case "drop":
            return f"no records with {conditions}"
        case "sample":
            by = f", by {settings.by}" if settings.by else ""
            return f"a share of {settings.sample:g}{by}"
        case "remove":
            return f"without {', '.join(settings.remove or ())}"
        case "hash":
            how = " (trimmed, lower case)" if settings.normalize else ""
            return f"{', '.join(settings.hash or ())} hashed{how}"
    values = (f"{name} = {json.dumps(value)}" for name, value in (settings.set or {}).items())
    return f"with {', '.join(values)}"


def _pushes(source: HttpSource) -> str:
    name = f" ({source.name})" if source.name else ""
    who = "whoever knows the token" if source.token or source.token_file else "anybody"
    until = {"durable": "once on disk", "accepted": "once the platform has said so"}
    where = f"{source.listen}{name}{_received(source)}"
    return f"http {where}, from {who}, answered {until[source.ack]}"


def _record_ids(flow: FlowSettings) -> str:
    made_of = {"position": "source, offset and bytes", "content": "their bytes"}
    if flow.record_id.add == "none":
        return "none added"
    field = flow.record_id.field
    return f"{field} added where it is missing, made of {made_of[flow.record_id.add]}"


def _shutdown(config: Config) -> str:
    grace, quiet = config.shutdown.grace, config.shutdown.quiet
    read_on = f"; input is read until silent for {show_duration(quiet)}" if quiet else ""
    return f"{show_duration(grace)} for requests in flight{read_on}"


def _rates(delivery: DeliverySettings) -> str:
    size = show_size(delivery.bytes_per_second) if delivery.bytes_per_second else None
    rates = (
        (delivery.records_per_second, "records"),
        (delivery.requests_per_second, "requests"),
        (size, ""),
    )
    told = [f"{rate} {noun}".strip() for rate, noun in rates if rate]
    return f"; at most {', '.join(told)} a second" if told else ""
