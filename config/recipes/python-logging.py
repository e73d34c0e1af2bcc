"""Python's logging -> aep-agent, one JSON record a log call. The agent's side is tcp.yaml.

The standard SocketHandler connects by itself, and again when the connection is lost; it pickles
what it sends, so `makePickle` is what has to say JSON instead.
"""

import json
import logging
import logging.handlers
from datetime import UTC, datetime


class JsonLines(logging.handlers.SocketHandler):
    """Sends each log record as one line of JSON; `extra={"fields": {...}}` adds fields."""

    def makePickle(self, record: logging.LogRecord) -> bytes:  # noqa: N802  # so it is called
        fields = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


if __name__ == "__main__":
    shop = logging.getLogger("shop")
    shop.setLevel(logging.INFO)
    shop.addHandler(JsonLines("127.0.0.1", 5170))
    for number in range(100):
        shop.info("order placed", extra={"fields": {"order": number, "city": "Zürich"}})
    logging.shutdown()
