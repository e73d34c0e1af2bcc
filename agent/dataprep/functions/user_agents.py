"""The user agent functions: which browser, system and device does a `User-Agent` header tell of?

The platform answers in the words of Yauaa, a Java library with thousands of rules; no small
library for Python speaks them. This is a table of our own for the browsers, systems and devices
that make up nearly all traffic. Not covered: cars, watches, voice and home devices, browsers within
apps (they are named after their engine), what "Windows NT 10.0" hides (10 and 11 look the same),
and whoever lies well: robots are known by what they say of themselves, never as imitators. What is
not known is `Unknown`, and a version `??`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.dataprep.functions.table import Category

USER_AGENTS = Category("User Agent")
_UNKNOWN = "Unknown"
_LENGTH_MAX = 1000  # no header is longer; the rest would tell nothing
_IPHONE = (
    '"Mozilla/5.0 (iPhone; CPU iPhone OS 5_1_1 like Mac OS X) AppleWebKit/534.46 '
    '(KHTML, like Gecko) Version/5.1 Mobile/9B206 Safari/7534.48.3"'
)

# The first that is found counts: most call themselves by the names of others, too.
_AGENTS = [
    (name, re.compile(pattern + r"[/ ]?(?P<version>[0-9]+(?:\.[0-9]+)*)?"))
    for name, pattern in (
        ("Googlebot", r"Googlebot(?:-Image|-Video|-News)?"),
        ("Bingbot", r"bingbot"),
        ("Edge", r"(?:Edge|EdgA|EdgiOS|Edg)"),
        ("Opera", r"(?:OPR|OPiOS|Opera Mini|Opera)"),
        ("Samsungbrowser", r"SamsungBrowser"),
        ("UCBrowser", r"UCBrowser"),
        ("Yandex Browser", r"YaBrowser"),
        ("Vivaldi", r"Vivaldi"),
        ("Silk", r"Silk"),
        ("Firefox", r"(?:FxiOS|Firefox)"),
        ("Chrome", r"(?:CriOS|HeadlessChrome|Chrome)"),
        ("Internet Explorer", r"(?:MSIE |Trident/.*rv:)"),
        ("Stock Android Browser", r"Android.*Version"),
        ("Safari", r"Version(?=[^()]*Safari)"),
        ("Safari", r"(?:iPhone|iPad|iPod)(?=.*AppleWebKit)(?!.*/[0-9])"),
        ("curl", r"curl"),
    )
]
_SYSTEMS = [
    (name, re.compile(pattern))
    for name, pattern in (
        ("iOS", r"(?:iPhone|iPad|iPod).*?OS (?P<version>[0-9]+(?:[_.][0-9]+)*)"),
        ("iOS", r"(?:iPhone|iPad|iPod)"),
        ("Android", r"Android(?: (?P<version>[0-9]+(?:\.[0-9]+)*))?"),
        ("Chrome OS", r"CrOS [^ )]+ (?P<version>[0-9]+(?:\.[0-9]+)*)"),
        ("Windows Phone", r"Windows Phone(?: OS)? (?P<version>[0-9]+(?:\.[0-9]+)*)"),
        ("Windows NT", r"Windows NT (?P<version>[0-9]+(?:\.[0-9]+)*)"),
        ("Mac OS", r"Mac OS X(?: (?P<version>[0-9]+(?:[_.][0-9]+)*))?"),
        ("Tizen", r"Tizen(?:[/ ](?P<version>[0-9]+(?:\.[0-9]+)*))?"),
        ("Linux", r"Linux|X11"),
    )
]
_DEVICES = [
    (name, re.compile(pattern))
    for name, pattern in (
        ("Hacker", r"<script|\$\{jndi:|\bUNION SELECT\b"),
        ("Robot Mobile", r"^(?=.*(?:[Bb]ot\b|[Cc]rawler|[Ss]pider)).*Mobile"),
        ("Robot", r"[Bb]ot\b|[Cc]rawler|[Ss]pider|^(?:curl|[Ww]get|python-|Go-http|Java|okhttp)"),
        ("Handheld Game Console", r"Nintendo (?:Switch|3DS)|PlayStation Vita|Steam Deck"),
        ("Game Console", r"PlayStation|Xbox|Nintendo"),
        ("eReader", r"Kindle/|Kobo"),
        ("Virtual Reality", r"OculusBrowser"),
        ("Set-top box", r"AppleTV|Apple TV|Roku|CrKey|\bAFT[A-Z]"),
        ("TV", r"SMART-TV|SmartTV|Web0S|HbbTV|BRAVIA|GoogleTV|Tizen.*\bTV\b"),
        ("Tablet", r"iPad|Kindle|Silk(?!.*Mobile)|Android(?!.*Mobile)|Tablet"),
        ("Phone", r"iPhone|iPod|Android.*Mobile|Windows Phone"),
        ("Mobile", r"Mobile|Opera Mini"),
        ("Desktop", r"Windows NT|Macintosh|X11|CrOS|Linux"),
    )
]


@dataclass(frozen=True, slots=True)
class Client:
    """What a user agent string tells."""

    system: str
    system_version: str
    agent: str
    agent_version: str
    device: str


@lru_cache(maxsize=4096)
def client(user_agent: str) -> Client:
    """Reads a user agent string; records come with the same few again and again."""
    system, system_version = _named(_SYSTEMS, user_agent)
    agent, agent_version = _named(_AGENTS, user_agent)
    device = next((name for name, pattern in _DEVICES if pattern.search(user_agent)), _UNKNOWN)
    return Client(system, system_version.replace("_", "."), agent, agent_version, device)


@USER_AGENTS.function(f"ua_os_name({_IPHONE})", "iOS")
def ua_os_name(user_agent: str) -> str:
    """Returns the name of the operating system in a user agent string."""
    return _read(user_agent).system


@USER_AGENTS.function(f"ua_os_version_major({_IPHONE})", "iOS 5")
def ua_os_version_major(user_agent: str) -> str:
    """Returns the name and major version of the operating system in a user agent string."""
    told = _read(user_agent)
    return f"{told.system} {_major(told.system_version)}"


@USER_AGENTS.function(f"ua_os_version({_IPHONE})", "5.1.1")
def ua_os_version(user_agent: str) -> str:
    """Returns the version of the operating system in a user agent string."""
    return _read(user_agent).system_version


@USER_AGENTS.function(f"ua_os_name_version({_IPHONE})", "iOS 5.1.1")
def ua_os_name_version(user_agent: str) -> str:
    """Returns the name and version of the operating system in a user agent string."""
    told = _read(user_agent)
    return f"{told.system} {told.system_version}"


@USER_AGENTS.function(f"ua_agent_version({_IPHONE})", "5.1")
def ua_agent_version(user_agent: str) -> str:
    """Returns the version of the agent in a user agent string."""
    return _read(user_agent).agent_version


@USER_AGENTS.function(f"ua_agent_version_major({_IPHONE})", "Safari 5")
def ua_agent_version_major(user_agent: str) -> str:
    """Returns the name and major version of the agent in a user agent string."""
    told = _read(user_agent)
    return f"{told.agent} {_major(told.agent_version)}"


@USER_AGENTS.function(f"ua_agent_name({_IPHONE})", "Safari")
def ua_agent_name(user_agent: str) -> str:
    """Returns the name of the agent in a user agent string."""
    return _read(user_agent).agent


@USER_AGENTS.function(f"ua_device_class({_IPHONE})", "Phone")
def ua_device_class(user_agent: str) -> str:
    """Returns the class of the device in a user agent string."""
    return _read(user_agent).device


def _read(user_agent: str) -> Client:
    return client(user_agent[:_LENGTH_MAX])


def _named(table: list[tuple[str, re.Pattern[str]]], user_agent: str) -> tuple[str, str]:
    for name, pattern in table:
        if match := pattern.search(user_agent):
            return name, match.groupdict().get("version") or "??"
    return _UNKNOWN, "??"


def _major(version: str) -> str:
    return version.partition(".")[0]
