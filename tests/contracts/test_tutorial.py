"""Adobe's tutorial: its nine commands run by curl as they are printed, against the emulator.

Commands and answers are read from the tutorial itself, which lies beside Adobe's other files. What
had to be repaired is in REPAIRS, with the reason. What a step answers takes the place of what is
printed there in all later ones.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

from emulator.conftest import Client
from support.contracts import OPENAPI

TUTORIAL = OPENAPI.parent / "tutorial.fr.md"
TOKEN = "-H 'Authorization: Bearer some-token'"
REPAIRS = [
    # Curl takes neither blanks nor quotation marks in a URL.
    ('name=="Steam data with transformation"', "name==%22Steam%20data%20with%20transformation%22"),
    # Three members of the last body end without a comma.
    ('"gender": "Male"', '"gender": "Male",'),
    ('"year": 1984', '"year": 1984,'),
    ('"month": 6', '"month": 6,'),
    # The flow names another target connection than the one that was made.
    ("723222e2-6ab9-4b0b-b222-e26ab9bb0bc2", "d9300194-6a82-4163-b001-946a821163b8"),
]


class Replay:
    """Runs printed commands, with what was answered so far in the place of what was printed."""

    def __init__(self, listening: str) -> None:
        self._actual = {
            "https://platform.adobe.io": listening,
            "https://dcs.adobedc.net": listening,
            "{SANDBOX_NAME}": "prod",
        }

    async def step(self, command: str, printed: Any) -> Any:
        """The parsed answer to a printed command, whose own answer was printed so."""
        for wrong, right in REPAIRS:
            command = command.replace(wrong, right)
        if "platform.adobe.io" in command and "Authorization" not in command:
            command += f" {TOKEN}"  # the last two calls of the platform are printed without
        for text in sorted(self._actual, key=len, reverse=True):
            command = command.replace(text, self._actual[text])
        ran = await asyncio.create_subprocess_exec(
            "bash", "-c", f"{command} -s -S --fail-with-body", stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await ran.communicate()
        assert ran.returncode == 0, (command, answer)
        parsed = json.loads(answer)
        self._learn(printed, parsed)
        return parsed

    def _learn(self, printed: Any, answered: Any) -> None:
        if isinstance(printed, dict):
            for name in printed:
                self._learn(printed[name], answered.get(name))
        elif isinstance(printed, list):
            for one, other in zip(printed, answered or [], strict=False):
                self._learn(one, other)
        elif isinstance(printed, str) and _is_id(printed):
            prefix = "@/dataSets/"
            self._actual[printed.removeprefix(prefix)] = str(answered).removeprefix(prefix)


def _is_id(text: str) -> bool:
    return re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{24}", text) is not None


def _steps() -> Iterator[tuple[str, Any]]:
    """The printed commands, each with the answer that is printed below it."""
    text = TUTORIAL.read_text(encoding="utf-8")
    for found in re.finditer(r"```shell\n(.*?)```.*?```json\n(.*?)```", text, re.DOTALL):
        yield found[1].strip(), json.loads(found[2])


def _lacks(printed: Any, answered: Any, where: str = "") -> Iterator[str]:
    """What is printed, and was not answered, or not as the same kind of thing."""
    if isinstance(printed, dict) and isinstance(answered, dict):
        for name, value in printed.items():
            path = f"{where}.{name}".lstrip(".")
            if name not in answered:
                yield f"{path} is missing"
            else:
                yield from _lacks(value, answered[name], path)
    elif isinstance(printed, list) and isinstance(answered, list):
        if len(printed) > len(answered):
            yield f"{where} has too few items"
        for one, other in zip(printed, answered, strict=False):
            yield from _lacks(one, other, f"{where}[]")
    elif type(printed) is not type(answered):
        yield f"{where} is {answered!r}, not of the kind of {printed!r}"


async def test_the_tutorial_goes_through_as_it_is_printed(client: Client) -> None:
    replay = Replay(client.emulator.listening)
    steps = list(_steps())
    assert len(steps) == 9
    lacking = {}
    for number, (command, printed) in enumerate(steps, 1):
        answered = await replay.step(command, printed)
        if found := set(_lacks(printed, answered)):
            lacking[number] = found
    assert lacking == {}
    (record,) = client.emulator.records()
    assert json.loads(record)["birthday"] == {"year": 1984, "month": 6, "day": 9}
