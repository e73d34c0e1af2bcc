"""How does the platform misbehave? The rules for the emulator, in one place.

`accepts` says which of them accept records without the agent being told: those may double.
"""

import random
from typing import Any

from support.proxy import CUT, HALF_CLOSED, SLOW, STALLED, WELL
from torture.minting import POISON_MARK, REFUSED_MARK

Rule = dict[str, Any]

# In force at all times: what the platform finds wrong with records themselves.
VERDICTS: tuple[Rule, ...] = (
    {"name": "refused record", "when": {"matching": REFUSED_MARK}, "reject": 422},
    {"name": "poison", "when": {"matching": POISON_MARK}, "status": 400},
)

_NO_ANSWER: tuple[Rule, ...] = (
    {"name": "503", "status": 503},
    {"name": "503, Retry-After", "status": 503, "retry_after": 1},
    {"name": "429", "status": 429},
    {"name": "429, date", "status": 429, "retry_after": "date+1"},
    {"name": "500", "status": 500},
    {"name": "502 of a proxy", "status": 502, "body": "html"},
    {"name": "401", "status": 401},
    {"name": "403", "status": 403},
    {"name": "200 with an error", "body_is": "error_in_200"},
    {"name": "redirect", "status": 302, "headers": {"Location": "http://127.0.0.1:9/"}},
    {"name": "hang", "hang": 0.5},
    {"name": "reset", "reset": 0},
)
_LOST_ANSWER: tuple[Rule, ...] = (
    {"name": "lost: reset", "accept_then_reset": True},
    {"name": "lost: cut answer", "truncate": 60},
    {"name": "lost: cut head", "reset": 30},
    {"name": "lost: error afterwards", "status": 500, "accept": True},
    {"name": "lost: items left out", "drop_items": 0.2},
    {"name": "lost: late", "delay": 5},
)
_HARMLESS: tuple[Rule, ...] = (
    {"name": "slow", "delay": 0.1},
    {"name": "mixed dialects", "dialect": "mixed"},
    {"name": "shuffled", "shuffle_items": True, "dialect": "observed"},
    {"name": "too many items", "add_items": 1},
)
NAMES = tuple(str(rule["name"]) for rule in (*VERDICTS, *_NO_ANSWER, *_LOST_ANSWER, *_HARMLESS))


def accepts(name: str) -> bool:
    """Whether a rule of that name lets answers about accepted records get lost."""
    return name.startswith("lost: ")


def weather(dice: random.Random) -> tuple[Rule, ...]:
    """The rules for one life: calm, by chance, or an outage from some request on."""
    kind = dice.choices(("calm", "mixed", "outage"), (1, 6, 2))[0]
    if kind == "calm":
        return ()
    if kind == "outage":
        when = {"after": dice.randrange(20), "requests": dice.randrange(20, 200)}
        return ({**dice.choice(_NO_ANSWER), "when": when},)
    chosen = [
        *dice.sample(_NO_ANSWER, 2),
        *dice.sample(_LOST_ANSWER, 2),
        *dice.sample(_HARMLESS, 1),
    ]
    if {"lost: items left out", "too many items"} <= {rule["name"] for rule in chosen}:
        # one item left out and another added is an answer that nobody can tell from a true one
        chosen = [rule for rule in chosen if rule["name"] != "too many items"]
    dice.shuffle(chosen)
    return tuple({**rule, "when": {"probability": dice.choice((0.02, 0.1))}} for rule in chosen)


def network(dice: random.Random) -> dict[str, float]:
    """What befalls connections during one life, by lot."""
    if dice.random() < 0.3:
        return {WELL: 1.0}
    worse = dice.choice((CUT, HALF_CLOSED, STALLED, SLOW))
    return {WELL: 3.0, worse: 3.0, CUT: 1.0, SLOW: 1.0}
