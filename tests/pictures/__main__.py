"""Pictures of the status page, of `top` and of the emulator's page: empty, busy, dark, on a phone.

`make pictures` writes them into `pictures/`, `make pictures P=docs/pictures` the few that documents
show. Chromium and its driver must be installed.
"""

import sys
import tempfile
from pathlib import Path

from pictures import console, shown, status
from support.browser import Browser

SHOWN = Path("docs/pictures")


def main(directory: Path) -> None:
    """Take all of them, or those that documents show."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        if directory == SHOWN:
            shown.take(browser, directory)
        else:
            status.take(browser, directory)
            console.take(browser, directory)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pictures"))
