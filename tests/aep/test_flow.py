"""Flow Service's client: what it asks, and how it reads what lists and changes answer."""

import pytest

from aep.scripted import ORG, TOKEN, Answer, Asked, asking
from agent.aep.flow import Ref
from agent.errors import NotFound, Outdated, PlatformError

ROOT = "/data/foundation/flowservice"


async def test_what_is_made_is_known_by_its_id_and_etag() -> None:
    answer = Answer({"id": "f1", "etag": '"7"'}, 201, {"Location": "/flows/f1"})
    async with asking(answer, sandbox="dev") as (platform, script):
        made = await platform.flow.create("flows", {"name": "orders"})
    assert made == Ref("f1", '"7"')
    (asked,) = script.asked
    assert (asked.method, asked.path, asked.body) == ("POST", f"{ROOT}/flows", {"name": "orders"})
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["x-api-key"] == "key"
    assert asked.headers["x-gw-ims-org-id"] == ORG
    assert asked.headers["x-sandbox-name"] == "dev"
    assert asked.headers["Content-Type"] == "application/json"


async def test_one_object_is_the_only_item_of_its_answer() -> None:
    async with asking(Answer({"items": [{"id": "a/b", "name": "x"}]})) as (platform, script):
        assert await platform.flow.get("connections", "a/b") == {"id": "a/b", "name": "x"}
    assert script.calls == [f"GET {ROOT}/connections/a%2Fb"]


async def test_an_answer_without_items_is_no_object_and_no_empty_list() -> None:
    async with asking(Answer({"items": []})) as (platform, _):
        with pytest.raises(NotFound):
            await platform.flow.get("flows", "f")
    async with asking(Answer({"status": "up"})) as (platform, _):
        with pytest.raises(PlatformError, match="the answer holds no items"):
            await platform.flow.find("flows")


async def test_all_pages_are_read_and_the_filter_goes_to_each() -> None:
    def page(asked: Asked) -> Answer:
        token = dict(asked.query).get("continuationToken")
        here = {None: (1, "t=2&x"), "t=2&x": (2, "t 3"), "t 3": (3, None)}[token]
        href = {None: None, "t=2&x": "t%3D2%26x", "t 3": "t%203"}[here[1]]
        links = {"next": {"href": f"/flows?continuationToken={href}"}} if href else {}
        return Answer({"items": [{"id": here[0], "name": "my orders"}], "_links": links})

    async with asking(page) as (platform, script):
        found = await platform.flow.find("flows", name="my orders")
    assert [each["id"] for each in found] == [1, 2, 3]
    filters = [[value for name, value in each.query if name == "property"] for each in script.asked]
    assert filters == [['name=="my orders"']] * 3


async def test_what_a_filter_lets_through_by_mistake_is_left_out() -> None:
    items = [{"id": 1, "name": "orders"}, {"id": 2, "name": "orders 2"}, {"id": 3}]
    async with asking(Answer({"items": items})) as (platform, script):
        assert [each["id"] for each in await platform.flow.find("flows", name="orders")] == [1]
    assert ("property", "name==orders") in script.asked[0].query


async def test_a_name_that_filters_cannot_spell_is_looked_for_here() -> None:
    name = 'a,"b"==c'
    async with asking(Answer({"items": [{"name": "a"}, {"name": name}]})) as (platform, script):
        assert await platform.flow.find("flows", name=name) == [{"name": name}]
    assert [name for name, _ in script.asked[0].query] == ["limit"]


async def test_a_list_that_turns_in_a_circle_is_no_endless_one() -> None:
    links = {"next": {"href": "/flows?continuationToken=again"}}
    async with asking(Answer({"items": [{}], "_links": links})) as (platform, script):
        with pytest.raises(PlatformError, match="does not end"):
            await platform.flow.find("flows")
    assert len(script.asked) == 2


async def test_a_change_shows_the_etag_as_it_came_and_learns_that_it_is_old() -> None:
    problem = {
        "type": "https://ns.adobe.com/aep/errors/FLOW-1404-412",
        "title": "Version not matching",
        "status": 412,
        "report": {"detailed-message": "supplied version 'v1'", "request-id": "r-1"},
    }
    operations = [{"op": "replace", "path": "/name", "value": "x"}]
    async with asking(Answer({"id": "f", "etag": '"8"'}), Answer(problem, 412)) as (platform, got):
        assert await platform.flow.patch("flows", "f", operations, '"7"') == Ref("f", '"8"')
        with pytest.raises(Outdated) as raised:
            await platform.flow.patch("flows", "f", operations, '"7"')
    assert got.asked[0].headers["If-Match"] == '"7"'
    assert got.asked[0].body == operations
    assert str(raised.value) == (
        f"Flow Service: PATCH {ROOT}/flows/f: 412 FLOW-1404-412: supplied version 'v1'"
        " (request id r-1); somebody changed it meanwhile: read it again, then change that"
    )


async def test_actions_name_what_is_to_be_done() -> None:
    async with asking(Answer({"id": "f", "etag": '"9"'})) as (platform, script):
        await platform.flow.act("flows", "f", "disable")
    assert script.calls == [f"POST {ROOT}/flows/f/action"]
    assert script.asked[0].query == [("op", "disable")]


async def test_a_flow_spec_is_found_by_id_or_else_by_a_name_however_it_is_spelled() -> None:
    def specs(asked: Asked) -> Answer:
        wanted = dict(asked.query)["property"]
        is_there = wanted == 'name=="Stream data with transformation"'
        item = {"id": "s", "name": "Stream data with transformation"}
        return Answer({"items": [item] if is_there else []})

    async with asking(specs) as (platform, script):
        names = "Steam data with transformation", "Stream data with transformation"
        assert (await platform.flow.flow_spec("c1a19761", *names))["id"] == "s"
        with pytest.raises(NotFound, match="no flow spec other"):
            await platform.flow.flow_spec("other")
    assert "limit" not in dict(script.asked[0].query)
