"""How shall the inlet misbehave, and to which requests and records?

A script is YAML or JSON: a list of rules, alone or as `{seed: 7, rules: [...]}`. The seed makes
every chance repeatable. A rule has effects, and says in `when` what they apply to:

    seed: 7
    rules:
      - name: outage                          # optional; counted under this name
        when: {path: batch, requests: 3}
        status: 503
        retry_after: 2
      - when: {probability: 0.01}
        reject: {status: 400, message: "no such schema"}

when (all optional, all must hold; without any the rule always applies)
    path: single | batch        only requests to this endpoint; other rules apply to both
    path: token | platform      only requests for a token, or only calls to the platform's services
                                (/data/…); no other rule applies to these
    encoding: gzip | identity   only requests sent this way
    matching: "regex"           only requests with a record in which it is found; for `reject`,
                                only those records; of calls to the platform, it is looked for in
                                `METHOD /path?query`, a line break, and the body
    after: N                    not to the first N of the requests that match so far
    every: K                    only to each Kth of those that follow
    requests: N                 only until the rule has applied N times
    probability: P              a chance, 0 to 1, for each request; for `reject`, for each record

effects on the answer (of all rules that set any of these, the first that applies counts)
    status: 503                 answer this at once and accept nothing
    body: {...} | "text" | html | empty | problem      what to answer with it
    body_is: error_in_200       status 200 and the body of an error
    headers: {name: value}      further headers
    retry_after: 2              seconds, any text, or `date+2`: the HTTP date in 2 seconds
    accept: true                accept the records all the same, whatever is answered
    hang: 30 | true             answer nothing for so many seconds (true: an hour), then close
    reset: N                    TCP reset after N bytes of the answer, status line included; with 0
                                nothing is accepted, else the answer is the true one if no status
    accept_then_reset: true     the records are accepted and the answer is lost
    truncate: N                 close after N bytes of the body, Content-Length naming the whole

effects that add up over all rules that apply (where two set the same one, the first counts)
    delay: 0.5                  the answer is so many seconds late
    reject: 400 | "message" | {status: 400, message: "..."}      refuse the matching records
    dialect: documented | observed | mixed
    drop_items: 2 | 0.5         leave so many items, or each with this chance, out of the 207
    add_items: 3                that many more: a double, one of no record, a failure without id
    shuffle_items: true
    strip_ids: accepted | rejected | all
    ids: opaque                 ids that hold no index
    received_time_ms: string | number
    inlet_id_spelling: inletID

On a command line a rule is one text: `status=503,retry_after=2,requests=3`.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal

TOKEN = "token"  # the path of requests for a token
PLATFORM = "platform"  # the path of calls to the services below /data/


@dataclass(frozen=True, slots=True)
class When:
    """Which requests, or which records, a rule applies to."""

    requests: int | None = None
    after: int = 0
    every: int = 1
    probability: float = 1.0
    path: str | None = None
    encoding: str | None = None
    matching: re.Pattern[bytes] | None = None


@dataclass(frozen=True, slots=True)
class AnswerFault:
    """What happens to the answer as a whole."""

    status: int | None = None
    body: object = None  # None: whatever suits the status
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str | None = None
    accept: bool = False
    hang: float | None = None  # seconds
    reset: int | None = None  # bytes of the answer that still leave
    truncate: int | None = None  # bytes of the body that still leave

    @property
    def is_final(self) -> bool:
        """Whether the records are not even looked at."""
        if self.accept:
            return False
        return self.status is not None or self.hang is not None or self.reset == 0


@dataclass(frozen=True, slots=True)
class Shape:
    """How the items of a 207 differ from what they should be; None leaves them alone."""

    dialect: Literal["documented", "observed", "mixed"] | None = None
    drop_items: int | float | None = None
    add_items: int | None = None
    shuffle_items: bool | None = None
    strip_ids: Literal["accepted", "rejected", "all"] | None = None
    ids: Literal["opaque"] | None = None
    received_time_ms: Literal["string", "number"] | None = None
    inlet_id_spelling: Literal["inletId", "inletID"] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The verdict on a record that is refused.

    A message that is not `verbatim` gets the words round it that the chosen dialect has.
    """

    status: int | str
    message: str
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Effects, and what they apply to; `written` is the rule as its author wrote it."""

    name: str
    written: dict[str, object]
    when: When = When()
    answer: AnswerFault | None = None
    delay: float = 0.0
    reject: Refusal | None = None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """Rules in the order in which they are tried."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0


