"""What does the process do that reads a configuration for another one? See `apart`.

It ends with the one that it reads for, and is the first to go where memory is short.
"""

import ctypes
import gc
import json
import os
import pickle
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

_PR_SET_PDEATHSIG = 1
_MOST_LIKELY = "1000"  # to be killed where memory is short
_STDOUT = 1


def main(request: str) -> None:
    """Read what the request says, and write what came of it to standard output."""
    asked_by, path, overrides = json.loads(request)
    _serve(asked_by)
    gc.disable()  # imports make no garbage, and this process ends before it is much
    from agent.config.loading import load

    read: Config | ConfigError
    try:
        read = load(path and Path(path), overrides=overrides)
    except ConfigError as error:
        read = error
    with os.fdopen(_STDOUT, "wb", closefd=False) as answer, suppress(BrokenPipeError):
        pickle.dump(read, answer, pickle.HIGHEST_PROTOCOL)


def _serve(asked_by: int) -> None:
    """Live no longer than that process. What it is told by signals is not for this one."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != asked_by:
        sys.exit()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_MOST_LIKELY)
