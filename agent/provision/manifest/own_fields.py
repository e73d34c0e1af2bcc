"""What do the fields of one's own look like as the Schema Registry has them: a tree of objects?"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.provision.manifest.schema import OwnField, json_type


def own_tree(fields: Sequence[OwnField]) -> dict[str, Any]:
    """The tree of these fields, as it stands below the tenant's namespace."""
    tree: dict[str, Any] = {"type": "object", "properties": {}}
    for field in fields:
        _plant(tree, field.path.split("."), field)
    return tree


def field_group(title: str, class_id: str, own: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """A field group that puts this tree below the tenant's namespace."""
    return {
        "type": "object",
        "title": title,
        "meta:intendedToExtend": [class_id],
        "definitions": definitions(own, tenant),
        "allOf": [{"$ref": "#/definitions/customFields"}],
    }


def definitions(own: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """The part of a field group that holds the tree."""
    return {"customFields": {"type": "object", "properties": {f"_{tenant}": dict(own)}}}


def _plant(tree: dict[str, Any], names: Sequence[str], field: OwnField) -> None:
    """Put a field into a tree of objects and lists, and say of each what is required."""
    first, *rest = names
    name = first.removesuffix("[*]")
    properties = tree["properties"]
    is_list = first != name
    if not rest:
        properties[name] = _leaf(name, field, is_list=is_list)
        if field.required:
            tree.setdefault("required", []).append(name)
        return
    below = {"type": "object", "properties": {}, "meta:xdmType": "object"}
    if is_list:
        whole = {"title": name, "type": "array", "items": below, "meta:xdmType": "array"}
        planted = properties.setdefault(name, whole)["items"]
    else:
        planted = properties.setdefault(name, {"title": name, **below})
    _plant(planted, rest, field)


def _leaf(name: str, field: OwnField, *, is_list: bool) -> dict[str, Any]:
    told = {"title": field.title or name}
    if field.description:
        told["description"] = field.description
    rules = json_type(field)
    if is_list:
        return {**told, "type": "array", "items": rules, "meta:xdmType": "array"}
    return {**told, **rules}
