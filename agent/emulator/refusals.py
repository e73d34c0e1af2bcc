"""In whose words is a call to the platform refused?

Each service writes its errors in a shape of its own. A handler raises one of these, and the gateway
sends it.
"""

import time
from collections.abc import Mapping
from typing import Any

_ERRORS = "http://ns.adobe.com/aep/errors/"


class Refused(Exception):
    """A call was refused: the status and the JSON body to answer."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body.get('message') or body.get('title')}")
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def by_gateway(code: str, message: str) -> Refused:
    """The gateway before all services: the code begins with the status, as in 403010."""
    return Refused(int(code[:3]), {"error_code": code, "message": message})


def as_placeholder(status: int, title: str, detail: str) -> Refused:
    """Catalog and what is older than error codes, such as 404 NotFoundError."""
    body = {"type": "/placeholder/type/uri", "status": status, "title": title, "detail": detail}
    return Refused(status, body)


def by_registry(code: str, title: str, detail: str, request_id: str) -> Refused:
    """The Schema Registry: a code such as 1012-404, whose end is the status."""
    status = int(code[-3:])
    report = {
        "registryRequestId": request_id,
        "timestamp": time.strftime("%m-%d-%Y %H:%M:%S", time.gmtime()),
        "detailed-message": detail,
        "sub-errors": [],
    }
    body = {
        "type": f"{_ERRORS}XDM-{code}",
        "title": title,
        "status": status,
        "report": report,
        "detail": detail,
    }
    return Refused(status, body)


def by_service(code: str, title: str, detail: str, report: Mapping[str, Any]) -> Refused:
    """Services with coded errors: a code such as MAPPER-3200-400, whose end is the status."""
    status = int(code[-3:])
    body = {
        "type": _ERRORS + code,
        "title": title,
        "status": status,
        "detail": detail,
        "report": dict(report),
    }
    return Refused(status, body)
