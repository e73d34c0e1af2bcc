"""Which headers may a user add to requests?"""

import re

from agent.config.written import Written, Wrong

FLOW_HEADER = "x-adobe-flow-id"
ORG_HEADER = "x-gw-ims-org-id"

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# What each of these headers says is decided elsewhere; a second opinion would corrupt requests.
_TAKEN = {
    "connection": "it follows from inlet.max_connection_age",
    "content-encoding": "inlet.compression decides it",
    "content-length": "it is counted for each request",
    "content-type": "it is always application/json",
    "host": "it follows from inlet.url",
    "transfer-encoding": "it is chosen for each request",
    FLOW_HEADER: "it is inlet.flow_id",
    "x-sandbox-name": "it is inlet.sandbox",
}


class HeaderName(Written):
    """The name of a header that the agent does not set itself."""

    @property
    def advice(self) -> str:
        return "a header name in letters, digits and dashes"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise ValueError("not a header name")
        if reason := _TAKEN.get(value.lower()):
            raise Wrong(f"another one: the agent sets this header itself, {reason}")
        return value


class HeaderValue(Written):
    """The value of a header."""

    @property
    def advice(self) -> str:
        return "a header value in printable ASCII on one line"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value.isprintable() or not value.isascii():
            raise ValueError("not a header value")
        return value
