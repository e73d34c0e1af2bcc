"""Why were records refused, one line for each reason however many records it met?"""

import re
from typing import Any

REASONS_MAX = 1000
_OTHERS = "further reasons, not told apart"
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\b\d+\b")


class Reasons:
    """Refusals counted by status and message.

    Messages that differ only in what is quoted, bracketed or a number are one reason, told in the
    words of its first. Beyond `reasons_max` the further ones are counted together.
    """

    def __init__(self, reasons_max: int = REASONS_MAX) -> None:
        self._reasons_max = reasons_max
        self.clear()

    def clear(self) -> None:
        """Count from zero again."""
        self._found: dict[tuple[int, str], dict[str, Any]] = {}

    def add(self, status: int, message: str, number: int) -> None:
        """Count a refusal; `number` is the place of its record among the refused ones."""
        key = (status, _PARTICULAR.sub("…", message))
        if key not in self._found and len(self._found) >= self._reasons_max:
            key, message = (0, _OTHERS), _OTHERS
        found = self._found.setdefault(
            key, {"status": key[0], "message": message, "count": 0, "first": number}
        )
        found["count"] += 1
        found["last"] = number

    def as_json(self) -> list[dict[str, Any]]:
        """{"status", "message", "count", "first", "last"} of each, the most frequent first."""
        return sorted(self._found.values(), key=lambda found: -found["count"])
