"""The functions for the strings of Adobe Analytics.

An event string is `event101=5:123456,scOpen`: name, value and id. A products string is
`category;name;quantity;price;events;evars` for each product, with commas between products, and
`|` between the events, or the evars, of one.
"""

from agent.dataprep.evaluation import bound_elements
from agent.dataprep.functions.table import Category

ANALYTICS = Category("Analytics")
_PRODUCTS = (
    '";Example product 1;1;4.20;event1=2.3|event2=5:1,'
    ';Example product 2;1;4.20;event1=3|event2=2:2"'
)
_TWO = '";Example product 1;1;3.50,Example category 2;Example product 2"'


@ANALYTICS.function('aa_get_event_id("event101=5:123456,scOpen", "event101")', "123456")
def aa_get_event_id(event_string: str, event_name: str) -> str | None:
    """Returns the id of an event in an event string."""
    written = _event(event_string.split(","), event_name)
    return None if written is None else written.partition(":")[2] or None


@ANALYTICS.function('aa_get_event_value("event101=5:123456,scOpen", "event101")', "5")
def aa_get_event_value(event_string: str, event_name: str) -> str | None:
    """Returns the value of an event in an event string; 1 where it has none."""
    written = _event(event_string.split(","), event_name)
    return None if written is None else written.partition(":")[0] or "1"


@ANALYTICS.function(f"aa_get_product_categories({_TWO})", [None, "Example category 2"])
def aa_get_product_categories(products_string: str) -> list[str | None]:
    """Returns the categories of all products."""
    return _column(products_string, 0)


@ANALYTICS.function(f"aa_get_product_names({_TWO})", ["Example product 1", "Example product 2"])
def aa_get_product_names(products_string: str) -> list[str | None]:
    """Returns the names of all products."""
    return _column(products_string, 1)


@ANALYTICS.function(f"aa_get_product_quantities({_TWO})", ["1", None])
def aa_get_product_quantities(products_string: str) -> list[str | None]:
    """Returns the quantities of all products."""
    return _column(products_string, 2)


@ANALYTICS.function(f"aa_get_product_prices({_TWO})", ["3.50", None])
def aa_get_product_prices(products_string: str) -> list[str | None]:
    """Returns the prices of all products."""
    return _column(products_string, 3)


@ANALYTICS.function(f'aa_get_product_event_values({_PRODUCTS}, "event1")', ["2.3", "3"])
def aa_get_product_event_values(products_string: str, event_name: str) -> list[str]:
    """Returns the values of one event in all products."""
    found = (
        _event((events or "").split("|"), event_name) for events in _column(products_string, 4)
    )
    return [written.partition(":")[0] or "1" for written in found if written is not None]


@ANALYTICS.function(
    'aa_get_product_evars(";Example product;1;6.69;;eVar1=Merchandising value", "eVar1")',
    ["Merchandising value"],
)
def aa_get_product_evars(products_string: str, evar_name: str) -> list[str]:
    """Returns the values of one eVar in all products."""
    found = (_event((evars or "").split("|"), evar_name) for evars in _column(products_string, 5))
    return [written for written in found if written is not None]


def _event(written: list[str], name: str) -> str | None:
    """What stands behind the name; "" where nothing does, None where the name is not there."""
    for each in written:
        own, _, rest = each.partition("=")
        if own.strip() == name:
            return rest.strip()
    return None


def _column(products: str, place: int) -> list[str | None]:
    bound_elements(products.count(","))
    rows = (product.split(";") for product in products.split(","))
    return [(row[place].strip() or None) if place < len(row) else None for row in rows]
