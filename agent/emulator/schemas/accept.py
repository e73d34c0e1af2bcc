"""Which form of a component does an Accept header ask for?

Lists take forms without a version, single components need one; descriptors have forms of their
own.
"""

import re
from dataclasses import dataclass

from agent.emulator.schemas.errors import Words

_MEDIA_TYPE = re.compile(r"application/vnd\.adobe\.(?P<form>[a-z0-9-]+)\+json(?P<rest>(?:;.*)?)")
_VERSION = re.compile(r"; *version *= *\"?(?P<major>[0-9]+)(?:\.[0-9]+)?\"? *")
_LISTED = "application/vnd.adobe.'{xed|xdm'}+json"
_SINGLE = _LISTED + "; version=1 (Version should be specified)"
_FORMS_LISTED = frozenset(("xed", "xed-id", "xdm", "xdm-id"))
_FORMS_SINGLE = frozenset(
    prefix + form
    for prefix in ("xed", "xdm")
    for form in ("", "-full", "-notext", "-full-notext", "-full-desc")
)
_FORMS_OF_DESCRIPTORS = frozenset(
    prefix + form for prefix in ("xdm", "xdm-v2") for form in ("", "-id", "-link")
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a component shall be shown."""

    name: str  # such as xed-full-notext
    version: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether references are resolved."""
        return "-full" in self.name

    @property
    def has_text(self) -> bool:
        """Whether titles and descriptions are shown."""
        return not self.name.endswith("-notext")

    @property
    def has_descriptors(self) -> bool:
        """Whether the schema's descriptors are shown with it."""
        return self.name.endswith("-desc")

    @property
    def is_id(self) -> bool:
        """Whether only what identifies a component is shown."""
        return self.name.endswith("-id")

    @property
    def is_link(self) -> bool:
        """Whether only the component's path is shown."""
        return self.name.endswith("-link")

    @property
    def is_paged(self) -> bool:
        """Whether descriptors come in pages of one list, not grouped by type."""
        return "-v2" in self.name

    @property
    def media_type(self) -> str:
        """The answer's Content-Type."""
        version = "" if self.version is None else f"; version={self.version}"
        return f"application/vnd.adobe.{self.name}+json{version}"


def of_list(header: str, words: Words) -> Form:
    """The form of a list of components. Raises Refused."""
    for form in _forms(header):
        if form.name in _FORMS_LISTED and form.version is None:
            return form
    raise words.accept("1006-400", header, _LISTED)


def of_single(header: str, words: Words) -> Form:
    """The form of one component. Raises Refused."""
    for form in _forms(header):
        if form.name in _FORMS_SINGLE and form.version is not None:
            return form
    raise words.accept("1007-400", header, _SINGLE)


def of_descriptors(header: str, words: Words) -> Form:
    """The form of a list of descriptors. Raises Refused."""
    for form in _forms(header):
        if form.name in _FORMS_OF_DESCRIPTORS and form.version is None:
            return form
    raise words.accept("1008-400", header, "application/vnd.adobe.xdm-id+json")


def of_descriptor(header: str, words: Words) -> Form:
    """The form of one descriptor. Raises Refused."""
    for form in _forms(header):
        if form.name == "xdm":
            return form
    raise words.accept("1009-400", header, "application/vnd.adobe.xdm+json")


def _forms(header: str) -> list[Form]:
    found = []
    for part in header.split(","):
        match = _MEDIA_TYPE.fullmatch(part.strip())
        if match is None:
            continue
        version = _VERSION.fullmatch(match["rest"])
        if version is not None:
            found.append(Form(match["form"], int(version["major"])))
        elif not match["rest"]:
            found.append(Form(match["form"]))
    return found
