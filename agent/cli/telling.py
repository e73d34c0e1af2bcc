"""How does a command say what came of it, though nobody may be reading any more?"""

import errno
import os
import sys
from contextlib import suppress

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def tell(words: str) -> None:
    """Print what came of it; that its reader has gone changes neither that nor how it ends.

    For commands that do something, or whose exit status says something: `… | head` must neither
    cut them off nor have them end with another status.
    """
    try:
        print(words, flush=True)
    except BrokenPipeError:
        fall_silent()


def fall_silent() -> None:
    """Let further words to standard output go nowhere: the interpreter's own at its exit, too."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush_if_read() -> None:
    """Have standard output written, unless its reader has gone. Raises OSError where it is full."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        fall_silent()
