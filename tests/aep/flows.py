"""Flows as Flow Service keeps them, with their connections, for scripted platforms."""

import time
from collections.abc import Callable
from typing import Any

from aep.scripted import Answer, Asked

HTTP_API = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
KINESIS = "86043421-563b-46ec-8e6c-e23184711bf6"
LONG_AGO = 1_700_000_000_000
INLET = {"inletUrl": "https://dcs.example/collection/in", "inletId": "in", "dataType": "raw"}


def flow(id: str = "f1", name: str = "orders", **more: Any) -> dict[str, Any]:
    """A flow that was made long ago."""
    made = {"createdAt": LONG_AGO, "updatedAt": LONG_AGO, "state": "enabled"}
    return {"id": id, "name": name, **made, "sourceConnectionIds": ["s1"], **more}


def just_now() -> int:
    """Now, as the platform writes it."""
    return int(time.time() * 1000)


def kept(*objects: dict[str, Any], **connections: dict[str, Any]) -> Callable[[Asked], Answer]:
    """A Flow Service with these flows and connections; base is b1, source is s1."""
    source = {"id": "s1", "baseConnectionId": "b1", "connectionSpec": {"id": HTTP_API}}
    base = {"id": "b1", "auth": {"params": INLET}}
    by_id = {"b1": base, "s1": source, **connections}
    by_id |= {each["id"]: each for each in objects}

    def answer(asked: Asked) -> Answer:
        last = asked.path.rpartition("/")[2]
        if last != "flows":
            found = by_id.get(last)
            problem = {"type": "https://ns.adobe.com/aep/errors/FLOW-1439-404", "status": 404}
            return Answer({"items": [found]}) if found else Answer(problem, 404)
        wanted = dict(asked.query).get("property", "").removeprefix("name==").strip('"')
        return Answer({"items": [each for each in objects if wanted in ("", each["name"])]})

    return answer
