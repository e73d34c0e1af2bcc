"""The status page in a real browser, before a real agent."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.browser import Browser
from support.busy_agent import BusyAgent
from support.emulator import RunningEmulator

HOSTILE = "<img src=x onerror=window.hacked=1>"
Opened = Callable[..., BusyAgent]


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as emulator:
        yield emulator


@pytest.fixture
def opened(browser: Browser, emulator: RunningEmulator, tmp_path: Path) -> Iterator[Opened]:
    """Starts an agent and opens its page: `opened(sources=[...])`."""
    with ExitStack() as stack:

        def start(place: str = "", **settings: Any) -> BusyAgent:
            agent = stack.enter_context(BusyAgent(tmp_path, emulator, **settings))
            stack.callback(browser.driver.get, "about:blank")  # before the agent ends
            browser.open(f"http://{agent.address}/{place}")
            return agent

        yield start


def text(browser: Browser, title: str) -> str:
    """What the panel under that heading says."""
    heading = browser.find(".panel > header h2", title)
    return str(browser.run("return arguments[0].closest('.panel').innerText", heading))


def says(browser: Browser, title: str, words: str) -> None:
    browser.until(lambda: words in text(browser, title), f"{words!r} under {title!r}")


def test_an_agent_that_has_read_nothing_says_what_it_waits_for(
    browser: Browser, opened: Opened
) -> None:
    opened(sources=[{"type": "tcp", "listen": "127.0.0.1:0", "name": "shippers"}])

    said = browser.find(".notice", "Nothing has been read yet").text
    assert "waits for records from 127.0.0.1:" in said
    says(browser, "Sources", "0 connected")
    for title in ("Last dead letters", "Last receipts"):
        assert "since the start" in text(browser, title)


def test_what_goes_in_and_comes_out_is_counted_and_drawn_from_before_it_was_opened(
    browser: Browser, opened: Opened, emulator: RunningEmulator
) -> None:
    agent = opened()
    browser.driver.get("about:blank")
    for _ in range(3):  # a sample a second
        agent.feed(500, refused=2)
        time.sleep(1)
    browser.open(f"http://{agent.address}/")

    browser.find("dl.tile", "1,506")  # read
    browser.find("dl.tile", "1,500")  # accepted
    browser.find(".well", "Nothing keeps records waiting")
    browser.until(lambda: browser.all("svg.lines path.line.c3"), "line of what was accepted")
    label = str(browser.find("svg.lines").get_attribute("aria-label"))
    assert "at most 0;" not in label.split("accepted")[1].split("dead-lettered")[0]
    says(browser, "What became of every record", "adds up")
    says(browser, "Last dead letters", "invalid_json")
    assert "Zürich" not in browser.find("main").text
    says(browser, "Last receipts", "orders:")
    says(browser, "Inlet", "207")
    agent.feed(700)
    browser.find("dl.tile", "2,200")


def test_why_records_wait_is_told_with_what_to_do(
    browser: Browser, opened: Opened, emulator: RunningEmulator
) -> None:
    emulator.set_faults({"status": 429, "retry_after": 60})
    opened().feed(100)

    said = browser.find(".wait.warn", "asks for fewer requests").text
    assert "delivery.records_per_second" in said
    assert "asked again in" in said
    says(browser, "Spool", "100 records in")
    browser.until(lambda: browser.driver.title.startswith("throttled"), "word of it in the title")


def test_several_flows_are_told_apart_and_each_has_its_page(
    browser: Browser, opened: Opened, emulator: RunningEmulator
) -> None:
    inlet = {"url": emulator.inlet_url, "flow_id": emulator.flow_id}
    with RunningEmulator(faults=[{"status": 503}]) as away:
        other = {"url": away.inlet_url, "flow_id": away.flow_id}
        agent = opened(
            inlet={},
            flows={"well": {"inlet": inlet}, "unwell": {"inlet": other}},
            sources=[
                {"type": "stdin", "name": "orders", "flow": "well"},
                {"type": "tcp", "listen": "127.0.0.1:0", "name": "clicks", "flow": "unwell"},
            ],
        )
        agent.feed(10)
        says(browser, "Flows", "unwell")
        says(browser, "Sources", "clicks")

        browser.find("td a", "well").click()

        browser.find("#version", "well")
        browser.find("dl.tile", "10")
        browser.until(lambda: "clicks" not in text(browser, "Sources"), "sources of one flow")
        browser.until(lambda: browser.all("svg.lines path.line.c3"), "line of this flow")
        browser.run("location.hash = '/gone'")
        says(browser, "Flows", "unwell")


def test_nothing_that_others_wrote_ever_runs(
    browser: Browser, opened: Opened, emulator: RunningEmulator
) -> None:
    emulator.set_faults({"reject": {"status": 400, "message": HOSTILE}})
    agent = opened(sources=[{"type": "stdin", "name": HOSTILE}])
    agent.feed(3)

    says(browser, "Last dead letters", "onerror")
    says(browser, "Sources", "onerror")
    made = "return document.querySelectorAll('main img, main script, main iframe').length"
    assert browser.run(made) == 0
    assert browser.run("return window.hacked") is None


def test_a_token_is_asked_for_once_and_kept_in_the_tab(browser: Browser, opened: Opened) -> None:
    agent = opened(admin={"listen": "127.0.0.1:0", "token": "a-long-enough-token"})
    field = browser.find("input[aria-label=Token]")
    field.send_keys("wrong")
    browser.find("button", "Show the status").click()
    browser.find(".door", "was not right")

    browser.find("input[aria-label=Token]").send_keys("a-long-enough-token")
    browser.find("button", "Show the status").click()

    browser.find(".notice", "Nothing has been read yet")
    browser.open(f"http://{agent.address}/")
    browser.find(".notice", "Nothing has been read yet")
    assert all("401" in complaint for complaint in browser.complaints())
    browser.run("sessionStorage.clear()")


def test_a_phone_shows_all_of_it_without_scrolling_sideways_and_by_night(
    browser: Browser, opened: Opened
) -> None:
    browser.look_like(360, 740, phone=True, dark=True)
    opened(sources=[{"type": "stdin", "name": "x" * 200}]).feed(50, refused=5)
    says(browser, "Last dead letters", "invalid_json")

    widths = "return [document.documentElement.scrollWidth, innerWidth]"
    assert browser.run(widths) == [360, 360]
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(13, 16, 21)"


def test_an_agent_that_went_away_is_told_of_until_it_is_back(
    chromium: Browser, emulator: RunningEmulator, tmp_path: Path
) -> None:
    chromium.look_like(1280, 900)
    with BusyAgent(tmp_path, emulator) as agent:
        address = agent.address
        chromium.open(f"http://{address}/")
        chromium.find(".pulse.good")
        agent.feed(5)
    chromium.find(".notice.bad", "has not answered since")
    with BusyAgent(tmp_path, emulator, admin={"listen": address}) as agent:
        chromium.find(".pulse.good")
        chromium.until(lambda: not chromium.all(".notice.bad"), "end of the notice")
        chromium.driver.get("about:blank")
    chromium.complaints()  # of the requests that nobody answered
