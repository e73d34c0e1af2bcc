"""The functions with regular expressions."""

from agent.dataprep import patterns
from agent.dataprep.functions.table import Category

REGEXES = Category("Regular expression")


@REGEXES.function(
    'extract_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")',
    ["E259,E259B_009,1_1", "E259", "1_1"],
)
def extract_regex(string: str, regex: str) -> list[str | None] | None:
    """Returns what the regular expression matches first, followed by its groups.

    Where it matches nowhere the result is null (the documents do not say).
    """
    match = patterns.search(regex, string)
    return None if match is None else [match[0], *match.groups()]


@REGEXES.function('matches_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', True)
def matches_regex(string: str, regex: str) -> bool:
    """Whether the whole string matches the regular expression."""
    return patterns.fullmatch(regex, string) is not None
