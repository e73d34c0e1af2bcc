"""Schemas that the tests hold records against."""

from collections.abc import Iterable
from typing import Any

from agent.xdm import Library, Schema, compile_schema

XDM = "https://ns.adobe.com/xdm/"
PROFILE = XDM + "context/profile"
EVENT = XDM + "context/experienceevent"
PERSON_DETAILS = XDM + "context/profile-person-details"
PERSONAL_DETAILS = XDM + "context/profile-personal-details"
SAMPLE = "https://ns.adobe.com/acme/schemas/e45dd983"


def sample(*refs: str, **more: Any) -> dict[str, Any]:
    """A schema of a tenant, composed as a request to the registry composes it."""
    return {
        "$id": SAMPLE,
        "title": "Sample schema for a streaming connector",
        "type": "object",
        "allOf": [{"$ref": ref} for ref in refs],
        **more,
    }


def tutorial() -> dict[str, Any]:
    """The schema that Adobe's tutorial on streaming connections makes."""
    return sample(PROFILE, PERSON_DETAILS, PERSONAL_DETAILS, **{"meta:class": PROFILE})


def of_fields(properties: dict[str, Any], required: Iterable[str] = ()) -> Schema:
    """A schema of these properties alone."""
    component = {"$id": SAMPLE, "type": "object", "properties": properties, "required": [*required]}
    return compile_schema(component, Library())


def identity(path: str, source: str = SAMPLE, *, primary: bool = True) -> dict[str, Any]:
    """The descriptor that makes a field an identity."""
    return {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": source,
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": path,
        "xdm:namespace": "Email",
        "xdm:property": "xdm:code",
        "xdm:isPrimary": primary,
    }
