"""What senders do without a token, and when another one comes."""

import asyncio
from pathlib import Path

from delivery.rig import Inlet, Reply, Request, delivering, fed, lines, orders, until


async def test_a_batch_that_waits_out_a_refusal_goes_as_soon_as_there_is_another_token(
    inlet: Inlet, data_dir: Path, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("old-token")

    def only_the_new(request: Request) -> Reply:
        if request.headers["Authorization"] == "Bearer new-token":
            return inlet.accept(request)
        return Reply(401)

    inlet.rule = only_the_new
    waits = {"delivery__retry__initial": "60s", "delivery__retry__max": "60s"}
    async with delivering(inlet.url, data_dir, inlet__token_file=token, **waits) as parts:
        await fed(parts, lines(orders(10)))
        await until(lambda: parts.destination.state == "auth_blocked")
        token.write_text("new-token")
        async with asyncio.timeout(5.0):
            await until(lambda: parts.settler.totals.accepted == 10)
    assert parts.settler.totals.dead_lettered == {}


async def test_records_wait_for_the_first_token_in_a_state_that_says_so(
    inlet: Inlet, data_dir: Path
) -> None:
    credentials = {
        "client_id": "id",
        "client_secret": "s3cret",
        "token_url": inlet.url.replace("/collection/inlet", "/ims/token/v3"),
    }

    def without_tokens(request: Request) -> Reply:
        if request.path == "/ims/token/v3":
            return Reply(500)
        raise AssertionError("records were sent without a token")

    def with_tokens(request: Request) -> Reply:
        if request.path == "/ims/token/v3":
            return Reply(200, b'{"access_token":"a-token","expires_in":86399}')
        assert request.headers["Authorization"] == "Bearer a-token"
        return inlet.accept(request)

    inlet.rule = without_tokens
    async with delivering(inlet.url, data_dir, inlet__credentials=credentials) as parts:
        await fed(parts, lines(orders(10)))
        await until(lambda: parts.destination.state == "auth_blocked")
        assert parts.meters.destination_state.value("auth_blocked") == 1
        inlet.rule = with_tokens
        await until(lambda: parts.settler.totals.accepted == 10)
        assert parts.meters.destination_state.value("ready") == 1
        assert parts.meters.token_requests.value("unavailable") >= 1
        assert parts.meters.token_requests.value("issued") == 1
    assert parts.settler.totals.dead_lettered == {}
