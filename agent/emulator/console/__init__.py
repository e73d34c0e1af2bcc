"""What does somebody see who opens the emulator in a browser?

One page, made of the files beside this module and those of `agent.look`. It asks the routes below
/_emulator for everything it shows, and nobody else for anything.
"""

from agent.look.serving import Page


def page() -> Page:
    """The page at / and its parts below /_console."""
    return Page(__name__, "/_console")
