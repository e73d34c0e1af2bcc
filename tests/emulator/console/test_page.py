"""The page in a real browser."""

import json
import subprocess

import pytest
from selenium.webdriver import ActionChains, Keys

from support.browser import Browser
from support.emulator import RunningEmulator
from support.visiting import Visit

PLACES = ("", "records", "rejected", "faults")
HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "</code><script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "\"'><svg onload=window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "\u202etxt.exe \u0000\u001b[31m",
)


def test_an_empty_emulator_says_what_to_do_next(visit: Visit) -> None:
    visit.go()
    visit.find("h2", "Nothing has arrived yet")

    visit.find("button", "Send one record").click()

    visit.find(".answer", "Accepted.")
    visit.says(visit.find("dl.tile", "Accepted records"), "1")
    visit.says(visit.panel("Answers"), "200")
    assert visit.emulator.stats()["records_accepted"] == 1


@pytest.mark.parametrize("place", ["records", "rejected"])
def test_an_empty_place_says_how_it_is_filled(visit: Visit, place: str) -> None:
    visit.go(place)

    assert visit.find(".empty", "yet").text.count(" ") > 15


def test_the_commands_of_an_inlet_work_as_they_are_copied(visit: Visit) -> None:
    visit.go()
    for title, accepted in (("One record", 1), ("A batch", 3)):
        visit.find(".segments button", title).click()
        command = visit.find("pre.command", "curl").text
        sent = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20)

        assert json.loads(sent.stdout)["inletId"] in command, sent
        assert visit.emulator.stats()["records_accepted"] == accepted


def test_what_arrives_is_counted_as_it_comes(visit: Visit) -> None:
    visit.go()
    tile = visit.find("dl.tile", "Accepted records")
    for sent in range(1, 4):
        visit.batch([{"n": sent * 100 + number} for number in range(100)])
        visit.says(tile, f"{sent * 100}")

    chart = visit.find("svg.lines")
    visit.browser.until(lambda: visit.browser.all("svg.lines path.line"), "line in the chart")
    assert "accepted" in str(chart.get_attribute("aria-label"))
    visit.says(visit.panel("Flows"), "300")


def test_accepted_records_are_shown_as_they_came_the_newest_first(visit: Visit) -> None:
    visit.batch([{"n": number} for number in range(60)])
    visit.batch([b'{"big": 12345678901234567890.10, "big": 2, "city": "Z\\u00fcrich"}'])
    visit.go("records")

    newest = visit.find(".list summary", "12345678901234567890.10")
    assert visit.find(".list summary").text == newest.text
    newest.click()
    opened = visit.find(".list .inside", '"big": 12345678901234567890.10,')
    assert opened.text.count('"big"') == 2
    assert visit.emulator.flow_id in opened.text
    visit.find("button[title='Next page']").click()
    visit.find(".list summary", '{"n": 10}')
    assert len(visit.browser.all(".list summary")) == 11


def test_refused_records_are_grouped_by_reason_and_shown_one_by_one(visit: Visit) -> None:
    visit.emulator.set_faults(
        {"name": "odd", "when": {"matching": "odd"}, "reject": {"status": 422, "message": "odd"}}
    )
    visit.batch([{"odd": number} for number in range(55)] + [7, {"even": 1}])
    visit.single(b"\xff no JSON")
    visit.go("rejected")

    reasons = visit.panel("Why records were refused")
    visit.says(reasons, "odd")
    rows = [each.text.split("\n") for each in visit.browser.all(".reason")]
    assert [row[0] + " " + row[-1] for row in rows] == ["422 55", "400 1", "400 1"]
    visit.find(".list summary").click()
    visit.find(".list .inside", "written in base64")
    visit.browser.all(".reason button")[0].click()
    visit.find(".list summary", '{"odd": 54}').click()
    assert "xactionId" not in visit.find(".list details[open] .inside", "Reason").text


@pytest.mark.parametrize("place", PLACES)
def test_nothing_in_a_record_ever_runs(visit: Visit, place: str) -> None:
    rules = [{"name": text, "when": {"probability": 0.5}, "delay": 0} for text in HOSTILE]
    visit.emulator.set_faults(*rules, {"name": "no", "when": {"every": 2}, "reject": HOSTILE[0]})
    for _ in range(2):
        visit.batch([{text: text} for text in HOSTILE])
    visit.single(HOSTILE[1].encode())
    visit.go(place)

    wanted = {"": "Answers", "records": "onerror", "rejected": "onerror", "faults": "The whole"}
    visit.find("main", wanted[place])
    for summary in visit.browser.all(".list summary"):
        summary.click()
    assert visit.browser.run("return window.hacked") is None
    assert (
        visit.browser.run("return document.querySelectorAll('main img, main script').length") == 0
    )


