"""How is what is secret kept from being shown?"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

# JSON Schema's word for what is written but never shown again: reports leave such values out.
SECRET: Final[dict[str, Any]] = {"writeOnly": True}
MASK: Final = "**********"


class Secret:
    """A text that shows itself only to who asks for it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: "GetCoreSchemaHandler"
    ) -> "CoreSchema":
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def without_password(url: str | None) -> str | None:
    """The URL as it may be shown: a user and password in it are masked."""
    return url and re.sub(r"//[^/]*@", f"//{MASK}@", url)


def masked_values(values: Mapping[str, str]) -> dict[str, str]:
    """The mapping as it may be shown: its names."""
    return dict.fromkeys(values, MASK)
