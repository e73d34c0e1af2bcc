"""How many records a second can be judged on one core, told in time of the processor."""

from time import process_time
from typing import Any

import orjson

from agent.xdm import Library, compile_schema
from xdm.schemas import EVENT, sample

PURCHASE: dict[str, Any] = {
    "_id": "b2f1e9d4-1f3a-4d2b-9a53-0a1b2c3d4e5f",
    "timestamp": "2026-11-25T10:11:12.345Z",
    "eventType": "commerce.purchases",
    "identityMap": {
        "Email": [{"id": "jane@example.com", "primary": True}],
        "ECID": [{"id": "28880788470263023831040523038280731744"}],
    },
    "web": {
        "webPageDetails": {"URL": "https://example.com/p/1", "pageViews": {"value": 1}},
        "webReferrer": {"URL": "https://mail.example.com/", "type": "external"},
    },
    "environment": {
        "type": "browser",
        "ipV4": "203.0.113.7",
        "browserDetails": {"userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "viewportHeight": 900},
    },
    "device": {"type": "desktop", "screenHeight": 1080, "screenWidth": 1920},
    "productListItems": [
        {"SKU": "A-1", "name": "Boots", "quantity": 1, "priceTotal": 129.9, "currencyCode": "EUR"},
        {"SKU": "B-7", "name": "Socks", "quantity": 3, "priceTotal": 21.0, "currencyCode": "EUR"},
    ],
    "commerce": {
        "purchases": {"value": 1},
        "order": {
            "purchaseID": "po-77123",
            "priceTotal": 150.9,
            "payments": [{"transactionID": "t-991", "paymentAmount": 150.9}],
        },
    },
    "marketing": {"trackingCode": "nl-2026-11", "campaignName": "autumn"},
}


def test_six_thousand_records_of_a_kilobyte_take_less_than_a_second() -> None:
    library = Library.standard()
    groups = (
        group["$id"]
        for group in library.all("fieldgroups")
        if EVENT in group.get("meta:intendedToExtend", ())
    )
    schema = compile_schema(sample(EVENT, *groups), library)
    assert len(orjson.dumps(PURCHASE)) > 1000
    started = process_time()
    for _ in range(2000):
        assert not schema.violations(schema.coerce(PURCHASE))
    assert 2000 / (process_time() - started) > 6000
