"""What do the records look like? Web and commerce events of about 1 KB, the same for every run.

One block of distinct events is made with a fixed seed; the file repeats the block under a new
block number, so that every id in it is distinct and hundreds of megabytes take seconds.
Run as `python -m benchmarks.events FILE --megabytes N`; prints one JSON line about the file.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

SEED = 20_200_316
BLOCK_EVENTS = 20_000
MEGABYTE = 1_000_000

# Stands in every id of the block and is replaced by the number of the block: eight characters.
_BLOCK_MARK = b"@@block@"

_PLACES = [
    ("Lyon", "FR", "fr-FR", "EUR"),
    ("Austin", "US", "en-US", "USD"),
    ("Leeds", "GB", "en-GB", "GBP"),
    ("Toronto", "CA", "en-CA", "CAD"),
    ("Denver", "US", "en-US", "USD"),
    ("Sydney", "AU", "en-AU", "AUD"),
    ("Chicago", "US", "en-US", "USD"),
    ("Milano", "IT", "it-IT", "EUR"),
    ("Zürich", "CH", "de-CH", "CHF"),
    ("São Paulo", "BR", "pt-BR", "BRL"),
    ("Kraków", "PL", "pl-PL", "PLN"),
    ("大阪市", "JP", "ja-JP", "JPY"),
    ("서울", "KR", "ko-KR", "KRW"),
    ("Αθήνα", "GR", "el-GR", "EUR"),
    ("Київ", "UA", "uk-UA", "UAH"),
    ("القاهرة", "EG", "ar-EG", "EGP"),
    ("मुंबई", "IN", "hi-IN", "INR"),
]

_PRODUCTS = [
    ("Trail running shoe, men's", "footwear"),
    ("Merino base layer 200 g", "clothing"),
    ("Stainless bottle 750 ml", "outdoor"),
    ("Wireless headphones QC-35", "audio"),
    ("USB-C charger 65 W", "electronics"),
    ("Espresso cups, set of 6", "kitchen"),
    ("Desk lamp, warm white", "home"),
    ("Noise-cancelling earbuds", "audio"),
    ("Crème brûlée torch", "kitchen"),
    ("Fußmatte „Willkommen“ 60 x 40", "home"),
    ("抹茶セット・茶碗・茶筅", "kitchen"),
    ("Самовар электрический 3 л", "kitchen"),
    ("Mug “hello 👋🌍”", "gifts"),
]

_AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36",
]

_T = TypeVar("_T")

_KINDS = [
    "web.webpagedetails.pageViews",
    "web.webpagedetails.pageViews",
    "web.webpagedetails.pageViews",
    "commerce.productViews",
    "commerce.productListAdds",
    "commerce.purchases",
]

_SCREENS = [(1920, 1080), (390, 844), (1440, 900), (412, 915), (2560, 1440)]
_REFERRERS = ["https://www.google.com/", "https://duckduckgo.com/", "https://news.example.org/", ""]
_EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventFile:
    """A generated file: where it is, and how many records and bytes it holds."""

    path: Path
    records: int
    size: int

    def first(self) -> "EventFile":
        """A file beside it, made anew, with its first record only."""
        lone = self.path.with_name(f"one-of-{self.path.name}")
        with self.path.open("rb") as lines:
            size = lone.write_bytes(lines.readline())
        return EventFile(lone, 1, size)


def _one_of(choices: list[_T], chance: random.Random) -> _T:
    """One of the choices, the first ones more often than the last ones."""
    return choices[int(len(choices) * chance.random() ** 2.5)]


def _items(chance: random.Random) -> list[dict[str, object]]:
    """One to three products of a basket."""
    items: list[dict[str, object]] = []
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
        name, category = _one_of(_PRODUCTS, chance)
        items.append(
            {
                "SKU": f"{category[:3].upper()}-{chance.randrange(10**6):06d}",
                "name": name,
                "category": category,
                "quantity": chance.randrange(1, 4),
                "priceTotal": round(chance.uniform(4, 300), 2),
            }
        )
    return items


def _event(number: int, chance: random.Random) -> bytes:
    """One event as compact JSON in UTF-8, its id carrying the block mark."""
    city, country, language, currency = _one_of(_PLACES, chance)
    width, height = chance.choice(_SCREENS)
    kind = chance.choice(_KINDS)
    items = _items(chance)
    page = f"/{language.lower()}/{items[0]['category']}/{str(items[0]['SKU']).lower()}"
    event = {
        "_id": f"{_BLOCK_MARK.decode()}-{number:05d}-{chance.getrandbits(48):012x}",
        "eventType": kind,
        "timestamp": (_EPOCH + timedelta(milliseconds=37 * number)).isoformat("T", "milliseconds"),
        "identityMap": {
            "ECID": [{"id": f"{chance.getrandbits(126):038d}", "authenticatedState": "ambiguous"}]
        },
        "web": {
            "webPageDetails": {
                "URL": f"https://shop.example.com{page}?utm_source=mail&s={chance.getrandbits(40):x}",
                "name": f"{items[0]['name']} | {city}",
                "server": f"web-{chance.randrange(24):02d}",
                "pageViews": {"value": 1},
            },
            "webReferrer": {"URL": chance.choice(_REFERRERS)},
        },
        "environment": {
            "browserDetails": {
                "userAgent": chance.choice(_AGENTS),
                "acceptLanguage": language,
                "viewportWidth": width,
                "viewportHeight": height,
            },
            "ipV4": f"203.0.113.{chance.randrange(256)}",
            "sessionID": f"{chance.getrandbits(128):032x}",
        },
        "placeContext": {
            "geo": {
                "city": city,
                "countryCode": country,
                "latitude": round(chance.uniform(-60, 65), 5),
                "longitude": round(chance.uniform(-180, 180), 5),
            }
        },
        "commerce": {"order": {"currencyCode": currency}, "checkouts": {"value": len(items)}},
        "productListItems": items,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def block(events: int = BLOCK_EVENTS, seed: int = SEED) -> bytes:
    """`events` distinct events, one a line, every line ended by a newline, ids still marked."""
    chance = random.Random(seed)
    return b"".join(_event(number, chance) + b"\n" for number in range(events))


def numbered(marked: bytes, first: int = 0) -> Iterator[bytes]:
    """The block again and again, its ids made distinct by a rising block number; never ends."""
    number = first
    while True:
        yield marked.replace(_BLOCK_MARK, b"%08x" % number)
        number += 1


def write(path: Path, megabytes: float, events: int = BLOCK_EVENTS) -> EventFile:
    """Write a file of whole lines of at least `megabytes` (1 MB = 1,000,000 bytes) to `path`."""
    wanted = int(megabytes * MEGABYTE)
    records = size = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for lines in numbered(block(events)):
            cut = lines.find(b"\n", wanted - size - 1) + 1
            piece = lines[:cut] if cut else lines
            out.write(piece)
            records += piece.count(b"\n")
            size += len(piece)
            if size >= wanted:
                return EventFile(path, records, size)
    raise AssertionError("numbered() never ends")


def main() -> None:
    """Write the file named on the command line and describe it in one JSON line on stdout."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--megabytes", type=float, default=300)
    args = parser.parse_args()
    made = write(args.path, args.megabytes)
    print(json.dumps(asdict(made) | {"path": str(made.path)}))


if __name__ == "__main__":
    main()
