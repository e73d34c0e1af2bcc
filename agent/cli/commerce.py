"""What do records of a web shop look like? Commerce events for the demo, a few of them broken."""

import random
from collections.abc import Iterator

import orjson

SEED = 20261123
REFUSED_SKU = "discontinued"  # the demo's platform refuses records that name it

_STEPS = ("productViews", "productListAdds", "checkouts", "purchases")
_CITIES = ("Basel", "Zürich", "München", "Paris", "København", "Kraków", "東京", "São Paulo")
_PRODUCTS = ("Espresso cup", "Fahrradklingel", "Théière", "傘", "Wool socks", "Kaffeemühle")

# what really arrives from servers now and then, and why it is no record
_BROKEN = (
    b'{"_id":"order-%d","eventType":"commerce.purchases","priceTotal":',
    b'{"_id":"order-%d","priceTotal":NaN}',
    b'{"_id":"order-%d","city":"Z\xfcrich"}',
    b'["order-%d","not an object"]',
)


def events(count: int) -> Iterator[bytes]:
    """*count* lines: commerce events, the same ones every time, some broken on purpose."""
    chance = random.Random(SEED)
    broken = {(index + 1) * count // 12: text for index, text in enumerate(_BROKEN * 2)}
    for number in range(count):
        if number in broken:
            yield broken[number] % number
        else:
            yield orjson.dumps(_event(chance, number))


def _event(chance: random.Random, number: int) -> dict[str, object]:
    items = [
        {
            "SKU": REFUSED_SKU if number % 1777 == 1000 else f"sku-{chance.randrange(5000)}",
            "name": chance.choice(_PRODUCTS),
            "quantity": chance.randint(1, 3),
            "priceTotal": round(chance.uniform(2, 250), 2),
        }
        for _ in range(chance.randint(1, 4))
    ]
    time = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    return {
        "_id": f"order-{number}",
        "timestamp": f"2026-11-23T{time}Z",
        "eventType": f"commerce.{chance.choice(_STEPS)}",
        "identityMap": {"Email": [{"id": f"customer{chance.randrange(9000)}@example.com"}]},
        "placeContext": {"geo": {"city": chance.choice(_CITIES)}},
        "commerce": {"order": {"purchaseID": f"{number:08}", "currencyCode": "EUR"}},
        "productListItems": items,
    }
