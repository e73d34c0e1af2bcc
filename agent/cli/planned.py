"""How are a plan, what came of it, and what is noted shown to people and to programs?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.cli.stored import counted, printable

if TYPE_CHECKING:
    from agent.provision.apply import Applied
    from agent.provision.destroy import Fate
    from agent.provision.manifest.loading import Written
    from agent.provision.objects.kind import Difference
    from agent.provision.plan import Step
    from agent.provision.state import State

_SIGNS = {"create": "+", "change": "~", "replace": "±", "refuse": "!", "keep": "="}
_NOUNS = {"mapping": "mapping set", "profile": "Profile tag"}  # of keys that say less than a plan
_TOLD = {
    "create": "to create",
    "change": "to change",
    "replace": "to make anew",
    "refuse": "that only you can decide",
    "keep": "as they should be",
}


def in_words(written: "Written", plan: Sequence["Step"], doubts: Sequence[str]) -> str:
    """A plan, object by object, with what differs."""
    platform = written.manifest.platform
    lines = [f"sandbox {platform.sandbox} of {platform.org_id} at {platform.url}", ""]
    for step in plan:
        id = f" ({step.found.id})" if step.found else ""
        words = f"{step.kind.noun:<18} {step.kind.name}{id}"
        lines.append(f"  {_SIGNS[step.action]} {step.action:<8} {printable(words)}")
        lines += [f"      {printable(line)}" for line in _details(step)]
    counts = {action: sum(step.action == action for step in plan) for action in _SIGNS}
    told = [f"{count} {_TOLD[action]}" for action, count in counts.items() if count]
    lines += ["", ", ".join(told)]
    lines += [f"note: {printable(doubt)}" for doubt in doubts]
    return "\n".join(lines)


def _details(step: "Step") -> list[str]:
    told = [step.remark] if step.remark else []
    for each in step.differences:
        advice = f"; {each.advice}" if each.advice else ""
        told.append(f"{each.path}: {_value(each.found)} -> {_value(each.wanted)}{advice}")
    return told


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)


def as_object(written: "Written", plan: Sequence["Step"], doubts: Sequence[str]) -> dict[str, Any]:
    """The same as JSON."""
    platform = written.manifest.platform
    return {
        "manifest": str(written.path),
        "platform": {
            "url": platform.url,
            "org_id": platform.org_id,
            "sandbox": platform.sandbox,
        },
        "changes": sum(step.differs for step in plan),
        "steps": [
            {
                "key": step.kind.key,
                "kind": step.kind.noun,
                "name": step.kind.name,
                "action": str(step.action),
                "id": step.found.id if step.found else None,
                "ours": step.made,
                "remark": step.remark,
                "differences": [_difference(each) for each in step.differences],
            }
            for step in plan
        ],
        "notes": list(doubts),
    }


def _difference(each: "Difference") -> dict[str, Any]:
    return {
        "path": each.path,
        "found": each.found,
        "wanted": each.wanted,
        "cure": str(each.cure),
        "advice": each.advice,
    }


def result_in_words(done: "Applied") -> str:
    """What came of an apply, and what to do next."""
    changed = done.changed
    lines = ["everything was as it should be" if not changed else f"{counted(changed, 'change')}"]
    if done.ready_at and done.ready_at > datetime.now(UTC):
        waits = "; the agent waits" if done.config else ", and loses what comes earlier"
        lines.append(f"the flow takes records from {_moment(done.ready_at)}{waits}")
    if done.schema_changed:
        lines.append(
            "the platform may go by the schema as it was for up to 15 minutes: until then, records"
            " with new fields can be refused"
        )
    if done.config is None:
        lines.append("the platform fetches records from this source by itself: no agent is needed")
    else:
        if done.config.news and done.config.news != "written":
            lines.append(done.config.news)
        lines.append(f"next: aep-agent run {done.config.path}")
    return "\n".join(lines)


def fates_in_words(found: Sequence["Fate"]) -> str:
    """What would become of each object."""
    lines = []
    for fate in found:
        fate_words = f"stays: {fate.stays}" if fate.stays else "is taken away"
        if not fate.found and not fate.stays:
            fate_words = "is gone already"
        lines.append(printable(f"  {fate.kind.noun:<18} {fate.noted.name}: {fate_words}"))
    return "\n".join(lines)


def state_in_words(state: "State") -> str:
    """What is noted of a manifest."""
    lines = [str(state.place), ""]
    widest = max((len(each.name) for each in state.objects), default=0)
    for each in state.objects:
        how = "made" if each.made else "found there"
        if each.begun:
            how = "begun and cut off: apply again"
        kind = each.key.partition(":")[0]
        noun = _NOUNS.get(kind, kind.replace("_", " "))
        lines.append(
            printable(f"  {noun:<18} {each.name:<{widest}}  {how}  {each.id or ''}").rstrip()
        )
    if state.ready_at:
        is_ready = state.ready_at <= datetime.now(UTC)
        when = _moment(state.ready_at)
        lines += ["", f"the flow takes records {'since' if is_ready else 'from'} {when}"]
    if state.config:
        lines.append(f"the agent's configuration is {state.config.file}")
    return "\n".join(lines)


def state_as_object(state: "State") -> dict[str, Any]:
    """The same as JSON."""
    from agent.config.showing import shown

    return shown(state)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
