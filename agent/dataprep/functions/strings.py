"""The string functions."""

from agent.dataprep import patterns
from agent.dataprep.evaluation import bound, bound_elements, joined
from agent.dataprep.functions.table import Category
from agent.dataprep.values import text_of

STRINGS = Category("String")
_BLANK = " \t\r\n\f\v"


@STRINGS.function('concat("Hi, ", "there", "!")', "Hi, there!")
def concat(*strings: str | None) -> str:
    """Concatenates the given strings; null adds nothing."""
    return joined("", [each for each in strings if each is not None])


@STRINGS.function('explode("Hi, there!", " ")', ["Hi,", "there!"])
def explode(string: str, regex: str | None = ",") -> list[str]:
    """Splits the string at a regular expression and returns the parts, empty ones too.

    The documented sample forgets the exclamation mark of its own input.
    """
    return patterns.split("," if regex is None else regex, string)


@STRINGS.function('split("Hello world", " ")', ["Hello", "world"])
def split(string: str, separator: str) -> list[str]:
    """Splits the string at any character of the separator and leaves out empty parts."""
    if not separator:
        return [string] if string else []
    first = separator[0]
    string = string.translate({ord(each): first for each in separator})
    bound_elements(string.count(first))
    return [part for part in string.split(first) if part]


@STRINGS.function('instr("adobe.com", "com")', 6)
def instr(string: str, substring: str, start_position: int = 0, occurrence: int = 1) -> int:
    """Returns the place of a substring, counted from 0; -1 where it is not."""
    at = start_position - 1
    for _ in range(min(max(occurrence, 1), len(string) + 1)):
        at = string.find(substring, max(at + 1, 0))
        if at < 0:
            break
    return at


@STRINGS.function(
    'replacestr("This is a string re test", "re", "replace")', "This is a string replace test"
)
def replacestr(string: str, to_find: str, to_replace: str) -> str:
    """Replaces every occurrence of a string in another."""
    if not to_find:
        return string
    found = string.count(to_find)
    bound(len(string) + found * (len(to_replace) - len(to_find)))
    return string.replace(to_find, to_replace)


@STRINGS.function('substr("This is a substring test", 7, 8)', " a subst")
def substr(string: str, start_index: int, length: int) -> str:
    """Returns the substring of a given length from a place on, counted from 0."""
    start = max(start_index, 0)
    return string[start : start + max(length, 0)]


@STRINGS.function('lcase("HeLLo")', "hello", name="lcase")
@STRINGS.function('lower("HeLLo")', "hello")
def lower(string: str) -> str:
    """Converts a string to lower case."""
    return string.lower()


@STRINGS.function('ucase("HeLLo")', "HELLO", name="ucase")
@STRINGS.function('upper("HeLLo")', "HELLO")
def upper(string: str) -> str:
    """Converts a string to upper case."""
    return string.upper()


@STRINGS.function('join(" ", to_array(true, "Hello", "world"))', "Hello world")
def join(separator: str, *objects: object) -> str:
    """Joins the elements of a list, or all further values, with the separator between them."""
    values = objects[0] if len(objects) == 1 and isinstance(objects[0], list) else objects
    return joined(separator, [text_of(each) for each in values if each is not None])


@STRINGS.function('lpad("bat", 8, "yz")', "yzyzybat")
def lpad(string: str | None, count: int, padding: str | None = None) -> str:
    """Pads the left side of a string with another; null or empty padding means spaces."""
    string = string or ""
    return _padding(count - len(string), padding) + string


@STRINGS.function('rpad("bat", 8, "yz")', "batyzyzy")
def rpad(string: str | None, count: int, padding: str | None = None) -> str:
    """Pads the right side of a string with another; null or empty padding means spaces."""
    string = string or ""
    return string + _padding(count - len(string), padding)


@STRINGS.function('left("abcde", 2)', "ab")
def left(string: str, count: int) -> str:
    """Returns the first characters of a string."""
    return string[: max(count, 0)]


@STRINGS.function('right("abcde", 2)', "de")
def right(string: str, count: int) -> str:
    """Returns the last characters of a string."""
    return string[max(len(string) - max(count, 0), 0) :]


@STRINGS.function('ltrim(" hello")', "hello")
def ltrim(string: str) -> str:
    """Removes white space from the beginning of a string."""
    return string.lstrip(_BLANK)


@STRINGS.function('rtrim("hello ")', "hello")
def rtrim(string: str) -> str:
    """Removes white space from the end of a string."""
    return string.rstrip(_BLANK)


@STRINGS.function('trim(" hello ")', "hello")
def trim(string: str) -> str:
    """Removes white space from both ends of a string."""
    return string.strip(_BLANK)


def _padding(missing: int, padding: str | None) -> str:
    if missing <= 0:
        return ""
    bound(missing)
    padding = padding or " "
    return (padding * (missing // len(padding) + 1))[:missing]
