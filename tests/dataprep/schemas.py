"""Schemas to map to."""

from typing import Any

from agent.xdm import Library, Schema, compile_schema

PROFILE_CLASS = "https://ns.adobe.com/xdm/context/profile"
PERSON = "https://ns.adobe.com/xdm/context/profile-person-details"
PERSONAL = "https://ns.adobe.com/xdm/context/profile-personal-details"


def text(**more: Any) -> dict[str, Any]:
    """A text field."""
    return {"type": "string", **more}


def items(of: dict[str, Any]) -> dict[str, Any]:
    """An array of such things."""
    return {"type": "array", "items": of}


def members(**properties: Any) -> dict[str, Any]:
    """An object."""
    return {"type": "object", "properties": properties}


def schema_of(**properties: Any) -> Schema:
    """A schema of just these fields."""
    return compile_schema(
        {"$id": "https://ns.adobe.com/acme/schemas/1", "title": "Orders", **members(**properties)},
        Library(),
    )
