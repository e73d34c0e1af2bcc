"""What is kept of a mapping set, in each of its versions, and how is it shown?

Both vocabularies are kept of what was written in either: `source` is `sourceAttribute`,
`destination` is `destinationXdmPath`. Every PUT is a new version; flows name the one they
mean, so that none is lost.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from agent.emulator.resources import Resource, Resources

_STORED_TYPES = {
    "ATTRIBUTE": "text/x.schema-path",
    "EXPRESSION": "text/x.aep-xl",
}
_CONTENT_TYPE = "application/vnd.adobe.xed-full+json;version=1"
_GIVEN = frozenset(
    (
        "id",
        "version",
        "createdDate",
        "modifiedDate",
        "createdBy",
        "modifiedBy",
        "xdmSchema",
        "xdmVersion",
        "outputSchema",
        "mappings",
        "status",
        "supportVersion",
    )
)


def in_version(kept: Resource, version: int | None = None) -> dict[str, Any] | None:
    """The body of a mapping set in a version, or as it is now; None where there is no such one."""
    if version in (None, kept.body["version"]):
        return {key: value for key, value in kept.body.items() if key != "earlier"}
    earlier: dict[str, dict[str, Any]] = kept.body["earlier"]
    return earlier.get(str(version))


def made(collection: Resources, body: Mapping[str, Any], who: str, sandbox: str) -> Resource:
    """Keep a new mapping set."""
    kept = {**body, "version": 0, "createdBy": who, "modifiedBy": who, "earlier": {}}
    return collection.add(kept, sandbox=sandbox)


def replaced(collection: Resources, kept: Resource, body: Mapping[str, Any], who: str) -> Resource:
    """Keep a new version of a mapping set, and the old ones with it."""
    old = in_version(kept)
    version = kept.body["version"]
    return collection.replace(
        kept.id,
        {
            **body,
            "version": version + 1,
            "createdBy": kept.body["createdBy"],
            "modifiedBy": who,
            "earlier": {**kept.body["earlier"], str(version): old},
        },
    )


def stored(asked: Mapping[str, Any], schema_id: str | None) -> dict[str, Any]:
    """What is kept of a mapping set that was written; `schema_id` is the `$id` of its schema."""
    kept: dict[str, Any] = {key: value for key, value in asked.items() if key not in _GIVEN}
    ref = _given_ref(asked)
    if schema_id is not None:
        kept["outputSchema"] = {
            "id": schema_id,
            "version": 0,
            "schemaRef": {
                "id": schema_id,
                "contentType": ref.get("contentType") or _CONTENT_TYPE,
            },
        }
        kept["xdmSchema"] = asked.get("xdmSchema", schema_id)
        kept["xdmVersion"] = asked.get("xdmVersion", "1.0")
    kept.setdefault("inputSchema", {"id": secrets.token_hex(16), "version": 0, "sampleId": None})
    kept["supportVersion"] = "1.1"
    kept["status"] = "PUBLISHED"
    kept["mappings"] = [_stored_mapping(each) for each in asked["mappings"]]
    return kept


def schema_of(asked: Mapping[str, Any]) -> str | None:
    """The schema that a mapping set names, by `$id` or `meta:altId`; None where it names none."""
    named = _given_ref(asked).get("id") or asked.get("xdmSchema")
    return named if isinstance(named, str) and named else None


def brief(kept: Resource) -> dict[str, Any]:
    """What is answered to who makes or changes one."""
    return {
        "id": kept.id,
        "version": kept.body["version"],
        "createdDate": kept.created_ms,
        "modifiedDate": kept.updated_ms,
        "createdBy": kept.body["createdBy"],
        "modifiedBy": kept.body["modifiedBy"],
    }


def whole(kept: Resource, version: int | None = None) -> dict[str, Any] | None:
    """All of one, as it is shown; None where there is no such version."""
    body = in_version(kept, version)
    if body is None:
        return None
    dates = {"createdDate": kept.created_ms, "modifiedDate": kept.updated_ms}
    mappings = [
        {**each, **dates, "createdBy": body["createdBy"], "modifiedBy": body["modifiedBy"]}
        for each in body["mappings"]
    ]
    return {"id": kept.id, **body, **dates, "mappings": mappings}


def _given_ref(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    output = asked.get("outputSchema")
    ref = output.get("schemaRef") if isinstance(output, Mapping) else None
    return ref if isinstance(ref, Mapping) else {}


def _stored_mapping(asked: Mapping[str, Any]) -> dict[str, Any]:
    source = asked.get("source", asked.get("sourceAttribute"))
    destination = asked.get("destination", asked.get("destinationXdmPath"))
    kind = str(asked.get("sourceType") or "ATTRIBUTE")
    extra = {key: asked[key] for key in ("name", "description") if key in asked}
    return {
        "id": secrets.token_hex(16),
        "version": 0,
        "sourceType": _STORED_TYPES.get(kind, kind),
        "source": source,
        "sourceAttribute": source,
        "destination": destination,
        "destinationXdmPath": destination,
        "identity": asked.get("identity", False),
        "primaryIdentity": asked.get("primaryIdentity", False),
        "matchScore": 0.0,
        "functionVersion": 1,
        **extra,
    }
