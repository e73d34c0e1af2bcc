"""How are regular expressions used that strangers wrote, on texts that strangers sent?

The engine is that of the `regex` package: it takes the Java constructs that Python's own does not
(possessive and atomic groups, `\\p{Alpha}`, `&&` within classes), and ends a match that takes too
long. That time is the guard against catastrophic backtracking: no look at a pattern can tell all
that will backtrack, and engines that never do lack look-around and back-references, which people
use. Beside it, texts are bounded in length, and patterns in what they come to with their
repetitions written out, for compiling takes as long. A match that is ended is an EvaluationError:
the field is null, and the record goes on.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from agent.dataprep.evaluation import bound, bound_elements
from agent.dataprep.faults import EvaluationError
from agent.dataprep.values import shown

if TYPE_CHECKING:
    from regex import Match, Pattern

SECONDS_MAX = 0.05
PATTERN_MAX = 1000  # characters
REPEATED_MAX = 10_000
SUBJECT_MAX = 100_000  # characters
_MAGIC = frozenset("+?^|.[({)*$\\")
_PART = re.compile(
    r"\\.|\[\^?+\]?+(?:\\.|[^\\\]])*+\]?|\{(?P<least>[0-9]{1,9}),?(?P<most>[0-9]{1,9})?\}|.",
    re.DOTALL,
)
_REFERENCE = re.compile(r"\\(?P<escaped>.)|\$(?P<number>[0-9])", re.DOTALL)
T = TypeVar("T")


def search(pattern: str, subject: str) -> "Match[str] | None":
    """The first place where the pattern matches. Raises EvaluationError, as all here do."""
    return _guarded(lambda: compiled(pattern).search(_bounded(subject), timeout=SECONDS_MAX))


def fullmatch(pattern: str, subject: str) -> "Match[str] | None":
    """The match of the pattern with the whole text, as `String.matches` of Java means it."""
    return _guarded(lambda: compiled(pattern).fullmatch(_bounded(subject), timeout=SECONDS_MAX))


def replaced(pattern: str, subject: str, replacement: str, count: int | None = None) -> str:
    """The text with every match replaced, or the first *count*; `$1` is a group, as in Java."""
    pieces: list[str] = []
    at = length = 0
    for match in _guarded(lambda: _matches(pattern, subject))[:count]:
        new = _REFERENCE.sub(lambda sign, match=match: _group(sign, match), replacement)  # type: ignore[misc]
        pieces += subject[at : match.start()], new
        at = match.end()
        length += len(new)
        bound(length)
    return "".join([*pieces, subject[at:]])


def split(pattern: str, subject: str) -> list[str]:
    """The parts between the matches, empty ones too; plain patterns, as most, need no engine."""
    plain = _plain(pattern)
    if plain is not None:
        bound_elements(subject.count(plain))
        return subject.split(plain)
    parts: list[str] = []
    at = 0
    for match in _guarded(lambda: _matches(pattern, subject)):
        if match.end() and match.start() < len(subject):  # nothing stands before or behind the text
            parts.append(subject[at : match.start()])
            at = match.end()
    return [*parts, subject[at:]]


@lru_cache(maxsize=256)
def compiled(pattern: str) -> "Pattern[str]":
    """The pattern, ready to match."""
    import regex  # 30 ms that only those pay who match

    if len(pattern) > PATTERN_MAX:
        raise EvaluationError(f"a regular expression may have {PATTERN_MAX} characters")
    if _repeated(pattern) > REPEATED_MAX:
        raise EvaluationError(f"the repetitions in {shown(pattern)} come to too much")
    try:
        # V1: classes may be intersected, as in Java. ASCII: \\d and \\w are what they are there.
        return regex.compile(pattern, flags=regex.V1 | regex.ASCII, cache_pattern=False)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise EvaluationError(f"{shown(pattern)} is no regular expression: {error}") from None


def _repeated(pattern: str) -> int:
    """About how many characters the pattern has, with `{n}` written out."""
    sums, last = [0], 1
    for part in _PART.finditer(pattern):
        if part[0] == "(":
            sums.append(0)
        elif part[0] == ")" and len(sums) > 1:
            last = sums.pop() + 1
            sums[-1] += last
        elif part["least"]:
            times = int(part["most"] or part["least"])
            sums[-1] += last * max(times - 1, 0)
            last *= max(times, 1)
        else:
            last = 1
            sums[-1] += 1
    return sum(sums)


def _plain(pattern: str) -> str | None:
    """The text that is all that the pattern matches; None where there is more to it."""
    if pattern and not _MAGIC & set(pattern):
        return pattern
    escaped = len(pattern) == 2 and pattern[0] == "\\" and not pattern[1].isalnum()
    return pattern[1] if escaped else None


def _matches(pattern: str, subject: str) -> "list[Match[str]]":
    return list(compiled(pattern).finditer(_bounded(subject), timeout=SECONDS_MAX))


def _group(sign: "re.Match[str]", match: "Match[str]") -> str:
    if sign["escaped"] is not None:
        return sign["escaped"]
    try:
        return match[int(sign["number"])] or ""
    except IndexError:
        raise EvaluationError(f"the regular expression has no group {sign['number']}") from None


def _guarded(match: Callable[[], T]) -> T:
    try:
        return match()
    except TimeoutError:
        raise EvaluationError("the regular expression takes too long with this text") from None


def _bounded(subject: str) -> str:
    if len(subject) > SUBJECT_MAX:
        raise EvaluationError(f"regular expressions are for texts up to {SUBJECT_MAX} characters")
    return subject
