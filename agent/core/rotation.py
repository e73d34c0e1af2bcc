"""Which names does a file get when it is rotated?

Whoever rotates files adds a number or a date, behind the name or before its ending, and perhaps
the ending of a compressed file: app.log.1, app.log-20260301, app-2026-03-01.json, app.log.2.gz.
"""

import re

_ADDED = re.compile(r"[-._]\d[-\d_T:.]*(?=[-._]|$)|\.(?:gz|bak|old|orig)$")


def family(path: str) -> tuple[str, str]:
    """What all names of a file that is rotated have in common: the directory, and a name."""
    directory, _, name = path.rpartition("/")
    while (shorter := _ADDED.sub("", name)) != name and shorter:
        name = shorter
    return directory, name


def is_rotated_name(path: str, original: str) -> bool:
    """Whether a copy of *original* may be called *path*; it may be put elsewhere, too."""
    name, before = path.rpartition("/")[2], original.rpartition("/")[2]
    is_longer = len(name) > len(before) and name.startswith(before.partition(".")[0])
    return is_longer and family(name) == family(before)
