"""Do a flow's mapping set and its dataset speak of the same schema?

Schemas are named by `$id` or by `meta:altId`, whose last parts are the same, and versions by a
content type or a bare number. Major versions are compared.
"""

import re
from collections.abc import Mapping
from typing import Any

from agent.emulator import mapping_sets
from agent.emulator.flow.problems import Problem
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource

_VERSION = re.compile(r"(?:version *= *)?\"?([0-9]+)")


def check(platform: Platform, mapping: tuple[str, Any], target: Resource, sandbox: str) -> None:
    """Raises Problem where the mapping set or the dataset is not there, or they do not agree."""
    id_, version = mapping
    found = platform.mapping_sets.get(id_, sandbox=sandbox)
    if found is None:
        raise Problem("1419-400", id=id_, version=version, reason=": there is no such mapping set")
    body = _in_version(found, version)
    dataset_id = target.body["params"].get("dataSetId")
    if dataset_id is None:
        return
    dataset = platform.datasets.get(dataset_id, sandbox=sandbox)
    if dataset is None:
        raise Problem("1425-400", id=dataset_id, mapping=id_, reason=": there is no such dataset")
    of_mapping, of_dataset = _of_mapping(body), _of_dataset(dataset.body)
    if None not in (of_mapping, of_dataset) and of_mapping != of_dataset:
        raise Problem("1425-400", id=dataset_id, mapping=id_, reason="")


def _in_version(mapping: Resource, version: Any) -> Mapping[str, Any]:
    is_number = re.fullmatch(r"[0-9]{1,9}", str(version)) and not isinstance(version, bool)
    body = mapping_sets.in_version(mapping, int(version)) if is_number else None
    if body is None:
        newest = mapping.body["version"]
        raise Problem("1412-400", reason=f" (found {version!r}, the newest is {newest})")
    return body


def _of_mapping(body: Mapping[str, Any]) -> tuple[str, str] | None:
    ref = (body.get("outputSchema") or {}).get("schemaRef")
    if ref is not None:
        return _comparable(ref.get("id"), ref.get("contentType"))
    return _comparable(body.get("xdmSchema"), body.get("xdmVersion"))


def _of_dataset(body: Mapping[str, Any]) -> tuple[str, str] | None:
    ref = body.get("schemaRef") or {}
    return _comparable(ref.get("id"), ref.get("contentType"))


def _comparable(name: Any, version: Any) -> tuple[str, str] | None:
    if not isinstance(name, str):
        return None
    found = _VERSION.search(str(version).partition(";")[2] or str(version))
    return re.split(r"[/.]", name)[-1], found[1] if found else "1"
