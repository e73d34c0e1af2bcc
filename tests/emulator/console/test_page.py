"""The page in a real browser."""

import json
import subprocess

from selenium.webdriver import ActionChains, Keys

from support.browser import Browser
from support.emulator import RunningEmulator
from support.visiting import Visit

PLACES = ("", "records", "rejected", "datasets", "failed", "profiles", "faults", "traps")
ADDRESS = "/personalEmail/address"
FOR_PROFILE = {"unifiedProfile": ["enabled:true"]}
HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "</code><script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "\"'><svg onload=window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "\u202etxt.exe \u0000\u001b[31m",
)


def person(name: object, address: str) -> dict[str, object]:
    """A record of the flows that are provisioned here."""
    return {"person": {"name": {"firstName": name}}, "personalEmail": {"address": address}}


def ask(visit: Visit, sql: str) -> None:
    """Ask a dataset's page in SQL."""
    area = visit.find("textarea[aria-label=SQL]")
    area.clear()
    area.send_keys(sql, Keys.CONTROL, Keys.ENTER)


def test_an_empty_emulator_says_what_to_do_next(visit: Visit) -> None:
    visit.go()
    visit.find("h2", "Nothing has arrived yet")

    visit.find("button", "Send one record").click()

    visit.find(".answer", "Accepted.")
    visit.says(visit.find("dl.tile", "Accepted records"), "1")
    visit.says(visit.panel("Answers"), "200")
    assert visit.emulator.stats()["records_accepted"] == 1


def test_every_empty_place_says_how_it_is_filled(visit: Visit) -> None:
    visit.go()
    for place in ("records", "rejected", "datasets", "failed", "profiles"):
        visit.turn(place)
        assert visit.find(".empty", "yet").text.count(" ") > 15, place


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
    for sent in (1, 2):
        visit.batch([{"n": sent * 100 + number} for number in range(100)])
        visit.says(tile, f"{sent * 100}")

    chart = visit.find("svg.lines")
    visit.browser.until(lambda: visit.browser.all("svg.lines path.line"), "line in the chart")
    assert "accepted" in str(chart.get_attribute("aria-label"))
    visit.says(visit.panel("Flows"), "200")
    answers = visit.panel("Answers")
    for sent in (1, 2):
        visit.single(b"{}")
        visit.says(answers, f"200\n{sent}")


def test_the_chart_knows_what_came_before_the_page_was_opened(visit: Visit) -> None:
    visit.batch([{"n": number} for number in range(100)])
    visit.browser.until(
        lambda: any(visit.emulator.throughput()["accepted"]), "a second with records that is over"
    )
    visit.go()

    visit.browser.until(lambda: visit.browser.all("svg.lines path.line.c1"), "line in the chart")
    assert "at most 100; refused 0" in str(visit.find("svg.lines").get_attribute("aria-label"))


def test_an_inlet_that_is_provisioned_is_the_one_to_send_to(visit: Visit) -> None:
    visit.go()
    visit.find("pre.command", visit.emulator.inlet_url)

    flow = visit.emulator.provision(name="people")

    visit.find("pre.command", f"/collection/{flow.inlet_id}")
    visit.says(visit.panel("Flows"), flow.dataset)


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


def test_nothing_in_a_record_ever_runs(visit: Visit) -> None:
    flow = visit.emulator.provision(identity=ADDRESS, tags=FOR_PROFILE, name=HOSTILE[0])
    rules = [{"name": text, "when": {"probability": 0.5}, "delay": 0} for text in HOSTILE]
    visit.emulator.set_faults(*rules, {"name": "no", "when": {"every": 2}, "reject": HOSTILE[0]})
    for _ in range(2):
        visit.batch([{text: text} for text in HOSTILE])
    visit.single(HOSTILE[1].encode())
    visit.emulator.set_faults(*rules)
    people = [person(text, f"{number}@b.org") for number, text in enumerate(HOSTILE)]
    visit.batch([*people, *({text: text} for text in HOSTILE)], flow)

    visit.go()
    for place, shown in (
        ("", "onerror"),
        ("records", "onerror"),
        ("rejected", "onerror"),
        ("datasets", "onerror"),
        (f"datasets/{flow.dataset_id}", "onerror"),
        ("failed", "onerror"),
        ("profiles", "onerror"),
        ("faults", "The whole script"),
    ):
        visit.turn(place)
        visit.find("main", shown)
        for opens in visit.browser.all("main summary, td button.link"):
            visit.browser.run("arguments[0].click()", opens)
        assert visit.browser.run("return window.hacked") is None, place
        made = "return document.querySelectorAll('main img, main script, main iframe').length"
        assert visit.browser.run(made) == 0, place


def test_records_of_any_depth_and_length_are_shown(visit: Visit) -> None:
    flow = visit.emulator.provision(identity=ADDRESS)
    deep = b'{"a":' * 20_000 + b"1" + b"}" * 20_000
    long = b'{"personalEmail":{"address":"%b"}}' % (b"x" * 500_000)
    visit.batch([deep, b"[" * 20_000 + b"]" * 20_000, long])
    visit.batch([deep, long], flow)
    visit.go()
    for place, records in (("records", 4), ("rejected", 1), ("failed", 2)):
        visit.turn(place)
        visit.find(".list summary")
        for summary in visit.browser.all(".list > details > summary"):
            visit.browser.run("arguments[0].click()", summary)
        visit.browser.until(
            lambda wanted=records: (
                len(visit.browser.all(".list .inside > .copyable pre")) == wanted
            ),
            f"{records} records under {place}",
        )


