"""What does a web shop tell of its day? Raw records for the demo, some broken on purpose."""

import random
from collections.abc import Iterator

import orjson

SEED = 20261123
REFUSED_ARTICLE = "recalled"  # the demo's inlet refuses records that name it

_STEPS = ("productViews", "productListAdds", "checkouts", "purchases")
_CHANNELS = ("web", "app", "store")
_CITIES = ("Basel", "Zürich", "München", "Paris", "København", "Kraków", "東京", "São Paulo")
_PRODUCTS = ("Espresso cup", "Fahrradklingel", "Théière", "傘", "Wool socks", "Kaffeemühle")

# what really arrives from servers now and then, and why it is no record
_BROKEN = (
    b'{"number":%d,"what":"purchases","items":',
    b'{"number":%d,"total":NaN}',
    b'{"number":%d,"customer":{"city":"Z\xfcrich"}}',
    b'["%d","not an object"]',
)


def records(count: int) -> Iterator[bytes]:
    """*count* lines: what happened in the shop, the same every time.

    A few are no records; one article is `REFUSED_ARTICLE`; and a few are good JSON, but have a
    channel that the shop's schema does not know, or a time that is none.
    """
    chance = random.Random(SEED)
    broken = {(index + 1) * count // 12: text for index, text in enumerate(_BROKEN * 2)}
    for number in range(count):
        if number in broken:
            yield broken[number] % number
        else:
            yield orjson.dumps(_record(chance, number))


def _record(chance: random.Random, number: int) -> dict[str, object]:
    items = [
        {
            "article": REFUSED_ARTICLE if number % 1777 == 1000 else f"A-{chance.randrange(5000)}",
            "name": chance.choice(_PRODUCTS),
            "count": chance.randint(1, 3),
            "price": f"{chance.uniform(2, 250):.2f}",
        }
        for _ in range(chance.randint(1, 4))
    ]
    time = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    mail = f"customer{chance.randrange(9000)}@example.com"
    return {
        "number": number,
        "at": "just now" if number % 3333 == 2000 else f"23.11.2026 {time}",
        "what": chance.choice(_STEPS),
        "channel": "fax" if number % 1500 == 700 else chance.choice(_CHANNELS),
        "customer": {
            "mail": f" {mail.title()} " if number % 7 == 0 else mail,
            "city": chance.choice(_CITIES),
        },
        "items": items,
    }
