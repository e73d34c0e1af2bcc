"""Where does the store live when nobody says?"""

import os
from collections.abc import Mapping
from pathlib import Path


def default_data_dir(environ: Mapping[str, str] = os.environ, *, root: bool | None = None) -> Path:
    """The directory of the store: systemd's, the system's for root, else the user's own.

    systemd's `StateDirectory=` may name several directories separated by colons; the first is ours.
    `root` says whether the user is root, and is found out by default.
    """
    if state_directory := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(state_directory)
    if os.geteuid() == 0 if root is None else root:
        return Path("/var/lib/aep-agent")
    # The XDG specification says that a relative path here is to be ignored.
    state_home = environ.get("XDG_STATE_HOME", "")
    if state_home.startswith("/"):
        return Path(state_home, "aep-agent")
    home = environ.get("HOME")
    return Path(home or Path.home(), ".local", "state", "aep-agent")
