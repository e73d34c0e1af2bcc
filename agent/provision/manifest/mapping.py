"""What becomes which XDM field?"""

from dataclasses import dataclass
from typing import Annotated, Self

from agent.config.section import Section, checks_section, setting
from agent.config.written import Written, Wrong
from agent.provision.manifest.words import XdmPath, with_tenant

EXPRESSION_CHARACTERS_MAX = 4096


@dataclass(frozen=True)
class Verbatim(Written):
    """Text that stays as it is; `${…}` in it is Data Prep's, not a variable's."""

    optional: bool = True

    @property
    def advice(self) -> str:
        return f"text of up to {EXPRESSION_CHARACTERS_MAX} characters"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= EXPRESSION_CHARACTERS_MAX:
            raise ValueError("not such a text")
        return value


class MappingLine(Section):
    """One field: where its values come from."""

    to: Annotated[str, XdmPath()] = setting(
        description="XDM path of the field; _tenant stands for your tenant's namespace.",
        examples=["person.name.firstName"],
    )
    attribute: Annotated[str | None, Verbatim()] = setting(
        default=None,
        description="Path of the values in the records.",
        examples=["customer.firstName"],
    )
    expression: Annotated[str | None, Verbatim()] = setting(
        default=None,
        description="Expression in the Data Prep language, for each record.",
        examples=['concat(shop, ":", id)'],
    )
    constant: Annotated[str | None, Verbatim()] = setting(
        default=None, description="The same value for all records.", examples=["web"]
    )

    @checks_section
    def _comes_from_one(self) -> Self:
        told = [key for key in ("attribute", "expression", "constant") if getattr(self, key)]
        if len(told) != 1:
            key = told[1] if told else "attribute"
            raise Wrong("one of attribute, expression and constant", key=key)
        return self

    def as_json(self, tenant: str) -> dict[str, str]:
        """The line as Data Prep takes it."""
        to = with_tenant(self.to, tenant)
        return {"sourceType": self.kind, "source": self.source, "destination": to}

    @property
    def kind(self) -> str:
        """The word of Data Prep for where it comes from."""
        if self.attribute is not None:
            return "ATTRIBUTE"
        return "EXPRESSION" if self.expression is not None else "STATIC"

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self.attribute or self.expression or self.constant or ""
