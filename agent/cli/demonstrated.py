"""How is it told what became of the demo's records?"""

import json
import os
import shlex
import shutil
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.summary import Snapshot
from agent.cli.emulated import Landed
from agent.cli.report import reasons

_WIDTH = 92


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What the demo did: sent by the agent, and landed on the platform."""

    directory: Path
    manifest: Path
    config: Path
    console: str
    sent: Snapshot
    landed: Landed

    @property
    def is_complete(self) -> bool:
        """Whether every record has its verdict, and what was accepted landed or failed."""
        sent, landed = self.sent, self.landed
        return not (sent.held or sent.unreadable) and landed.landed + landed.failed == sent.accepted


def as_object(done: Demonstrated) -> dict[str, Any]:
    """For scripts."""
    landed = done.landed
    return {
        **done.sent.as_json(),
        "landed": landed.landed,
        "failed": landed.failed,
        "failed_by_reason": dict(landed.reasons),
        "dataset_id": landed.dataset_id,
        "profiles": landed.profiles,
        "directory": str(done.directory),
    }


def in_words(done: Demonstrated) -> str:
    """For people, with one record followed from its line to its row."""
    sent, landed = done.sent, done.landed
    lines = [
        "",
        "What the agent knows:",
        f"  read           {sent.read:>8,}   lines",
        f"  accepted       {sent.accepted:>8,}   each has an xactionId of the platform",
        f"  dead-lettered  {sent.dead_letters:>8,}   kept with their bytes and the reason:",
        *(f"                            {words}" for words in reasons(sent)),
        f"  speed          {sent.records_per_second:>8,.0f}   records/s, with an inlet 120 ms away"
        " that paused for a second;",
        "                            what the agent can do, `make bench` measures",
        "",
        "What came of the accepted ones on the platform, which maps and validates later:",
        f"  landed         {landed.landed:>8,}   in the dataset, as XDM; {landed.profiles:,} people"
        " in Profile",
        f"  failed         {landed.failed:>8,}   in the platform's words:",
        *(f"                            {count:,} {words}" for words, count in landed.reasons),
    ]
    if landed.warnings:
        lines.append(
            f"  mapping        {landed.warnings:>8,}   expressions failed, and gave nothing:"
        )
        lines.append(f"                            {landed.last_warning}")
    return "\n".join([*lines, *_followed(done), *_next(done)])


def _followed(done: Demonstrated) -> list[str]:
    """The way of the record that landed last: line, xactionId, row."""
    from agent.store.database import open_for_reading
    from agent.store.receipts import find

    xaction_id = done.landed.row.get("xactionId")
    connection = open_for_reading(done.directory)
    if xaction_id is None or connection is None:
        return []
    with closing(connection):
        receipt = find(connection, xaction_id)[0]
    entity = json.dumps(done.landed.row["entity"], ensure_ascii=False, separators=(",", ":"))
    return [
        "",
        "One record followed:",
        f"  line           {receipt.line:>8,}   of {Path(receipt.source).name}",
        *_wrapped(_line(Path(receipt.source), receipt.line)),
        f"  xactionId      {xaction_id}",
        f"  row            {done.landed.landed:>8,}   of the dataset",
        *_wrapped(entity),
    ]


def _next(done: Demonstrated) -> list[str]:
    """Commands that work when the demo has ended."""
    me = _own_name()
    directory = shlex.quote(str(done.directory))
    return [
        "",
        "Try next:",
        f"  {me} dead-letters list --data-dir {directory}",
        f"  {me} receipts find {done.landed.row.get('xactionId', 'ID')} --data-dir {directory}",
        f"  {me} provision show {shlex.quote(str(done.manifest))}",
        f"  {me} emulate --data {shlex.quote(str(done.directory / 'platform'))}",
        "      and look at http://127.0.0.1:8010/ in a browser: what landed, and what failed",
    ]


def meanwhile(done: Demonstrated) -> str:
    """What to look at while the platform goes on."""
    me, manifest, config = _own_name(), str(done.manifest), str(done.config)
    return "\n".join(
        [
            "",
            "Meanwhile, in another terminal:",
            f"  {me} provision plan {shlex.quote(manifest)}",
            f"  {me} reconcile --config {shlex.quote(config)}",
            f"The platform goes on at {done.console}/ until Ctrl-C.",
        ]
    )


def _own_name() -> str:
    """What to type for this program: its name, or its path where the name is not found."""
    started_as = Path(sys.argv[0])
    if started_as.name != "aep-agent":
        return "python -m agent"
    found = shutil.which("aep-agent")
    return "aep-agent" if found else os.path.relpath(started_as)


def _line(path: Path, wanted: int) -> str:
    with path.open("rb") as lines:
        text = next((text for number, text in enumerate(lines, 1) if number == wanted), b"")
    return text.decode("utf-8", "replace").rstrip()


def _wrapped(text: str) -> list[str]:
    """The text as it is, in lines that fit a terminal."""
    return [f"    {text[start : start + _WIDTH]}" for start in range(0, len(text), _WIDTH)]
