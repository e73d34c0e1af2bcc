"""Which rows are on a page, and what is in them?"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from struct import unpack_from
from typing import NamedTuple

from agent.store.layout import Shape, shapes
from agent.store.pages import INDEX_INTERIOR, LEAF, Pages, cells_of
from agent.store.schema import PAGE_SIZE

Value = int | str | bytes | None

_CELLS_TRIED = 8  # of a page, until one fits a table
_LONGEST_VARINT = 9
_LEAST_LOCAL = (PAGE_SIZE - 12) * 32 // 255 - 23  # bytes of a long record that stay on the page
_MOST_LOCAL = PAGE_SIZE - 35
_MOST_LOCAL_IN_INDEX = (PAGE_SIZE - 12) * 64 // 255 - 23
_PER_OVERFLOW = PAGE_SIZE - 4
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8, 0, 0, 0)  # by type


class Row(NamedTuple):
    """A row as it was read; a last value of bytes may have lost its end."""

    number: int  # its rowid; 0 in a table that has none
    values: list[Value]
    whole: bool


Types = tuple[int, ...]


class _Cell(NamedTuple):
    number: int
    size: int  # of the whole record
    local: bytes  # the part of it on this page
    overflow: int  # the page where it goes on, or 0


_NOTHING: tuple[_Cell, Types, int] = (_Cell(0, 0, b"", 0), (), 0)  # fits no table


def shape_of(pages: Pages, number: int) -> tuple[Shape, int] | None:
    """The table whose rows a page holds, and the number of the last row on it."""
    page = pages.page(number)
    fitting = [each for each in shapes() if each.in_index == (page[0] != LEAF)]
    cells = [*cells_of(page)]
    for at in cells[:_CELLS_TRIED]:
        cell, types, _ = _opened(page, at) or _NOTHING
        if found := next((each for each in fitting if _fits(each, types)), None):
            lasts = (_opened(page, last) for last in reversed(cells))
            return found, next((last[0].number for last in lasts if last), cell.number)
    return None


def rows_of(pages: Pages, number: int, shape: Shape) -> Iterator[Row | None]:
    """The rows of that table on a page; None for each that cannot be read."""
    page = pages.page(number)
    for at in cells_of(page):
        cell, types, start = _opened(page, at) or _NOTHING
        row = None
        if _fits(shape, types):
            with suppress(ValueError):
                payload = _payload(pages, cell)
                values = _values(payload, types, start, cell.size)
                row = Row(cell.number, values, len(payload) == cell.size)
        yield row


def _opened(page: bytes, at: int) -> tuple[_Cell, Types, int] | None:
    """A cell, the types of its values and where these begin; None where it cannot be read."""
    try:
        cell = _cell(page, at)
        return cell, *_types(cell.local)
    except (ValueError, IndexError):
        return None


@lru_cache(10_000)
def _fits(shape: Shape, types: Types) -> bool:
    return shape.fits(types)


def _cell(page: bytes, at: int) -> _Cell:
    """Raises ValueError or IndexError where there is no cell."""
    if page[0] == INDEX_INTERIOR:
        at += 4  # which page is before it
    size, at = _varint(page, at)
    number, most = 0, _MOST_LOCAL_IN_INDEX
    if page[0] == LEAF:
        number, at = _varint(page, at)
        most = _MOST_LOCAL
    if size <= most:
        local, overflow = size, 0
    else:
        local = _LEAST_LOCAL + (size - _LEAST_LOCAL) % _PER_OVERFLOW
        local = local if local <= most else _LEAST_LOCAL
        if at + local + 4 > PAGE_SIZE:
            raise ValueError
        (overflow,) = unpack_from(">I", page, at + local)
    if at + local > PAGE_SIZE:
        raise ValueError
    return _Cell(number, size, page[at : at + local], overflow)


def _payload(pages: Pages, cell: _Cell) -> bytes:
    """The record, as far as its pages can be followed."""
    parts = [cell.local]
    left, following = cell.size - len(cell.local), cell.overflow
    if left > len(pages.numbers) * PAGE_SIZE:
        raise ValueError
    while left > 0 and 2 < following <= pages.last:
        page = pages.page(following)
        parts.append(page[4 : 4 + left])
        left -= len(parts[-1])
        (following,) = unpack_from(">I", page)
    return b"".join(parts)


def _types(payload: bytes) -> tuple[Types, int]:
    """The types of a record's values, and where the values begin."""
    end, at = _varint(payload, 0)
    if not at <= end <= len(payload):
        raise ValueError
    header = payload[at:end]
    if header.isascii():  # each type in one byte
        return tuple(header), end
    types = []
    while at < end:
        each, at = _varint(payload, at)
        types.append(each)
    return tuple(types), end


def _values(payload: bytes, types: Types, at: int, size: int) -> list[Value]:
    """Raises ValueError where a value other than the last, of bytes, is not whole."""
    values: list[Value] = []
    for each in types:
        length = (each - 12) // 2 if each >= 12 else _INTEGER_BYTES[each]
        content = payload[at : at + length]
        at += length
        if len(content) < length and not (len(values) == len(types) - 1 and each % 2 == 0):
            raise ValueError
        values.append(_value(each, content))
    if at > size:
        raise ValueError
    return values


def _value(type_: int, content: bytes) -> Value:
    if type_ == 0:
        return None
    if type_ in (8, 9):
        return type_ - 8
    if type_ < 12:
        return int.from_bytes(content, "big", signed=True)
    return content.decode() if type_ % 2 else content


def _varint(content: Sequence[int], at: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and where it ends."""
    value = 0
    for index in range(_LONGEST_VARINT):
        byte = content[at + index]
        if index == _LONGEST_VARINT - 1:
            value = value << 8 | byte
            return value - (1 << 64) if value >> 63 else value, at + index + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at + index + 1
