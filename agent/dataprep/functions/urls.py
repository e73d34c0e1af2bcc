"""The URL functions: what is no URL gives null."""

import re
from urllib.parse import parse_qsl, quote, unquote

from agent.dataprep.evaluation import bound_elements
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.table import Category

URLS = Category("URL")

# The parts of RFC 3986, in one pass and without backtracking.
_URL = re.compile(
    r"(?P<protocol>[A-Za-z][A-Za-z0-9+.\-]*+):(?://(?:[^/?#@]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]++\]|[^/?#:\[\]\s]*+)(?::(?P<port>[0-9]{0,5}))?(?=[/?#]|\Z))?"
    r"(?P<path>[^?#\s]*+)(?:\?(?P<query>[^#]*+))?(?:\#(?P<anchor>.*))?",
    re.DOTALL,
)
_PORTS = {"http": 80, "https": 443, "ftp": 21, "sftp": 22, "ssh": 22, "ws": 80, "wss": 443}
_UNRESERVED = "-_."  # of all signs; the documents' list encodes every other one, ~ and / too


@URLS.function('get_url_protocol("https://platform.adobe.com/home")', "https")
def get_url_protocol(url: str) -> str | None:
    """Returns the protocol of a URL."""
    match = _URL.fullmatch(url.strip())
    return match and match["protocol"]


@URLS.function('get_url_host("https://platform.adobe.com/home")', "platform.adobe.com")
def get_url_host(url: str) -> str | None:
    """Returns the host of a URL."""
    match = _URL.fullmatch(url.strip())
    return (match and match["host"]) or None


@URLS.function('get_url_port("sftp://example.com//home/joe/employee.csv")', 22)
def get_url_port(url: str) -> int | None:
    """Returns the port of a URL, or the usual one of its protocol."""
    match = _URL.fullmatch(url.strip())
    if match is None:
        return None
    return int(match["port"]) if match["port"] else _PORTS.get(match["protocol"].lower())


@URLS.function(
    'get_url_path("sftp://example.com//home/joe/employee.csv")', "//home/joe/employee.csv"
)
def get_url_path(url: str, full_path: bool = True) -> str | None:
    """Returns the path of a URL, or only the end of it."""
    match = _URL.fullmatch(url.strip())
    if match is None:
        return None
    path: str = match["path"]
    return path if full_path else path.rpartition("/")[2]


@URLS.function(
    'get_url_query_str("foo://example.com:8042/over/there?name=ferret#nose", "retain")',
    {"name": "ferret#nose"},
)
def get_url_query_str(url: str, anchor: str) -> dict[str, str] | None:
    """Returns the query of a URL as a map; its anchor is retained, removed or appended to it."""
    if anchor not in ("retain", "remove", "append"):
        raise EvaluationError("the anchor is to be one of retain, remove and append")
    match = _URL.fullmatch(url.strip())
    if match is None:
        return None
    query, fragment = match["query"] or "", match["anchor"]
    bound_elements(query.count("&"))
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    if fragment is not None and anchor == "append":
        pairs["_anchor_"] = fragment
    elif fragment is not None and anchor == "retain" and pairs:
        last = next(reversed(pairs))
        pairs[last] = f"{pairs[last]}#{fragment}"
    return pairs


@URLS.function('get_url_encoded("a b/c~d")', "a%20b%2Fc%7Ed")
def get_url_encoded(url: str) -> str:
    """Encodes every reserved character of a string."""
    return quote(url, safe=_UNRESERVED, errors="replace").replace("~", "%7E")


@URLS.function('get_url_decoded("a%20b%2Fc%7Ed")', "a b/c~d")
def get_url_decoded(url: str) -> str:
    """Decodes what was encoded in a string."""
    return unquote(url)
