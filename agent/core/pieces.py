"""How are very many short lines cut into pieces that others need not wait long for?"""

from collections.abc import Iterator

LINES_AT_ONCE = 4096  # what a line costs in time and memory does not shrink with its length
_SAMPLES, _SAMPLE_BYTES = 4, 1024  # counting all lines would cost as much as reading them


def may_be_many_lines(data: bytes) -> bool:
    """Whether there seem to be more lines than should be taken at once, going by samples."""
    if len(data) < 2 * LINES_AT_ONCE:
        return False
    step = len(data) // _SAMPLES
    starts = range(0, step * _SAMPLES, step)
    found = sum(data.count(b"\n", start, start + _SAMPLE_BYTES) for start in starts)
    return found * len(data) > LINES_AT_ONCE * _SAMPLES * _SAMPLE_BYTES


def pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines, cut into pieces of not too many."""
    if data.count(b"\n") <= LINES_AT_ONCE:
        yield data
        return
    half = len(data) // 2
    middle = data.rfind(b"\n", 0, half) + 1 or data.find(b"\n", half) + 1
    yield from pieces(data[:middle])
    yield from pieces(data[middle:])
