"""What does every section of the configuration have in common?"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

# JSON Schema's word for what is written but never shown again: reports leave such values out.
SECRET: Final[dict[str, Any]] = {"writeOnly": True}
MASK: Final = "**********"


class Section(BaseModel):
    """A mapping of known keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )
