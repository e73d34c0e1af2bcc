"""Which tokens do requests carry, with these settings?"""

from functools import partial

from agent.aep.tokens import FixedToken, TokenFile, Tokens
from agent.aep.transport import Phases, Route
from agent.config.credentials import read_word
from agent.config.flows import FlowSettings
from agent.config.inlet import InletSettings
from agent.telemetry.meters import Meters


def tokens(flow: FlowSettings, meters: Meters) -> Tokens:
    """Where tokens come from. Raises ConfigError where a file does not hold what it should."""
    inlet = flow.inlet
    if inlet.credentials is not None:
        return _issued(flow, meters)
    if inlet.token is not None:
        return FixedToken(inlet.token.reveal())
    if inlet.token_file is not None:
        read = partial(read_word, inlet.token_file, "inlet.token_file", "token")
        return TokenFile(inlet.token_file, read)
    return FixedToken()


def route(inlet: InletSettings) -> Route:
    """The way to the inlet."""
    return Route(
        proxy=inlet.proxy,
        verify=inlet.tls.verify,
        ca_file=inlet.tls.ca_file,
        cert_file=inlet.tls.cert_file,
        key_file=inlet.tls.key_file,
    )


def _issued(flow: FlowSettings, meters: Meters) -> Tokens:
    from agent.aep.ims import Client, ClientCredentials
    from agent.core.renewal import Renewal

    inlet = flow.inlet
    settings = inlet.credentials
    assert settings is not None
    client = Client(
        token_url=settings.token_url,
        client_id=settings.client_id,
        read_secret=settings.read_secret,
        secret_file=settings.client_secret_file,
        scopes=settings.scopes,
    )
    phases = Phases(
        connect=inlet.timeouts.connect,
        answer=inlet.timeouts.answer,
        total=inlet.timeouts.total,
        answer_bytes=inlet.max_answer_bytes,
    )
    renewal = Renewal(
        before=settings.renew_before,
        refresh_interval=settings.refresh_interval,
        initial=flow.delivery.retry.initial,
        ceiling=flow.delivery.retry.max,
    )
    return ClientCredentials(client, route(inlet), phases, renewal, meters)
