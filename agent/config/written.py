"""How is one value read from the text a person wrote, and what should they have written?

Every kind of value carries its own advice, so a report always says what to write instead. Values
arrive as text from a file or the environment, and may arrive typed from flags.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class Wrong(ValueError):
    """A value that cannot be taken; `advice` completes "found …; write …".

    `key` names the key meant, where that is one below the key being checked.
    """

    def __init__(self, advice: str, key: str = "") -> None:
        super().__init__(advice)
        self.advice = advice
        self.key = key


class Written(ABC):
    """A kind of value as people write it; used as `Annotated[type, Kind(...)]`."""

    json_types: ClassVar[tuple[str, ...]] = ("string",)
    pattern: ClassVar[str] = ""  # of the text in a file; `${` starts a variable
    optional: bool = False

    @property
    @abstractmethod
    def advice(self) -> str:
        """What to write, completing "found …; write …"."""

    @abstractmethod
    def read(self, value: object) -> object:
        """The value itself; ValueError where `value` does not spell one."""

    def _read(self, value: object) -> object:
        # An empty text unsets an optional key, so that `${VAR:-}` can switch it off.
        if self.optional and (value is None or value == ""):
            return None
        try:
            return self.read(value)
        except Wrong:
            raise
        except ValueError as error:
            raise Wrong(self.advice) from error

    def __get_pydantic_core_schema__(
        self, source: Any, handler: "GetCoreSchemaHandler"
    ) -> "CoreSchema":
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: "CoreSchema", handler: "GetJsonSchemaHandler"
    ) -> dict[str, Any]:
        types = [*self.json_types, *(["null"] if self.optional else [])]
        pattern = {"pattern": self.pattern} if self.pattern else {}
        return {"type": types if len(types) > 1 else types[0], **pattern}
