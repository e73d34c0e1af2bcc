"""How is a replay told, before it is done and after?"""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.cli.stored import counted, say
from agent.cli.telling import tell

if TYPE_CHECKING:
    import sqlite3

    from agent.app.summary import Snapshot
    from agent.store.dead_letters import Selection
    from agent.store.replays import Plan


def say_plan(plan: "Plan", flow: str, args: argparse.Namespace) -> None:
    """What would be sent again to a flow."""
    if args.json:
        counts = {"letters": plan.letters, "bytes": plan.bytes, "cut": plan.cut}
        _print_json(counts | {"broken": plan.broken, "dry_run": True} | _flow_field(flow))
        return
    letters = counted(plan.letters, "dead letter")
    tell(f"{_of_flow(flow)}{letters} would be sent again, {plan.bytes:,} bytes of records")
    _say_left(plan)


def say_homeless(
    connection: "sqlite3.Connection", selection: "Selection", routes: "Mapping[str, Selection]"
) -> None:
    """Tell of dead letters that were chosen and go nowhere: they are of other flows, or of none."""
    from agent.store import dead_letters

    count = dead_letters.count
    left = count(connection, selection) - sum(count(connection, each) for each in routes.values())
    if left and "" in routes:
        say(f"{left:,} are of flows with names, and left out: choose them with --flow")
    elif left:
        say(f"{left:,} are of no flow of this configuration, and left out: --to says where they go")


def _flow_field(flow: str) -> dict[str, str]:
    return {"flow": flow} if flow else {}


def _of_flow(flow: str) -> str:
    return f"flow {flow}: " if flow else ""


def _say_left(plan: "Plan") -> None:
    if plan.cut:
        say(f"{plan.cut:,} cannot be sent: only the first part of the record was kept")
    if plan.broken:
        say(f"{plan.broken:,} are left out: their lines are no records; `export` them to mend them")


def say_done(done: "Snapshot | None", plan: "Plan", flow: str, args: argparse.Namespace) -> None:
    """What came of what was sent again to a flow."""
    from agent.cli.report import reasons

    accepted, refused = (done.accepted, done.dead_letters) if done else (0, 0)
    left = plan.letters - accepted - refused
    if args.json:
        counts = {"letters": plan.letters, "accepted": accepted, "refused": refused, "left": left}
        by_reason = dict(done.dead_lettered) if done else {}
        _print_json(
            counts
            | {"refused_by_reason": by_reason, "cut": plan.cut, "broken": plan.broken}
            | _flow_field(flow)
        )
        return
    if done is None:
        tell(f"{_of_flow(flow)}no such dead letters; those accepted in a replay are not sent again")
    else:
        tell(
            f"{_of_flow(flow)}{counted(plan.letters, 'dead letter')} to be sent again:"
            f" {accepted:,} accepted, {refused:,} refused again, {left:,} without an answer"
        )
        for words in reasons(done):
            tell(f"  {words}")
    _say_left(plan)
    if left:
        tell("what has no answer is a dead letter still: the same command goes on with it")


def _print_json(value: dict[str, Any]) -> None:
    import orjson

    tell(orjson.dumps(value).decode())
