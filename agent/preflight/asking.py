"""How are records put to synchronous validation: where to, as whom, and with what round them?"""

from collections.abc import Sequence

from agent.aep.platform import Platform
from agent.aep.tokens import FixedToken
from agent.aep.transport import Route
from agent.config.platform import PlatformSettings
from agent.delivery.inlet import Inlet, InletAddress, InletLimits, single_url
from agent.errors import ConfigError
from agent.preflight.examining import Verdict
from agent.preflight.fetching import Fetched
from agent.preflight.findings import Place
from agent.preflight.synchronous import Compared, Pace, Sample, compared


async def ask(
    settings: PlatformSettings, fetched: Fetched, chosen: Sequence[tuple[Place, Verdict]]
) -> list[Compared]:
    """What the platform says of these records, beside our verdicts.

    Raises ConfigError where it cannot be asked, Unavailable and PlatformError where it is away.
    """
    way = fetched.way
    if way.inlet_url is None:
        raise ConfigError(f"--sync: {way} has no inlet: its source is not the HTTP API")
    token = None
    if way.asks_for_token:
        async with Platform.of(settings) as platform:
            token = await platform.token()
    separator = "&" if "?" in way.inlet_url else "?"
    address = InletAddress(
        f"{single_url(way.inlet_url)}{separator}syncValidation=true",
        {"x-adobe-flow-id": way.flow_id, "x-gw-ims-org-id": settings.org_id},
        Route(
            proxy=settings.proxy,
            verify=settings.tls.verify,
            ca_file=settings.tls.ca_file,
            cert_file=settings.tls.cert_file,
            key_file=settings.tls.key_file,
        ),
    )
    limits = InletLimits(
        connect=settings.timeouts.connect,
        answer=settings.timeouts.answer,
        total=settings.timeouts.total,
        answer_bytes=settings.max_answer_bytes,
        connection_age=3600.0,
        max_in_flight=1,
    )
    samples = [
        Sample(place, verdict, fetched.envelope.body([verdict.sent])) for place, verdict in chosen
    ]
    inlet = Inlet(address, limits, FixedToken(token))
    try:
        return await compared(inlet, samples, Pace())
    finally:
        await inlet.close()
