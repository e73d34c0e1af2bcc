"""What Adobe's OpenAPI files say of a call, where those files are at hand.

They lie beside the repository, in ../shared/openapi. Where they do not, the tests in
tests/contracts are left out, and the first lines of a test run say so.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

OPENAPI = Path(__file__).parents[3] / "shared" / "openapi"
ARE_THERE = OPENAPI.is_dir()


class Contract:
    """One service as its file describes it; paths are those of the file."""

    def __init__(self, file: str) -> None:
        self._described = _read(file)

    def objections_to_answer(self, method: str, path: str, status: int, body: Any) -> Iterator[str]:
        """What the file says against an answer, each as `/pointer: what is wrong`."""
        operation = self._operation(method, path)
        answers = operation["responses"]
        answer = answers.get(str(status), answers.get(status))
        if answer is None:
            yield f"/: the status {status} is not described"
            return
        schema = _described_schema(self._followed(answer))
        if schema is not None:
            yield from self._objections(schema, body)
        elif body not in (None, b"", {}):
            yield "/: no body is described"

    def objections_to_request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Iterator[str]:
        """What the file says against a request's headers and body."""
        operation = self._operation(method, path)
        sent = {name.lower() for name in headers}
        for parameter in operation.get("parameters", ()):
            described = self._followed(parameter)
            is_required = described["in"] == "header" and described.get("required")
            if is_required and described["name"].lower() not in sent:
                yield f"/: the header {described['name']} is missing"
            if described["in"] == "body" and body is not None:  # as OpenAPI 2 has it
                yield from self._objections(described["schema"], body)
        schema = _described_schema(self._followed(operation.get("requestBody", {})))
        if schema is not None and body is not None:
            yield from self._objections(schema, body)

    def query_parameters(self, method: str, path: str) -> set[str]:
        """What may stand in the query of a request."""
        described = map(self._followed, self._operation(method, path).get("parameters", ()))
        return {each["name"] for each in described if each["in"] == "query"}

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        operation: dict[str, Any] = self._described["paths"][self.template(method, path)][
            method.lower()
        ]
        return operation

    def template(self, method: str, path: str) -> str:
        """The path of the file that is meant; its parts in braces stand for anything."""
        steps = path.split("/")
        for template, operations in self._described["paths"].items():
            named = template.split("/")
            if method.lower() not in operations or len(named) != len(steps):
                continue
            if all(
                one == other or one.startswith("{") for one, other in zip(named, steps, strict=True)
            ):
                return str(template)
        raise LookupError(f"{method} {path} is not described")

    def _objections(self, schema: Any, body: Any) -> Iterator[str]:
        parts = ("components", "definitions")  # of OpenAPI 3, and of 2
        whole = {**schema, **{part: self._described.get(part, {}) for part in parts}}
        validator = jsonschema.Draft4Validator(whole)
        for error in validator.iter_errors(body):
            pointer = "/" + "/".join(map(str, error.absolute_path))
            yield f"{pointer}: {error.message}"

    def _followed(self, described: Mapping[str, Any]) -> dict[str, Any]:
        found: Any = described
        if "$ref" in described:
            found = self._described
            for step in described["$ref"].removeprefix("#/").split("/"):
                found = found[step]
        return dict(found)


def _described_schema(described: Mapping[str, Any]) -> Any:
    """The schema of a body, as OpenAPI 3 or 2 has it; None where no body is described."""
    for content in (described.get("content") or {}).values():
        return content.get("schema", {})
    return described.get("schema")


@cache
def _read(file: str) -> dict[str, Any]:
    described: dict[str, Any] = yaml.load(
        (OPENAPI / file).read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    return described
