"""In which words does the Schema Registry refuse a call?

Where no code is documented, it is 1500-400, which is not Adobe's own.
"""

from agent.emulator import refusals
from agent.emulator.refusals import Refused

_NOT_FOUND = {
    "classes": ("1010-404", "class"),
    "fieldgroups": ("1011-404", "fieldgroup"),
    "schemas": ("1012-404", "schema"),
    "datatypes": ("1013-404", "datatype"),
    "unions": ("1014-404", "union"),
    "behaviors": ("1015-404", "behavior"),
    "descriptors": ("1016-404", "descriptor"),
}


class Words:
    """Refusals of one call; `request_id` is repeated in each."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id

    def not_found(self, kind: str, ref: str, version: int | None = None) -> Refused:
        """There is no such component in this container, or not in this version."""
        code, _ = _NOT_FOUND[kind]
        which = ref if version is None else f"{ref} with version {version}"
        return self._said(
            code, "Resource not found", f"The requested resource {which} is not found"
        )

    def accept(self, code: str, sent: str, wanted: str) -> Refused:
        """The Accept header is not one for this call."""
        detail = (
            f"The supplied Accept header is not valid: {sent} - A valid Accept value should look "
            f"like {wanted}"
        )
        return self._said(code, "Accept header invalid", detail)

    def title_taken(self, ref: str) -> Refused:
        """Another component of the tenant has this title."""
        detail = f"Object titles must be unique. An object {ref} already exists with the same title"
        return self._said("1521-400", "Title not unique", detail)

    def namespace(self, tenant: str, field: str) -> Refused:
        """A field of the tenant's own lies among Adobe's."""
        detail = (
            "A custom field is defined under an invalid namespace. All custom fields must be "
            f"defined under a top-level field named {tenant}. Found {field}."
        )
        return self._said("1021-400", "Namespace validation error", detail)

    def no_identity(self) -> Refused:
        """A schema without a primary identity cannot be part of a union."""
        detail = (
            "To participate in a union, a schema must include an identityMap fieldgroup or a "
            "primary identity descriptor."
        )
        return self._said("1528-400", "Union descriptor validation error", detail)

    def not_composed(self, reason: str) -> Refused:
        """What is referred to is missing, or does not fit together."""
        return self._said("1413-400", "Merge Schema Error", reason)

    def bad(self, detail: str) -> Refused:
        """Anything else that was asked wrongly."""
        return self._said("1500-400", "Invalid request", detail)

    def read_only(self, container: str) -> Refused:
        """Adobe's components cannot be changed."""
        detail = f"Resources in the {container} container are read-only"
        return self._said("1501-403", "Forbidden", detail)

    def _said(self, code: str, title: str, detail: str) -> Refused:
        return refusals.by_registry(code, title, detail, self._request_id)
