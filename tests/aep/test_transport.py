"""Certificates and proxies of the inlet hold for the token endpoint, as far as that makes sense."""

import ssl
from contextlib import suppress
from pathlib import Path

from aep.asking import asking, issuing
from agent.aep.transport import Route
from agent.errors import Unauthorized
from delivery.rig import talking

CERTIFICATES = Path(__file__).parents[1] / "delivery" / "certificates"


def secure() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.pem")
    return context


async def failure(url: str, route: Route) -> str:
    async with asking(url, route=route) as client:
        await client.outcomes("unavailable")
        with suppress(Unauthorized):
            await client.tokens.current()
        return client.tokens._why


async def test_the_token_endpoint_is_trusted_and_refused_like_the_inlet() -> None:
    async with talking(issuing("safe"), ssl=secure()) as place:
        url = f"https://{place.replace('127.0.0.1', 'localhost')}/"
        assert "certificate verify failed" in await failure(url, Route())
        for route in (Route(ca_file=CERTIFICATES / "ca.pem"), Route(verify=False)):
            async with asking(url, route=route) as client:
                assert await client.token() == "safe"


async def test_authorities_of_our_own_are_trusted_beside_the_systems() -> None:
    async with asking(
        "https://localhost/", route=Route(ca_file=CERTIFICATES / "ca.pem"), running=False
    ) as client:
        assert isinstance(client.tokens._exchange._ssl, ssl.SSLContext)
        ours = client.tokens._exchange._ssl.cert_store_stats()["x509_ca"]
    system = ssl.create_default_context().cert_store_stats()["x509_ca"]
    assert ours == system + 1


async def test_the_agents_own_certificate_is_for_the_inlet_alone() -> None:
    context = secure()
    context.load_verify_locations(CERTIFICATES / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    route = Route(ca_file=CERTIFICATES / "ca.pem", cert_file=CERTIFICATES / "client.pem")
    async with talking(issuing("safe"), ssl=context) as place:
        await failure(f"https://{place.replace('127.0.0.1', 'localhost')}/", route)


async def test_the_inlets_proxy_is_used_and_its_password_never_shown() -> None:
    async with talking(issuing("by-proxy")) as place:
        route = Route(proxy=f"http://user:proxy-password@{place}")
        async with asking("http://ims.invalid/ims/token/v3", route=route) as client:
            assert await client.token() == "by-proxy"
    words = await failure("http://ims.invalid/", route)
    assert "proxy-password" not in words
