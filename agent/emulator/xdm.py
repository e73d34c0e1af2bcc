"""Does a message carry the envelope that an XDM inlet asks for, and which flow does it name?

Only the envelope is judged: the record inside is not validated against its schema.
"""

import json
import re
from dataclasses import dataclass

from agent.emulator.messages import object_members

UNKNOWN_FORMAT = "Message has unknown xdm format"
WRONG_ORG = "Message has an absent or wrong ims org in the header"

_CONTENT_TYPE = re.compile(
    r"application/vnd\.adobe\.xed(?:-full)?(?:-notext)?\+json; *version=(?P<version>[0-9]+)(?:\.0)?"
)


class BadEnvelope(ValueError):
    """The message is not an XDM message; the text is what the platform says of it."""


@dataclass(frozen=True, slots=True)
class SchemaRef:
    """A schema and its major version, however the content type spells the latter."""

    id: str
    version: int


def flow_of(message: bytes, ims_org_id: str | None) -> str | None:
    """The flow id that the message's header names, if any, once its envelope is found good.

    `ims_org_id` is the org the header must name if it names one; None lets any pass. Raises
    BadEnvelope.
    """
    parts = object_members(message)
    if parts is None:
        raise BadEnvelope(UNKNOWN_FORMAT)
    header = _object(parts, "header", "header")
    body = _object(parts, "body", "body")
    meta = _object(body, "xdmMeta", "body.xdmMeta")
    _object(body, "xdmEntity", "body.xdmEntity")
    if _schema_ref(header, "header.schemaRef") != _schema_ref(meta, "body.xdmMeta.schemaRef"):
        raise BadEnvelope("The schemaRef of 'header' and of 'body.xdmMeta' must be the same")
    org = _text(header, "imsOrgId", "header.imsOrgId")
    if org is not None and ims_org_id is not None and org != ims_org_id:
        raise BadEnvelope(WRONG_ORG)
    return _text(header, "flowId", "header.flowId")


def _schema_ref(parent: dict[str, bytes], path: str) -> SchemaRef:
    members = _object(parent, "schemaRef", path)
    schema_id = _text(members, "id", f"{path}.id")
    content_type = _text(members, "contentType", f"{path}.contentType")
    if not schema_id:
        raise mandatory(f"{path}.id")
    match = _CONTENT_TYPE.fullmatch(content_type or "")
    if match is None:
        raise mandatory(f"{path}.contentType")
    return SchemaRef(schema_id, int(match["version"]))


def _object(parent: dict[str, bytes], key: str, path: str) -> dict[str, bytes]:
    members = object_members(parent.get(key, b""))
    if members is None:
        raise mandatory(path)
    return members


def _text(parent: dict[str, bytes], key: str, path: str) -> str | None:
    raw = parent.get(key, b"null")
    if raw == b"null":
        return None
    if not raw.startswith(b'"'):
        raise mandatory(path)
    return str(json.loads(raw))


def mandatory(path: str) -> BadEnvelope:
    """What the platform says of a field that is missing or of the wrong kind."""
    return BadEnvelope(
        f"The '{path}' field is mandatory. Provide a valid '{path}' value and try again."
    )
