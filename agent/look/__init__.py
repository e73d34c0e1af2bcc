"""How do our pages look? Colours, type, figures and charts, for every page that we serve.

A page is plain HTML, CSS and JavaScript modules, served as they are: these files and its own. They
know nothing of what is shown, and ask nobody but whoever served them.
"""

from functools import cache
from importlib import resources

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

# What is shown was written by anybody: nothing in it may ever run, or fetch anything.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",  # which is to ask whether it changed
}


def suffix(name: str) -> str:
    """The end of a file's name that tells its type."""
    return "." + name.rpartition(".")[2]


@cache
def parts(page: str) -> dict[str, bytes]:
    """The files by name, ours and those of a *page*, the package that they are in; read once."""
    files = [*resources.files(__name__).iterdir(), *resources.files(page).iterdir()]
    return {file.name: file.read_bytes() for file in files if suffix(file.name) in TYPES}
