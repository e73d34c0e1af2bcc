"""How is a component shown: as it was written, resolved, without words, or by its id alone?"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from agent.emulator.resources import Resource
from agent.emulator.sandboxes import sandbox_id, sandbox_type
from agent.emulator.schemas.accept import Form
from agent.emulator.schemas.registry import Registry

_LIBRARY_VERSION = "1.16.1"
_PARTS = ("allOf", "definitions", "refs", "properties", "required")  # which are in their place
_WORDS = ("title", "description")


def whole(kept: Resource) -> dict[str, Any]:
    """One of the tenant's components with all that the registry knows of it."""
    client_id = kept.body.get("meta:createdClient", "")
    shown = {key: value for key, value in kept.body.items() if key != "meta:createdClient"}
    return {
        **shown,
        "version": f"1.{kept.revision - 1}",
        "meta:registryMetadata": {
            "repo:createdDate": kept.created_ms,
            "repo:lastModifiedDate": kept.updated_ms,
            "xdm:createdClientId": client_id,
            "xdm:lastModifiedClientId": client_id,
            "xdm:createdUserId": client_id,
            "xdm:lastModifiedUserId": client_id,
            "eTag": hashlib.sha256(orjson.dumps(kept.etag)).hexdigest(),
            "meta:globalLibVersion": _LIBRARY_VERSION,
        },
        "meta:sandboxId": sandbox_id(kept.sandbox),
        "meta:sandboxType": sandbox_type(kept.sandbox),
    }


def listed(component: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """A component as an element of a list."""
    if not form.is_id:
        return dict(component)
    return {
        "$id": component["$id"],
        "meta:altId": component["meta:altId"],
        "version": str(component.get("version", "1")),
        "title": component.get("title", ""),
    }


def single(
    component: Mapping[str, Any], form: Form, registry: Registry, sandbox: str
) -> dict[str, Any]:
    """A component in the form that was asked for. Raises SchemaError: it cannot be resolved."""
    shown = dict(component)
    if form.is_full:
        resolved = registry.schema(component["$id"], sandbox).full(text=form.has_text)
        own = {key: value for key, value in component.items() if key not in _PARTS}
        shown = {**resolved, **own}
    if form.has_descriptors:
        shown["meta:descriptors"] = registry.descriptors(component["$id"], sandbox)
    return shown if form.has_text else _without_words(shown)


def _without_words(shown: Any) -> Any:
    if isinstance(shown, list):
        return [_without_words(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    return {
        key: _without_words(value)
        for key, value in shown.items()
        if not (key in _WORDS and isinstance(value, str))
    }