@dataclass(slots=True)
class Firing:
    """Everything the rules ask of one request."""

    answer: AnswerFault | None = None
    delay: float = 0.0
    refusals: dict[int, Refusal] = field(default_factory=dict)  # by the record's index
    shape: Shape = Shape()


class Faults:
    """A script at work: it remembers how often each rule matched and applied."""

    def __init__(self, script: Script = Script()) -> None:
        self.script = script
        self.random = random.Random(script.seed)
        self._matched = [0] * len(script.rules)
        self._applied = [0] * len(script.rules)

    def fire(self, path: str, encoding: str, records: Sequence[bytes]) -> Firing:
        """What to do to a request, given its endpoint, encoding and raw records (or raw body)."""
        firing = Firing()
        for number, rule in enumerate(self.script.rules):
            if rule.answer is not None and firing.answer is not None:
                continue
            matching = _matching(rule.when, path, encoding, records)
            if matching and self._is_due(number, rule.when):
                self._apply(number, rule, matching, firing)
        return firing

    def hits(self) -> dict[str, int]:
        """How often the rules applied, by name."""
        counts: dict[str, int] = {}
        for rule, applied in zip(self.script.rules, self._applied, strict=True):
            counts[rule.name] = counts.get(rule.name, 0) + applied
        return counts

    def as_json(self) -> dict[str, object]:
        """The script as written, with how many requests each rule matched and applied to."""
        return {
            "seed": self.script.seed,
            "rules": [
                {"name": rule.name, **rule.written, "matched": matched, "applied": applied}
                for rule, matched, applied in zip(
                    self.script.rules, self._matched, self._applied, strict=True
                )
            ],
        }

    def _is_due(self, number: int, when: When) -> bool:
        """Count a matching request, and tell whether it is this rule's turn."""
        place = self._matched[number] - when.after
        self._matched[number] += 1
        if when.requests is not None and self._applied[number] >= when.requests:
            return False
        return place >= 0 and (place + 1) % when.every == 0

    def _apply(self, number: int, rule: Rule, matching: Sequence[int], firing: Firing) -> None:
        chance = self._chance(rule.when.probability)
        if rule.reject is None:
            chosen = list(matching) if chance() else []
        else:
            chosen = [index for index in matching if chance()]
        if not chosen:
            return
        self._applied[number] += 1
        if rule.reject is not None:
            for index in chosen:
                firing.refusals.setdefault(index, rule.reject)
        if rule.answer is not None:
            firing.answer = rule.answer
        if rule.shape is not None:
            firing.shape = _merged(firing.shape, rule.shape)
        firing.delay = firing.delay or rule.delay

    def _chance(self, probability: float) -> Callable[[], bool]:
        if probability >= 1:
            return lambda: True
        return lambda: self.random.random() < probability


def _matching(when: When, path: str, encoding: str, records: Sequence[bytes]) -> Sequence[int]:
    """The indexes of the records a rule may apply to; none if the request is not meant."""
    meant = (path,) if path in (TOKEN, PLATFORM) else (path, None)
    if when.path not in meant or when.encoding not in (None, encoding):
        return ()
    if when.matching is None:
        return range(max(len(records), 1))
    search = when.matching.search
    return [index for index, record in enumerate(records) if search(record)]


def _merged(first: Shape, second: Shape) -> Shape:
    missing = {
        each.name: getattr(second, each.name)
        for each in fields(Shape)
        if getattr(first, each.name) is None
    }
    return replace(first, **missing)
