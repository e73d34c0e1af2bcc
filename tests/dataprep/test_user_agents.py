"""What the user agent functions say of the clients that make up most traffic."""

import pytest

from agent.dataprep.functions.user_agents import client

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.110"


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36",
            ("Windows NT", "10.0", "Chrome", "120.0.6099.110", "Desktop"),
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/119.0.1",
            ("Windows NT", "10.0", "Edge", "119.0.1", "Desktop"),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {CHROME} Mobile Safari/537.36",
            ("Android", "13", "Chrome", "120.0.6099.110", "Phone"),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 12; SM-X906C) {CHROME} Safari/537.36",
            ("Android", "12", "Chrome", "120.0.6099.110", "Tablet"),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
            ("iOS", "16.6", "Safari", "16.6", "Tablet"),
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:121.0) Gecko/20100101 Firefox/121.0",
            ("Mac OS", "10.15", "Firefox", "121.0", "Desktop"),
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ("Unknown", "??", "Googlebot", "2.1", "Robot"),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {CHROME} Mobile Safari/537.36 "
            "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ("Android", "6.0.1", "Googlebot", "2.1", "Robot Mobile"),
        ),
        ("curl/8.4.0", ("Unknown", "??", "curl", "8.4.0", "Robot")),
        (
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
            ("Windows NT", "6.1", "Internet Explorer", "11.0", "Desktop"),
        ),
        ("${jndi:ldap://x}", ("Unknown", "??", "Unknown", "??", "Hacker")),
        ("", ("Unknown", "??", "Unknown", "??", "Unknown")),
    ],
)
def test_a_client_is_known_by_what_it_says(user_agent: str, told: tuple[str, ...]) -> None:
    found = client(user_agent)

    assert told == (
        *(found.system, found.system_version, found.agent, found.agent_version, found.device),
    )
