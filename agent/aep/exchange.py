"""How does one request for a token go, whoever asks and whatever is shown for it?"""

import time
from collections.abc import Mapping, Sequence

from yarl import URL

from agent import __version__
from agent.aep.http_client import aiohttp
from agent.aep.transport import Phases, Route, proxy_for, read_whole, readable, tls, too_late
from agent.core import retrying, token_answers
from agent.core.token_answers import NoToken, Token, unavailable
from agent.errors import Unavailable

_HEADERS = {"User-Agent": f"aep-agent/{__version__}", "Accept": "application/json"}


def client_form(client_id: str, secret: str, scopes: Sequence[str]) -> dict[str, str]:
    """What an OAuth server-to-server credential says for a token."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "scope": ",".join(scopes),
    }


class Exchange:
    """A token endpoint. Raises ConfigError where TLS or the proxy cannot be had as configured."""

    def __init__(
        self, url: str, route: Route, phases: Phases, section: str = "inlet.credentials"
    ) -> None:
        """*section* is where a person wrote who asks; advice names the keys in it."""
        self._url = URL(url, encoded=True)
        # the certificate authorities of an inlet's gateway are not those of the identity service,
        # and the agent's own certificate is for the inlet alone
        trust = Route(ca_file=route.ca_file, verify=route.verify)
        self._proxy = proxy_for(self._url, route)
        self._ssl = tls(self._url, trust, self._proxy, system_too=True)
        self._phases = phases
        self._section = section

    async def ask(self, form: Mapping[str, str]) -> tuple[Token | NoToken, float | None]:
        """One request: what it brought, and the seconds we were asked to wait."""
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=self._ssl),
                    timeout=self._phases.timeout(),
                    cookie_jar=aiohttp.DummyCookieJar(),
                ) as session,
                session.post(
                    self._url,
                    data=dict(form),
                    headers=_HEADERS,
                    allow_redirects=False,
                    proxy=self._proxy,
                ) as response,
            ):
                body = await read_whole(response, self._phases.answer_bytes)
                wait = retrying.retry_after(response.headers.get("Retry-After"), time.time())
                return token_answers.read(response.status, body, self._section), wait
        except Unavailable as error:
            return unavailable(str(error)), None
        except TimeoutError as error:
            return unavailable(too_late(error, self._phases.section)), None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return unavailable(readable(error)), None
