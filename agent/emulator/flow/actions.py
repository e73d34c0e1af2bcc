"""May this action be done to a resource, and in which state is it then?"""

from collections.abc import Sequence

from agent.emulator.flow.problems import Problem, provider

_STATES = {"ENABLE": "enabled", "DISABLE": "disabled"}
_OF_PROVIDERS = ("FINALIZE", "FINALIZE_UPDATE")
_KNOWN = (*_STATES, *_OF_PROVIDERS, "PUBLISH")
_SUB_ACTIONS = ("APPLY", "ROLLBACK", "PROGRESS")


def state_after(action: str | None, sub_actions: Sequence[str], state: str) -> str:
    """The state after an action; what is so already stays so. Raises Problem."""
    if action is None:
        raise Problem("2119-400", name="op")
    action = action.upper()
    if action not in _KNOWN:
        raise provider(f"the action {action} is not known: it is one of {', '.join(_KNOWN)}")
    asked = [name.upper() for each in sub_actions for name in each.split(",")]
    for name in asked:
        if name not in _SUB_ACTIONS:
            raise Problem("1435-400", name=name)
        if action in _STATES and name == "PROGRESS":
            raise Problem("1436-400", name=name, action=action.lower())
    if len(asked) > 1 and "PROGRESS" in asked:
        raise Problem("1406-400")
    if action in _OF_PROVIDERS:
        raise Problem("1402-400", action=action.lower())
    if action == "PUBLISH":
        raise Problem("1422-400", action=action.lower(), state=state)
    if state not in _STATES.values():
        raise Problem("1421-400", state=state)
    return _STATES[action]
