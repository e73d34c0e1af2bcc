"""Pictures of the emulator's page: empty, busy, dark, and on a phone."""

import random
import time
from pathlib import Path
from typing import Any

from support.browser import Browser
from support.emulator import RunningEmulator
from support.provisioned import Provisioned
from support.visiting import Visit

SECONDS = 12
LOOKS: dict[str, dict[str, Any]] = {
    "": {"width": 1280, "height": 900},
    "-dark": {"width": 1280, "height": 900, "dark": True},
    "-phone": {"width": 390, "height": 844, "phone": True, "scale": 2},
}
PLACES = ("records", "rejected", "datasets", "failed", "profiles", "faults", "traps")


def take(browser: Browser, directory: Path) -> None:
    """The page, and each of its places."""
    with RunningEmulator() as emulator:
        visit = Visit(browser, emulator)
        visit.go()
        visit.find("h2", "Nothing has arrived yet")
        time.sleep(1.5)
        visit.picture(directory / "empty.png", whole=True)
        people = people_of(emulator)
        for suffix, look in LOOKS.items():
            browser.look_like(**look)
            visit.go()
            keep_busy(visit, people, SECONDS)
            visit.picture(directory / f"overview{suffix}.png", whole="phone" not in look)
            places(visit, directory, suffix, people)


def places(visit: Visit, directory: Path, suffix: str, people: Provisioned) -> None:
    """Each place beside the overview, with something opened."""
    for place in (*PLACES, f"datasets/{people.dataset_id}"):
        visit.browser.look_like(**LOOKS[suffix])
        visit.go(place)
        visit.find("main .panel")
        if "/" in place:
            visit.find("button", "Run").click()
            visit.find("td .link")
        time.sleep(1)
        for opens in visit.browser.all(".list > details > summary, td .link")[1:2]:
            visit.browser.click(opens)
            visit.browser.run("scrollTo(0, 0)")
        time.sleep(0.3)
        name = "dataset" if "/" in place else place
        visit.picture(directory / f"{name}{suffix}.png")


def people_of(emulator: RunningEmulator) -> Provisioned:
    """A flow beside the ready-made one, to a dataset of customers with a profile each."""
    return emulator.provision(
        name="web shop customers",
        identity="/personalEmail/address",
        tags={"unifiedProfile": ["enabled:true"]},
    )


def keep_busy(visit: Visit, people: Provisioned, seconds: float) -> None:
    """Send for a while, some of it refused, some of it accepted in vain."""
    chance = random.Random(7)
    visit.emulator.set_faults(
        {
            "name": "one in twenty",
            "when": {"probability": 0.05},
            "reject": {"status": 400, "message": "The field 'productListItems' is no array"},
        }
    )
    for number in range(int(seconds * 8)):
        size = int(20 + 30 * chance.random() + number % 40)
        visit.batch([order(chance) for _ in range(size)] + ([7] if number % 9 == 0 else []))
        if number % 3 == 0:
            visit.batch([customer(chance) for _ in range(size // 2)], people)
        time.sleep(0.1)


def order(chance: random.Random) -> dict[str, Any]:
    """An order, as a shop might tell of it."""
    return {
        "_id": f"{chance.getrandbits(48):012x}",
        "timestamp": f"2026-11-25T{chance.randrange(24):02}:{chance.randrange(60):02}:00Z",
        "eventType": chance.choice(["commerce.purchases", "commerce.productViews"]),
        "person": {"city": chance.choice(["Zürich", "Paris", "Łódź", "東京"])},
        "commerce": {"order": {"priceTotal": round(chance.random() * 300, 2)}},
    }


def customer(chance: random.Random) -> dict[str, Any]:
    """A customer; one in twenty is told of in a way that no schema allows."""
    first = chance.choice(["Anna", "Björn", "Chloé", "Dmitri", "Eda", "Fatima"])
    last = chance.choice(["Müller", "Rossi", "Şahin", "Nowak", "García"])
    name: dict[str, Any] = {"firstName": first, "lastName": last}
    known: dict[str, Any] = {"address": f"{first}.{last}@example.org".lower()}
    if chance.random() < 0.03:
        name["lastName"] = 7
    if chance.random() < 0.02:
        known = {}
    return {"person": {"name": name}, "personalEmail": known, "faxPhone": {"number": "044 123"}}
