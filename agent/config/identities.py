"""Do records that have no id get one on their way, and from what?"""

import re
from typing import Annotated, Literal

from agent.config.fields import Text
from agent.config.section import Section, setting

_FIELD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class FieldName(Text):
    """The name of a field that JSON writes without escapes."""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _FIELD.fullmatch(value):
            raise ValueError("not a name that needs no escapes")
        return value


class RecordIdSettings(Section):
    """record_id: an id for records without one, so that what arrives twice counts once."""

    add: Literal["none", "position", "content"] = setting(
        default="none",
        description="What ids are made of; none adds none, since it changes what is sent.",
    )
    field: Annotated[str, FieldName("a field name of letters, digits, _, - and .")] = setting(
        default="_id",
        description="Top-level field that holds the id; _id is what Profile goes by.",
    )
