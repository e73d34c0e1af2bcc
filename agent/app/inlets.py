"""Where do the requests of a flow go, what do they carry, and what stands round the records?"""

from agent.aep.tokens import Tokens
from agent.app import credentials
from agent.config.envelope import XdmEnvelope
from agent.config.flows import FlowSettings
from agent.config.inlet import InletSettings
from agent.core import encoding
from agent.core.encoding import Envelope
from agent.delivery.inlet import Inlet, InletAddress, InletLimits, batch_url, single_url


def inlet(flow: FlowSettings, tokens: Tokens) -> Inlet:
    """The inlet of a flow. Raises ConfigError for bad certificates."""
    settings = flow.inlet
    url = batch_url(settings.url) if settings.mode == "batch" else single_url(settings.url)
    address = InletAddress(url, _headers(settings), credentials.route(settings))
    limits = InletLimits(
        connect=settings.timeouts.connect,
        answer=settings.timeouts.answer,
        total=settings.timeouts.total,
        connection_age=settings.max_connection_age,
        max_in_flight=flow.delivery.max_in_flight,
        answer_bytes=settings.max_answer_bytes,
    )
    return Inlet(address, limits, tokens)


def envelope_of(settings: InletSettings) -> Envelope:
    """What stands round the records of a request."""
    envelope = encoding.raw()
    if isinstance(settings.envelope, XdmEnvelope):
        envelope = encoding.xdm(
            schema_id=settings.envelope.schema_id,
            content_type=settings.envelope.schema_content_type,
            dataset_id=settings.envelope.dataset_id,
            flow_id=settings.flow_id,
            ims_org_id=settings.envelope.ims_org_id,
            source_name=settings.envelope.source_name,
        )
    return encoding.single(envelope) if settings.mode == "single" else envelope


def _headers(settings: InletSettings) -> dict[str, str]:
    headers = dict(settings.headers)
    if settings.flow_id:
        headers["x-adobe-flow-id"] = settings.flow_id
    if settings.sandbox:
        headers["x-sandbox-name"] = settings.sandbox
    if settings.credentials and settings.credentials.org_id:
        headers["x-gw-ims-org-id"] = settings.credentials.org_id
    return headers
