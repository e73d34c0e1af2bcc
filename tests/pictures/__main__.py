"""Pictures of the emulator's page: empty, busy, each of its places, dark, and on a phone.

`make pictures` writes them into `pictures/`. Chromium and its driver must be installed.
"""

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from support.browser import Browser
from support.emulator import RunningEmulator
from support.visiting import Visit

SECONDS = 12
LOOKS: dict[str, dict[str, Any]] = {
    "": {"width": 1280, "height": 900},
    "-dark": {"width": 1280, "height": 900, "dark": True},
    "-phone": {"width": 390, "height": 844, "phone": True, "scale": 2},
}
PLACES = ("records", "rejected", "faults")


def main(directory: Path) -> None:
    """Take all of them."""
    with (
        tempfile.TemporaryDirectory() as profile,
        Browser(Path(profile)) as browser,
        RunningEmulator() as emulator,
    ):
        visit = Visit(browser, emulator)
        visit.go()
        visit.find("h2", "Nothing has arrived yet")
        time.sleep(1.5)
        visit.picture(directory / "empty.png", whole=True)
        for suffix, look in LOOKS.items():
            browser.look_like(**look)
            visit.go()
            keep_busy(visit)
            visit.picture(directory / f"overview{suffix}.png", whole="phone" not in look)
            places(visit, directory, suffix)


def places(visit: Visit, directory: Path, suffix: str) -> None:
    """Each place beside the overview, with something opened."""
    for place in PLACES:
        visit.browser.look_like(**LOOKS[suffix])
        visit.go(place)
        visit.find("main .panel")
        time.sleep(0.7)
        for summary in visit.browser.all(".list summary")[1:2]:
            summary.click()
        time.sleep(0.3)
        visit.picture(directory / f"{place}{suffix}.png")


def keep_busy(visit: Visit) -> None:
    """Send for a while, some of it refused."""
    chance = random.Random(7)
    visit.emulator.set_faults(
        {
            "name": "one in twenty",
            "when": {"probability": 0.05},
            "reject": {"status": 400, "message": "The field 'productListItems' is no array"},
        }
    )
    for number in range(SECONDS * 10):
        size = int(20 + 30 * chance.random() + number % 40)
        visit.batch([order(chance) for _ in range(size)] + ([7] if number % 9 == 0 else []))
        time.sleep(0.1)


def order(chance: random.Random) -> dict[str, object]:
    """An order, as a shop might tell of it."""
    return {
        "_id": f"{chance.getrandbits(48):012x}",
        "timestamp": f"2026-11-25T{chance.randrange(24):02}:{chance.randrange(60):02}:00Z",
        "eventType": chance.choice(["commerce.purchases", "commerce.productViews"]),
        "person": {"city": chance.choice(["Zürich", "Paris", "Łódź", "東京"])},
        "commerce": {"order": {"priceTotal": round(chance.random() * 300, 2)}},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pictures"))