def test_a_fault_is_switched_on_and_off(visit: Visit) -> None:
    visit.go("faults")
    visit.find("input[aria-label='503 with Retry-After']").click()
    visit.find(".fault.on", "503 with Retry-After")
    assert visit.batch([{}]) == 503

    visit.go()
    visit.find("[role=alert], .notice.warn", "A fault is at work: 503")
    visit.find(".notice button", "End all faults").click()
    visit.browser.until(lambda: not visit.browser.all(".notice.warn"), "end of the notice")
    assert visit.batch([{}]) == 207


def test_every_switch_is_a_rule_that_the_emulator_takes(visit: Visit) -> None:
    visit.go("faults")
    visit.find(".fault input[role=switch]")
    switches = visit.browser.all(".fault input[role=switch]")
    for number, switch in enumerate(switches, 1):
        switch.send_keys(Keys.SPACE)
        visit.browser.until(
            lambda wanted=number: len(visit.browser.all(".fault.on")) == wanted,
            f"{number} switches that are on",
        )
    assert len(visit.emulator.stats()["faults"]) == len(switches) >= 15

    switches[0].send_keys(Keys.SPACE)
    visit.browser.until(
        lambda: len(visit.emulator.stats()["faults"]) == len(switches) - 1, "one rule less"
    )


def test_a_script_that_is_wrong_is_told_line_by_line(visit: Visit) -> None:
    visit.emulator.set_faults({"name": "mine", "status": 500})
    visit.go("faults")
    area = visit.find("textarea")
    visit.browser.until(lambda: "mine" in str(area.get_attribute("value")), "the script at work")
    area.clear()
    area.send_keys("[{stats: 503}, {delay: x}]")

    visit.find("button", "Put to work").click()

    told = visit.find(".notice.bad", "did you mean status?").text
    assert "rule 2: delay" in told
    assert visit.emulator.stats()["faults"] == {"mine": 0}
    (complaint,) = visit.browser.complaints()  # Chromium's own, about the answer
    assert "400" in complaint


def test_everything_can_be_done_without_a_mouse(visit: Visit) -> None:
    visit.batch([{"n": 1}])
    visit.go()
    visit.find("dl.tile")
    keys = ActionChains(visit.browser.driver)
    keys.send_keys(Keys.TAB, Keys.ENTER).perform()
    assert visit.browser.run("return document.activeElement.id") == "main"
    visit.find("#places a", "Records").send_keys(Keys.ENTER)
    visit.find(".list summary").send_keys(Keys.ENTER)
    visit.find(".list .inside", "xactionId")
    visit.find("#places a", "Faults").send_keys(Keys.ENTER)
    visit.find("input[aria-label='500']").send_keys(Keys.SPACE)
    visit.find(".fault.on", "500")
    nameless = "return [...document.querySelectorAll('button,input,select,textarea,a')]" + (
        ".filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"
    )
    assert visit.browser.run(nameless) == 0


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_every_place_without_scrolling_sideways(visit: Visit, dark: bool) -> None:
    visit.batch([{"text": "x" * 300, "n": number} for number in range(60)] + ["y" * 300])
    visit.browser.look_like(360, 740, phone=True, dark=dark)
    for place in PLACES:
        visit.go(place)
        visit.find("main section.panel, main .tile")
        widths = "return [document.documentElement.scrollWidth, innerWidth]"
        assert visit.browser.run(widths) == [360, 360], place
    ground = visit.browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(13, 16, 21)") is dark


def test_the_colours_can_be_chosen_and_stay(visit: Visit) -> None:
    visit.go()
    for _ in range(2):
        visit.find("#theme").click()
    visit.go("faults")
    visit.find("#theme", "Dark")
    ground = visit.browser.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(13, 16, 21)"


def test_an_emulator_that_went_away_is_told_of_until_it_is_back(chromium: Browser) -> None:
    chromium.look_like(1280, 900)
    with RunningEmulator() as emulator:
        port = emulator.port
        Visit(chromium, emulator).go()
        chromium.find(".pulse.good")
    chromium.find(".notice.bad", "has not answered since")
    with RunningEmulator(listen=f"127.0.0.1:{port}") as emulator:
        chromium.find(".pulse.good")
        chromium.until(lambda: not chromium.all(".notice.bad"), "end of the notice")
        chromium.driver.get("about:blank")
    chromium.complaints()  # of the requests that nobody answered
