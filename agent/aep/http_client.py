"""How does aiohttp come in without what the agent never uses of it? By this import: 4 MB less.

* At its import it loads the system's authorities into a context for whoever names none. All our
  connections name theirs (`transport.tls`), and if one did not, it would trust nobody.
* Its lists of callbacks are there in C++, too, for which libstdc++ would be loaded.
* Where zstd is installed it would ask for answers in it. What is pushed is decoded by our own hand.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_MEANWHILE = {
    "SSL_CERT_FILE": os.devnull,
    "SSL_CERT_DIR": os.devnull,
    "FROZENLIST_NO_EXTENSIONS": "1",
}
_ZSTD = "backports.zstd"


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without(module: str) -> Iterator[None]:
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # makes importing it fail
    try:
        yield
    finally:
        del sys.modules[module]


with _environment(_MEANWHILE), _without(_ZSTD):
    import aiohttp

__all__ = ["aiohttp"]