def test_what_landed_is_shown_as_a_table_and_asked_in_sql(visit: Visit) -> None:
    flow = visit.emulator.provision(identity=ADDRESS)
    visit.batch([person(f"Jane {number}", f"{number}@b.org") for number in range(60)], flow)
    visit.go("datasets")

    visit.find("td a", flow.dataset).click()

    rows = visit.panel("Rows")
    visit.says(rows, "person.name.\nfirstName")
    assert "Jane 59" in rows.text.split("Jane 58")[0]
    visit.browser.click(visit.find("td button.link"))
    visit.find(".detail .facts", flow.flow_id)
    visit.browser.click(visit.find("button[title='Next page']"))
    visit.says(rows, "Jane 9")
    assert "Jane 10" not in rows.text
    ask(visit, "select count(*) as people, 12345678901234567890 as big from dataset")
    visit.says(visit.panel("SQL"), "60")
    assert "12345678901234567890" in visit.panel("SQL").text
    ask(visit, "drop table dataset")
    visit.says(visit.panel("SQL"), "write one SELECT")
    assert len(visit.browser.complaints()) == 1  # Chromium's own, about that answer


def test_what_did_not_land_is_grouped_by_reason_and_shown_by_record_and_batch(
    visit: Visit,
) -> None:
    flow = visit.emulator.provision(identity=ADDRESS)
    visit.batch([person(7, "a@b.org"), {"n": 12345678901234567890}, person(8, "c@d.org")], flow)
    visit.go()
    visit.says(visit.panel("Flows"), flow.dataset)
    visit.find("#places a", "Failed").click()

    reasons = visit.panel("Why accepted records did not land")
    visit.says(reasons, "expected type: String, found: Long")
    assert [each.text.split("\n")[-1] for each in visit.browser.all(".reason")] == ["2", "1"]
    visit.find(".list summary", "12345678901234567890").click()
    visit.find(".list .inside .facts", "required key [personalEmail] not found")
    visit.find(".more summary").click()
    visit.find(".more", "_validationErrors")
    visit.says(visit.panel("Failed batches"), "expected type: String, found: Long")


def test_profiles_are_found_by_identity(visit: Visit) -> None:
    flow = visit.emulator.provision(identity=ADDRESS, tags=FOR_PROFILE)
    visit.batch([person(f"Jane {number}", f"{number % 3}@b.org") for number in range(6)], flow)
    visit.go("profiles")
    visit.find(".list summary", "0@b.org")
    assert len(visit.browser.all(".list summary")) == 3

    visit.find("input[type=search]").send_keys("Email:2@b.org")

    visit.browser.until(lambda: len(visit.browser.all(".list summary")) == 1, "one profile")
    visit.find(".list summary", "2 records").click()
    visit.find(".list .inside", "Jane 5")


def test_traps_are_set_and_what_is_wrong_is_told(visit: Visit) -> None:
    visit.go("traps")
    field = visit.find("input[aria-label='Warm-up of new flows']")
    field.clear()
    field.send_keys("300", Keys.ENTER)
    visit.browser.until(lambda: visit.emulator.traps()["warm_up"] == 300, "a trap that is set")

    networks = visit.find("input[aria-label='Allowed networks']")
    networks.send_keys("nowhere", Keys.ENTER)
    visit.find(".notice.bad", "nowhere")
    assert visit.emulator.traps()["allow"] is None
    assert len(visit.browser.complaints()) == 1  # Chromium's own, about that answer

    visit.find("button", "As Adobe has them").click()
    visit.browser.until(lambda: visit.emulator.traps()["capacity"] == 1500, "Adobe's traps")


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


def test_a_phone_shows_every_place_without_scrolling_sideways(visit: Visit) -> None:
    flow = visit.emulator.provision(identity=ADDRESS, tags=FOR_PROFILE)
    visit.batch([person("x" * 300, f"{number}@b.org") for number in range(60)] + [{}], flow)
    visit.batch([{"text": "x" * 300}, "y" * 300])
    visit.browser.look_like(360, 740, phone=True)
    visit.go()
    for place in (*PLACES, f"datasets/{flow.dataset_id}"):
        visit.turn(place)
        visit.find("main section.panel, main .tile")
        widths = "return [document.documentElement.scrollWidth, innerWidth]"
        assert visit.browser.run(widths) == [360, 360], place


def test_the_page_is_dark_where_everything_is(visit: Visit) -> None:
    visit.browser.look_like(1280, 900, dark=True)
    visit.go()
    ground = visit.browser.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(13, 16, 21)"


def test_the_colours_can_be_chosen_and_stay(visit: Visit) -> None:
    visit.go()
    for _ in range(2):
        visit.find("#theme").click()
    visit.go("faults")
    assert visit.find("#theme").text == "Dark"
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
