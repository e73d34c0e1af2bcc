"""Lists: chosen, sorted, counted and turned over page by page."""

from typing import Any

import pytest

from agent.emulator.flow import listing
from agent.emulator.flow.problems import Problem
from emulator.flow.conftest import BASE_BODY, ROOT, FlowService, code

FIELDS = frozenset(("id", "name", "createdAt", "state"))
ITEMS = [{"id": str(n), "name": f"n{n % 3}", "createdAt": n, "state": "enabled"} for n in range(7)]


def _asked(*query: tuple[str, str]) -> Any:
    return listing.parse(query, FIELDS).answer("flows", ITEMS)


def _ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer["items"]]


def test_pages_follow_each_other_until_nothing_is_left() -> None:
    query = [("limit", "3"), ("orderby", "-createdAt"), ("property", "createdAt>0")]
    pages, answer = [], _asked(*query)
    while True:
        pages.append(_ids(answer))
        if not answer["_links"]:
            break
        path, _, token = answer["_links"]["next"]["href"].partition("?continuationToken=")
        assert path == "/flows"
        answer = _asked(("continuationToken", token))
    assert pages == [["6", "5", "4"], ["3", "2", "1"]]


def test_a_page_begins_behind_the_last_item_seen_though_one_before_it_is_gone() -> None:
    first = _asked(("limit", "3"))
    token = first["_links"]["next"]["href"].partition("=")[2]
    asked = listing.parse([("continuationToken", token)], FIELDS)
    assert _ids(asked.answer("flows", ITEMS[1:])) == ["3", "4", "5"]
    assert _ids(asked.answer("flows", ITEMS[:2] + ITEMS[3:])) == ["4", "5", "6"]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("name", ["0", "3", "6", "1", "4", "2", "5"]),
        ("+name", ["0", "3", "6", "1", "4", "2", "5"]),
        (" name", ["0", "3", "6", "1", "4", "2", "5"]),
        ("-createdAt", ["6", "5", "4", "3", "2", "1", "0"]),
    ],
)
def test_items_are_sorted_by_any_field_up_or_down(order: str, ids: list[str]) -> None:
    assert _ids(_asked(("orderby", order))) == ids


def test_filters_in_a_row_must_all_be_met() -> None:
    answer = _asked(("property", "name==n0,n1"), ("property", "createdAt>3"))
    assert _ids(answer) == ["4", "6"]


def test_only_the_number_is_answered_where_it_is_asked_for() -> None:
    assert _asked(("count", "true"), ("property", "name==n0")) == {"count": 3}


def test_only_some_fields_are_shown_where_they_are_named() -> None:
    answer = _asked(("property", "id,name"), ("property", "createdAt==1"))
    assert answer["items"] == [{"id": "1", "name": "n1"}]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ([("limit", "1"), ("count", "true")], "1401-400"),
        ([("orderby", "--name")], "1432-400"),
        ([("orderby", "#id")], "1433-400"),
        ([("testParam", "1")], "1451-400"),
        ([("limit", "0")], "1452-400"),
        ([("limit", "1001")], "1452-400"),
        ([("limit", "many")], "1452-400"),
        ([("count", "maybe")], "1452-400"),
        ([("continuationToken", "not-a-token")], "1452-400"),
        ([("continuationToken", "W10")], "1452-400"),
        ([("limit", "")], "1453-400"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(query: Any, wanted: str) -> None:
    with pytest.raises(Problem) as refused:
        listing.parse(query, FIELDS)
    assert refused.value.code == wanted


def test_a_search_is_a_query_in_a_body() -> None:
    body = {"queryString": "property=name==n0&createdAt>0", "limit": 1, "orderby": "-createdAt"}
    first = listing.of_search(body, None, FIELDS).answer("flows", ITEMS)
    assert _ids(first) == ["6"]
    token = first["_links"]["next"]["href"].partition("=")[2]
    assert _ids(listing.of_search({}, token, FIELDS).answer("flows", ITEMS)) == ["3"]
    assert listing.of_search({"count": True}, None, FIELDS).answer("flows", ITEMS) == {"count": 7}
    shown = listing.of_search({"projectionFields": "id"}, None, FIELDS).answer("flows", ITEMS)
    assert shown["items"][0] == {"id": "0"}


async def test_lists_and_searches_are_answered_over_the_wire(flow_service: FlowService) -> None:
    for name in ("one", "two", "three"):
        await flow_service.base(name=name)
    path = f"{ROOT}/connections"
    page = await flow_service.calls.get(f"{path}?orderby=name&limit=2")
    assert [item["name"] for item in page.body["items"]] == ["one", "three"]
    following = page.body["_links"]["next"]["href"]
    last = await flow_service.calls.get(ROOT + following)
    assert [item["name"] for item in last.body["items"]] == ["two"]
    quoted = await flow_service.calls.get(f"{path}?property=name%3D%3D%22two%22")
    assert [item["name"] for item in quoted.body["items"]] == ["two"]
    searched = await flow_service.calls.post(f"{path}/search", {"queryString": "name==one"})
    assert [item["name"] for item in searched.body["items"]] == ["one"]
    assert (await flow_service.calls.get(f"{path}?count=true")).body == {"count": 3}
    refused = await flow_service.calls.get(f"{path}?limit=1&count=true")
    assert code(refused) == "1401-400"
    assert BASE_BODY["name"] not in str(quoted.body)
