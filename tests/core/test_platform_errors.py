"""What errors of the control plane say, in each service's own form, and what to do about them."""

import json

import pytest

from agent.core import platform_errors
from agent.core.platform_errors import Said

FLOW = {
    "type": "https://ns.adobe.com/aep/errors/FLOW-1439-404",
    "title": "Resource not found",
    "status": 404,
    "report": {
        "detailed-message": "The requested flows resource 1 is not found.",
        "id": "1",
        "request-id": "rq-1",
        "type": "flows",
    },
    "errorMessage": "other words",
}
OLD_FLOW = {"errorMessage": 'Supplied version=["1"] does not match'}
GATEWAY = {"error_code": "403010", "message": "Oauth token is missing."}
SCHEMA = {
    "type": "http://ns.adobe.com/aep/errors/XDM-1012-404",
    "title": "Resource not found",
    "status": 404,
    "report": {
        "registryRequestId": "rq-2",
        "timestamp": "11-25-2020 07:56:25",
        "detailed-message": "The requested schema was not found.",
        "sub-errors": [{"message": "first"}, "second", {"code": 3}, 4],
    },
    "detail": "other words",
}
PLACEHOLDER = {
    "type": "/placeholder/type/uri",
    "status": 400,
    "title": "BadRequestError",
    "detail": "A valid content-type must be specified",
}
INSIGHTS = {
    "type": "http://ns.adobe.com/aep/errors/",
    "title": "Bad request",
    "status": 400,
    "report": {"tenantInfo": {"sandboxName": "prod"}, "additionalContext": None},
    "error-chain": ["odd", {"serviceId": "INSGHT", "errorCode": "INSGHT-1000-400"}],
}
INSIGHTS_V1 = {"errorCode": "INSGHT-1001", "httpStatus": 400, "details": "no such metric"}
IDENTITY = {"error": "invalid_client", "error_description": "invalid client_id parameter"}
INLET = {
    "type": "https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization",
    "status": "401",
    "title": "Authorization",
    "report": {"message": "[id] Ims service token is empty"},
}


def said(body: object) -> Said:
    return platform_errors.read(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "code", "message", "request_id"),
    [
        (FLOW, "FLOW-1439-404", "The requested flows resource 1 is not found.", "rq-1"),
        (OLD_FLOW, None, 'Supplied version=["1"] does not match', None),
        (GATEWAY, "403010", "Oauth token is missing.", None),
        (
            SCHEMA,
            "XDM-1012-404",
            "The requested schema was not found.; first; second",
            "rq-2",
        ),
        (PLACEHOLDER, None, "A valid content-type must be specified", None),
        (INSIGHTS, "INSGHT-1000-400", "Bad request", None),
        (INSIGHTS_V1, "INSGHT-1001", "no such metric", None),
        (IDENTITY, "invalid_client", "invalid client_id parameter", None),
        (INLET, None, "[id] Ims service token is empty", None),
        ([GATEWAY], "403010", "Oauth token is missing.", None),
        ({"code": 1403, "report": "none"}, "1403", "it does not say why", None),
        ({"error": True, "message": ""}, None, "it does not say why", None),
    ],
)
def test_each_services_error_is_read(
    body: object, code: str | None, message: str, request_id: str | None
) -> None:
    assert said(body) == Said(code, message, request_id, by_platform=True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><h1>Sign in", "answered with an HTML page"),
        (b"", "answered with an empty body"),
        (b"upstream gone", "answered with what the platform does not write"),
        (b"[]", "answered with what the platform does not write"),
        (b"[1]", "answered with what the platform does not write"),
    ],
)
def test_what_the_platform_does_not_write_is_no_error_of_its(body: bytes, kind: str) -> None:
    assert platform_errors.read(body) == Said(None, kind, None, by_platform=False)


def test_an_error_is_one_line_of_bounded_length() -> None:
    message = said({"message": "a\nb" + "c" * 1000}).message
    assert message.startswith("a bc")
    assert len(message) < 410


def test_missing_is_an_object_and_neither_a_sandbox_nor_an_address() -> None:
    sandbox = said({"type": "https://ns.adobe.com/aep/errors/FLOW-2100-404"})
    page = platform_errors.read(b"<html>404")
    assert platform_errors.is_missing(404, said(FLOW))
    assert platform_errors.is_missing(400, said({"type": "x/FLOW-1439-400"}))
    assert platform_errors.is_missing(404, said({"title": "NotFoundError"}))
    assert not platform_errors.is_missing(404, sandbox)
    assert not platform_errors.is_missing(404, page)
    assert not platform_errors.is_missing(404, said({"error_code": "404001"}))
    assert not platform_errors.is_missing(400, said(PLACEHOLDER))


def test_an_old_etag_is_told_by_status_or_code() -> None:
    assert platform_errors.is_outdated(412, said(OLD_FLOW))
    assert platform_errors.is_outdated(400, said({"type": "x/FLOW-1404-412"}))
    assert not platform_errors.is_outdated(400, said(OLD_FLOW))


def test_credentials_are_told_by_status_or_code() -> None:
    assert platform_errors.is_about_credentials(403, said(GATEWAY))
    assert platform_errors.is_about_credentials(400, said({"type": "x/FLOW-2115-400"}))
    assert not platform_errors.is_about_credentials(404, said(FLOW))


@pytest.mark.parametrize(
    ("status", "passing", "undone"),
    [
        (400, False, True),
        (302, False, True),
        (408, True, False),
        (429, True, True),
        (500, True, False),
        (501, False, False),
        (503, True, False),
    ],
)
def test_what_passes_and_what_has_changed_nothing(status: int, passing: bool, undone: bool) -> None:
    assert platform_errors.is_passing(status) is passing
    assert platform_errors.is_undone(status) is undone


@pytest.mark.parametrize(
    ("status", "body", "step"),
    [
        (400, {"type": "x/FLOW-1425-400"}, "make the mapping set for the schema"),
        (400, {"type": "x/FLOW-1418-400"}, "delete the flows that use this connection first"),
        (404, {"type": "x/FLOW-2101-404"}, "check platform.sandbox"),
        (403, GATEWAY, "check the client id and secret"),
        (400, {"error_code": "400003"}, "check platform.org_id and platform.sandbox"),
        (503, {"title": "Unavailable"}, "try again later; if this lasts"),
        (429, {}, "wait a while"),
        (404, {}, "check platform.url"),
        (302, {}, "check platform.url"),
        (403, {}, "check that the credential belongs to platform.org_id"),
        (404, FLOW, ""),
    ],
)
def test_an_error_says_what_to_do(status: int, body: object, step: str) -> None:
    found = platform_errors.next_step(status, said(body))
    assert found.startswith(step)
    assert bool(found) is bool(step)
