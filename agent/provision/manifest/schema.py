"""Which schema do records have on the platform: one that is made, or one that exists?"""

import re
from collections import Counter
from typing import Annotated, Any, Literal, Self

from agent.config.fields import Text
from agent.config.section import Section, SoFar, checks, checks_section, setting
from agent.config.written import Wrong
from agent.provision.manifest.words import ComponentId, Number, OwnPath, XdmPath

_FORMATS = ("date", "date-time", "email", "uri")
_XDM_TYPES = {"integer": "long", "date": "date", "date-time": "date-time"}


class OwnField(Section):
    """A field of your own, below the tenant's namespace."""

    path: Annotated[str, OwnPath()] = setting(
        description="Where it is, below the tenant's namespace; [*] after a list.",
        examples=["order.id"],
    )
    type: Literal["string", "integer", "number", "boolean", "date", "date-time", "email", "uri"] = (
        setting(default="string", description="What its values are.")
    )
    title: Annotated[str | None, Text("a title", optional=True)] = setting(
        default=None, description="What people see; unset: the last name of its path."
    )
    description: Annotated[str | None, Text("a description on one line", optional=True)] = setting(
        default=None, description="What it means."
    )
    required: bool = setting(default=False, description="Whether a record without it is refused.")
    values: tuple[Annotated[str, Text("a value")], ...] = setting(
        default=(), description="The only values it may have.", examples=[["open", "paid"]]
    )
    pattern: Annotated[str | None, Text("a regular expression", optional=True)] = setting(
        default=None, description="What its text must look like.", examples=["^[0-9]{8}$"]
    )
    minimum: Annotated[float | int | None, Number(optional=True)] = setting(
        default=None, description="Its least value.", examples=[0]
    )
    maximum: Annotated[float | int | None, Number(optional=True)] = setting(
        default=None, description="Its greatest value.", examples=[100]
    )

    @checks_section
    def _rules_suit_the_type(self) -> Self:
        numeric = self.type in ("integer", "number")
        for key in ("minimum", "maximum"):
            if getattr(self, key) is not None and not numeric:
                raise Wrong("bounds for the types integer and number only", key=key)
        for key in ("values", "pattern"):
            if getattr(self, key) and self.type != "string":
                raise Wrong("this for the type string only", key=key)
        least, greatest = self.minimum, self.maximum
        if least is not None and greatest is not None and least > greatest:
            raise Wrong(f"at least {least:g}, the minimum", key="maximum")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise Wrong(f"a regular expression; this is none: {error}", key="pattern") from None
        return self


class Identity(Section):
    """A field that says who somebody is."""

    path: Annotated[str, XdmPath()] = setting(
        description="Which field; _tenant stands for your tenant's namespace.",
        examples=["_tenant.customer.id"],
    )
    namespace: Annotated[str, Text("the code of an identity namespace such as Email")] = setting(
        description="Code of the identity namespace.", examples=["Email"]
    )
    primary: bool = setting(default=False, description="Whether every record must have it.")


class SchemaSettings(Section):
    """schema: which XDM schema records have; one that is made, or one that exists."""

    id: Annotated[str | None, Text("the $id of a schema", optional=True)] = setting(
        default=None,
        description="$id of a schema that exists; nothing of it is changed.",
        examples=["https://ns.adobe.com/mytenant/schemas/0123456789abcdef"],
    )
    title: Annotated[str | None, Text("a title", optional=True)] = setting(
        default=None,
        description="Title of the schema to make, by which it is found again.",
        examples=["Orders"],
        validate_default=True,
    )
    description: Annotated[str | None, Text("a description on one line", optional=True)] = setting(
        default=None, description="What its records are."
    )
    class_: Annotated[str, ComponentId("class")] = setting(
        default="https://ns.adobe.com/xdm/context/profile",
        alias="class",
        description="profile: a record is about somebody; event: it is something that happened.",
        examples=["profile"],
    )
    field_groups: tuple[Annotated[str, ComponentId()], ...] = setting(
        default=(),
        description="Groups of fields, by $id, or by the last word of one of Adobe's own.",
        examples=[["profile-person-details"]],
    )
    fields: tuple[OwnField, ...] = setting(
        default=(),
        description="Fields of your own; they come to lie below your tenant's namespace.",
        examples=[[{"path": "order.id", "type": "string"}]],
    )
    identities: tuple[Identity, ...] = setting(
        default=(),
        description="Fields that say who somebody is.",
        examples=[[{"path": "_tenant.customer.id", "namespace": "CRMID", "primary": "true"}]],
    )
    profile: bool = setting(
        default=False,
        description="Whether it is enabled for Real-Time Customer Profile, which is for good.",
        validate_default=True,
    )

    @checks("title")
    @classmethod
    def _made_or_there(cls, title: str | None, info: SoFar) -> str | None:
        if (title is None) == (info.data.get("id", title) is None):
            raise Wrong("either a title, to make a schema, or schema.id, to use one that exists")
        return title

    @checks("fields")
    @classmethod
    def _paths_fit(cls, fields: tuple[OwnField, ...]) -> tuple[OwnField, ...]:
        kinds: dict[str, str] = {}
        for index, field in enumerate(fields):
            *above, last = places(field.path)
            for place, kind in (*((each, "an object") for each in above), (last, "a field")):
                name = place.removesuffix("[*]")
                shown = f"a list, {kind}" if place.endswith("[*]") else kind
                if kinds.setdefault(name, shown) != shown:
                    text = f"another path: {name} is {kinds[name]} elsewhere, and {shown} here"
                    raise Wrong(text, key=f"{index}.path")
        twice = [path for path, count in Counter(f.path for f in fields).items() if count > 1]
        if twice:
            last_at = max(i for i, field in enumerate(fields) if field.path == twice[0])
            raise Wrong("each path once", key=f"{last_at}.path")
        return fields

    @checks("identities")
    @classmethod
    def _one_is_primary(cls, identities: tuple[Identity, ...]) -> tuple[Identity, ...]:
        primary = [index for index, each in enumerate(identities) if each.primary]
        if len(primary) > 1:
            raise Wrong("true once: a schema has one primary identity", key=f"{primary[1]}.primary")
        return identities

    @checks("profile")
    @classmethod
    def _somebody_is_meant(cls, profile: bool, info: SoFar) -> bool:
        known = info.data.get("identities", ())
        if profile and not info.data.get("id") and not any(each.primary for each in known):
            raise Wrong("false, or an identity with `primary: true`, which Profile goes by")
        return profile

    @checks_section
    def _what_exists_is_left_alone(self) -> Self:
        if self.id is not None:
            for key in ("description", "field_groups", "fields", "identities", "profile"):
                if getattr(self, key):
                    raise Wrong("nothing here beside schema.id: that schema is not changed", key)
        return self


def places(path: str) -> list[str]:
    """The paths that lead to a path, itself last: `a`, `a.b[*]`, `a.b[*].c`."""
    names = path.split(".")
    return [".".join(names[: end + 1]) for end in range(len(names))]


def json_type(field: OwnField) -> dict[str, Any]:
    """The JSON Schema of an own field's values, as the Schema Registry takes it."""
    kind = field.type if field.type in ("integer", "number", "boolean") else "string"
    rules: dict[str, Any] = {"type": kind}
    if field.type in _FORMATS:
        rules["format"] = field.type
    rules["meta:xdmType"] = _XDM_TYPES.get(field.type, kind)
    if field.values:
        rules["enum"] = list(field.values)
    for key in ("pattern", "minimum", "maximum"):
        if (value := getattr(field, key)) is not None:
            rules[key] = value
    return rules
