"""How does a command talk to the platform: one session, and a client for each service?

async with Platform.of(settings) as platform:
    flow = await platform.flow.get("flows", flow_id)
"""

import time
from typing import Self

from agent.aep.bearers import Bearer, Given, Issued
from agent.aep.calling import Session
from agent.aep.calls import CallLimits
from agent.aep.catalog import Catalog
from agent.aep.dataprep import DataPrep
from agent.aep.exchange import Exchange, client_form
from agent.aep.flow import FlowService
from agent.aep.observability import Observability
from agent.aep.sandboxes import Sandboxes
from agent.aep.schemas import SchemaRegistry
from agent.aep.service_accounts import ServiceAccount, exchange_url
from agent.aep.tokens import Hidden
from agent.aep.transport import Route
from agent.config.platform import PlatformSettings


class Platform:
    """The services of the control plane, which share a token and connections."""

    def __init__(self, session: Session, sandbox: str) -> None:
        self.sandbox = sandbox
        self.flow = FlowService(session)
        self.schemas = SchemaRegistry(session)
        self.catalog = Catalog(session)
        self.dataprep = DataPrep(session)
        self.observability = Observability(session)
        self.sandboxes = Sandboxes(session)
        self._session = session

    @classmethod
    def of(cls, settings: PlatformSettings, *, attempts: int | None = None) -> Self:
        """The platform that a configuration names; nothing is asked of it yet.

        *attempts* in the place of the configured ones. Raises ConfigError where TLS or the proxy
        cannot be had as configured.
        """
        route = Route(
            proxy=settings.proxy,
            verify=settings.tls.verify,
            ca_file=settings.tls.ca_file,
            cert_file=settings.tls.cert_file,
            key_file=settings.tls.key_file,
        )
        limits = CallLimits(
            connect=settings.timeouts.connect,
            answer=settings.timeouts.answer,
            total=settings.timeouts.total,
            answer_bytes=settings.max_answer_bytes,
            attempts=attempts or settings.attempts,
            pause=settings.retry_initial,
            pause_max=settings.retry_max,
        )
        headers = {"x-api-key": settings.key, "x-gw-ims-org-id": settings.org_id}
        bearer = _bearer(settings, route, limits)
        session = Session(settings.url, headers, settings.sandbox, bearer, limits, route)
        return cls(session, settings.sandbox)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def token(self) -> str:
        """The token that calls carry now. Raises PlatformError, ConfigError: there is none."""
        return await self._session.token()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _bearer(settings: PlatformSettings, route: Route, limits: CallLimits) -> Bearer:
    if settings.client_id is None or settings.has_token:
        return Given(settings.read_token)
    client_id, hidden, url = settings.client_id, Hidden(), settings.token_url
    account = None
    if settings.jwt:
        url = exchange_url(url)
        account = ServiceAccount(
            client_id,
            settings.org_id,
            settings.jwt.technical_account,
            settings.jwt.metascopes,
            settings.jwt.private_key_file,
        )

    def form() -> dict[str, str]:
        secret = settings.read_secret()
        hidden.add(secret)
        if account:
            return account.form(url, secret, time.time())
        return client_form(client_id, secret, settings.scopes)

    return Issued(
        Exchange(url, route, limits, "platform"),
        form,
        attempts=limits.attempts,
        pause=limits.pause,
        pause_max=limits.pause_max,
    )
