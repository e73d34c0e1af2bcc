"""Why were records refused, one line for each reason however many records it met?"""

import re
from typing import Any

REASONS_MAX = 1000
MESSAGE_MAX = 1000  # characters; what follows does not tell reasons apart
_OTHERS = "further reasons, not told apart"
_PARTICULAR = re.compile(r"'[^']*\d[^']*'|\"[^\"]*\d[^\"]*\"|\[[^\]]*\d[^\]]*\]|\b\d+\b")


class Reasons:
    """Refused or failed records counted by status (or code) and message.

    Messages that differ only in numbers, and in what is quoted or bracketed and holds any (ids, but
    no names of fields), are one reason, told in the words of its first. Beyond `reasons_max` the
    further ones are counted together.
    """

    def __init__(self, reasons_max: int = REASONS_MAX) -> None:
        self._reasons_max = reasons_max
        self.clear()

    def clear(self) -> None:
        """Count from zero again."""
        self._found: dict[tuple[int | str, str], dict[str, Any]] = {}

    def add(self, status: int | str, message: str, number: int, count: int = 1) -> None:
        """Count records; `number` is the place of the first of them among all such records."""
        key: tuple[int | str, str] = (status, _PARTICULAR.sub("…", message[:MESSAGE_MAX]))
        if key not in self._found and len(self._found) >= self._reasons_max:
            key, message = (0, _OTHERS), _OTHERS
        found = self._found.setdefault(
            key, {"status": key[0], "message": message[:MESSAGE_MAX], "count": 0, "first": number}
        )
        found["count"] += count
        found["last"] = number + count - 1

    def as_json(self) -> list[dict[str, Any]]:
        """{"status", "message", "count", "first", "last"} of each, the most frequent first."""
        return sorted(self._found.values(), key=lambda found: -found["count"])
