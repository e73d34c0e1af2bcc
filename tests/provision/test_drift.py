"""Is what others changed on the platform told, and mended or explained?"""

from pathlib import Path

import pytest

from agent.errors import AgentError, ConfigError
from provision.stage import ONE_OF_EACH, ORDERS, XDM, Stage, staged


async def _patched(stage: Stage, key: str, group: str, *operations: dict) -> None:
    async with stage.platform() as platform:
        found = await platform.flow.get(group, stage.noted(key))
        await platform.flow.patch(group, found["id"], operations, found["etag"])


async def test_a_flow_that_somebody_deleted_is_made_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        old = stage.noted("flow")
        async with stage.platform() as platform:
            await platform.flow.delete("flows", old)

        plan = await stage.plan()
        assert f"{old} is not on the platform any more" in [step.remark for step in plan]
        assert await stage.actions() == {"flow": "create"}
        await stage.apply()
        assert await stage.objects() == ONE_OF_EACH
        assert stage.noted("flow") != old


async def test_a_dataset_that_somebody_deleted_takes_what_refers_to_it_along(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        async with stage.platform() as platform:
            await platform.catalog.delete_dataset(stage.noted("dataset"))

        assert await stage.actions() == {
            "dataset": "create",
            "target_connection": "replace",
            "flow": "replace",
        }
        await stage.apply()
        assert await stage.objects() == ONE_OF_EACH
        assert await stage.actions() == {}


async def test_another_description_is_written_back(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        op = {"op": "replace", "path": "/description", "value": "mine"}
        await _patched(stage, "flow", "flows", op)

        plan = await stage.plan()
        shown = [d for step in plan for d in step.differences]
        assert [(d.path, d.found, d.wanted) for d in shown] == [
            ("description", "mine", "From the shop")
        ]
        assert await stage.actions() == {"flow": "change"}
        await stage.apply()
        assert await stage.actions() == {}


async def test_another_mapping_is_a_new_version_and_the_flow_takes_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        first = await stage.apply()
        stage.edit("attribute: firstName", "attribute: givenName")

        assert await stage.actions() == {"mapping": "change", "flow": "change"}
        again = await stage.apply()
        async with stage.platform() as platform:
            flow = await platform.flow.get("flows", stage.noted("flow"))
            mapping = await platform.dataprep.get(stage.noted("mapping"))

        assert flow["transformations"][0]["params"]["mappingVersion"] == mapping["version"] == 1
        assert again.ready_at >= first.ready_at
        assert await stage.objects() == ONE_OF_EACH
        assert await stage.actions() == {}


async def test_more_fields_are_added_and_none_is_taken_away(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        stage.edit("order.total, type: number", "order.note, type: string")
        stage.edit("minimum: 0", "title: Note")
        stage.edit("_tenant.order.total", "_tenant.order.note")

        plan = {step.kind.key: step for step in await stage.plan()}
        told = {each.path: str(each.cure) for each in plan["field_group"].differences}
        assert told == {"order.note": "change", "order.total": "note"}
        await stage.apply()
        assert {step.kind.key for step in await stage.plan() if step.differs} == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("order.total, type: number", "order.total, type: integer", "Orders fields: order.total"),
        ("title: Orders\n", "title: Orders\n  class: event\n", "schema Orders: class is"),
        ("authenticated: true", "authenticated: true, data_type: raw", "Orders: dataType is xdm"),
        (
            "authenticated: true",
            "authenticated: false",
            "authenticationRequired is True, not False",
        ),
    ],
)
async def test_what_the_platform_never_changes_is_refused_before_anything_is_done(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    async with staged(tmp_path, XDM) as stage:
        await stage.apply()
        stage.edit("From the shop", "From another shop")
        stage.edit(old, new)
        if "raw" in new:
            stage.edit("data_type: xdm, ", "")
            mapping = "mapping:\n  - {to: _tenant.order.id, attribute: id}\nflow:"
            stage.edit("flow:", mapping)
        with pytest.raises(ConfigError, match=said):
            await stage.apply()
        async with stage.platform() as platform:
            flow = await platform.flow.get("flows", stage.noted("flow"))
        assert flow["description"] == "From the shop"


async def test_what_was_there_before_is_used_and_never_taken_away(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        stage.path.with_name("orders.state.json").unlink()  # as for somebody who knows nothing

        plan = await stage.plan()
        assert {step.remark for step in plan} == {"found by its name"}
        done = await stage.apply()
        assert done.changed == 0
        assert await stage.objects() == ONE_OF_EACH
        assert len(await stage.destroy()) == len(plan)
        assert await stage.objects() == ONE_OF_EACH


async def test_two_of_one_name_are_not_chosen_from(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        async with stage.platform() as platform:
            body = {
                "name": "Orders",
                "schemaRef": {"id": "x", "contentType": "application/vnd.adobe.xed+json;version=1"},
            }
            schema = await platform.schemas.create(
                "schemas",
                {
                    "type": "object",
                    "title": "Else",
                    "allOf": [{"$ref": "https://ns.adobe.com/xdm/context/profile"}],
                },
            )
            body["schemaRef"]["id"] = schema["$id"]
            ids = [await platform.catalog.create_dataset(body) for _ in range(2)]

        with pytest.raises(ConfigError) as caught:
            await stage.apply()
        assert all(id in str(caught.value) for id in ids)
        assert "connections" not in await stage.objects()


async def test_a_flow_that_somebody_disabled_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        async with stage.platform() as platform:
            await platform.flow.act("flows", stage.noted("flow"), "disable")

        flow = (await stage.plan())[-1]
        assert [(each.path, str(each.cure)) for each in flow.differences] == [("state", "note")]
        assert await stage.actions() == {}
        await stage.apply()
        assert stage.told[-1].startswith(
            "  note: state is disabled, not enabled: somebody disabled"
        )


async def test_a_schema_and_a_dataset_that_exist_are_used_as_they_are(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        schema, dataset = stage.noted("schema"), stage.noted("dataset")
        text = ORDERS[: ORDERS.index("schema:")] + f"schema: {{id: '{schema}'}}\n"
        text += f"dataset: {{id: {dataset}}}\n" + ORDERS[ORDERS.index("mapping:") :]
        text = text.replace("Orders", "More orders")
        other = tmp_path / "more"
        other.mkdir()
        second = Stage(stage.emulator, other, text)
        await second.apply()

        assert await second.actions() == {}
        assert (await stage.objects())["schemas"] == 1
        stays = {fate.kind.key for fate in await second.destroy()}
        assert {"schema", "dataset"} <= stays
        second.edit(schema, f"{schema}0")
        with pytest.raises(ConfigError, match=r"schema.id: the platform has no schema"):
            await second.plan()


async def test_what_was_renamed_is_known_by_its_id_and_not_taken_away(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        op = {"op": "replace", "path": "/name", "value": "Mine"}
        await _patched(stage, "flow", "flows", op)

        assert await stage.actions() == {}
        told = [each for step in await stage.plan() for each in step.differences]
        assert [(each.path, each.found, str(each.cure)) for each in told] == [
            ("name", "Mine", "note")
        ]
        stays = await stage.destroy()
        assert "is called Mine by now" in stays[0].stays
        assert stays[1].stays == "the flow needs it, which stays"
        assert await stage.objects() == ONE_OF_EACH


async def test_what_the_platform_has_not_finished_is_waited_for(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        slow = {
            "name": "slow",
            "when": {"path": "platform", "matching": "^GET .*/flows/", "requests": 2},
            "status": 200,
            "body": {"items": [{"id": "x", "name": "Orders", "state": "initializing"}]},
        }
        stage.emulator.set_faults([slow])
        await stage.apply()

        assert stage.emulator.stats()["faults"] == {"slow": 2}
        assert await stage.actions() == {}


async def test_what_the_platform_never_finishes_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.edit("flow: {", "flow: {finish_within: 1s, ")
        never = {
            "name": "never",
            "when": {"path": "platform", "matching": "^GET .*/sourceConnections/"},
            "status": 200,
            "body": {"items": [{"id": "x", "name": "Orders", "state": "inProgress"}]},
        }
        stage.emulator.set_faults([never])
        with pytest.raises(AgentError, match=r"has not finished making it within 1s; look at it"):
            await stage.apply()
        stage.emulator.set_faults([])
        await stage.apply()

        assert await stage.objects() == ONE_OF_EACH


async def test_what_the_platform_adds_of_its_own_is_no_drift(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.edit("dataset: {", "dataset: {identity: true, ")
        stage.edit("type: number, minimum: 0}", "type: integer}")
        await stage.apply()
        path = "/definitions/customFields/properties/_emulated/properties/order/properties/total"
        bound = {"op": "add", "path": f"{path}/minimum", "value": -9007199254740991}
        async with stage.platform() as platform:
            tags = {"unifiedIdentity": ["enabled:true", "enabledAt:2026-01-02"]}
            await platform.catalog.patch_dataset(stage.noted("dataset"), {"tags": tags})
            await platform.schemas.patch("fieldgroups", stage.noted("field_group"), [bound])

        assert [each for step in await stage.plan() for each in step.differences] == []


async def test_a_tag_that_was_taken_back_is_set_again_beside_the_others(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.edit("dataset: {", "dataset: {identity: true, ")
        await stage.apply()
        async with stage.platform() as platform:
            tags = {"unifiedIdentity": ["enabled:false"], "team": ["shop"]}
            await platform.catalog.patch_dataset(stage.noted("dataset"), {"tags": tags})

        assert await stage.actions() == {"dataset": "change"}
        await stage.apply()
        async with stage.platform() as platform:
            found = await platform.catalog.dataset(stage.noted("dataset"))
        assert found["tags"]["team"] == ["shop"]
        assert found["tags"]["unifiedIdentity"] == ["enabled:true"]
        assert await stage.actions() == {}
