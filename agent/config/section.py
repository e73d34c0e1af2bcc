"""What does every section of the configuration have in common?"""

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from agent.config.fields import Text

# JSON Schema's word for what is written but never shown again: reports leave such values out.
SECRET: Final[dict[str, Any]] = {"writeOnly": True}
MASK: Final = "**********"


class Section(BaseModel):
    """A mapping of known keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )


class SourceSection(Section):
    """What every kind of source may say."""

    flow: Annotated[str | None, Text("the name of one of the flows", optional=True)] = Field(
        default=None,
        description="Which of the flows takes its records; unset where there is only one.",
        examples=["orders"],
    )


def without_password(url: str) -> str:
    """The URL as it may be shown: a user and password in it are masked."""
    return re.sub(r"//[^/]*@", f"//{MASK}@", url)
