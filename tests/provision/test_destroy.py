"""Does everything that was made go, in an order that works, and is what stays told?"""

from pathlib import Path

import pytest

from provision.stage import ONE_OF_EACH, ORDERS, Cut, Life, let_files_end, staged


async def test_nothing_is_left_but_what_the_platform_keeps(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        stays = await stage.destroy()

        assert await stage.objects() == {"mappingSets": 1}
        assert [(each.kind.key, each.stays) for each in stays] == [
            ("mapping", stays[0].stays),
        ]
        assert "no call that deletes mapping sets" in stays[0].stays
        assert not (tmp_path / "orders.agent.yaml").exists()


async def test_making_it_again_uses_what_stayed(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        await stage.destroy()
        await stage.apply()

        assert await stage.objects() == ONE_OF_EACH
        assert (await stage.apply()).changed == 0


async def test_a_schema_in_profile_stays_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    text = ORDERS.replace(
        "dataset: {", "  profile: true\ndataset: {profile: true, identity: true, "
    )
    async with staged(tmp_path, text) as stage:
        await stage.apply()
        fates = await stage.destroy()

        assert {fate.kind.key for fate in fates} == {
            "profile",
            "schema",
            "field_group",
            "identity:_tenant.order.id",
            "mapping",
        }
        assert all("by now" not in fate.stays for fate in fates)
        assert "dataSets" not in await stage.objects()
        await stage.apply()
        assert await stage.objects() == ONE_OF_EACH


async def test_it_goes_on_wherever_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        moments = 0
        while True:
            life = Life(moments := moments + 1)
            with monkeypatch.context() as patched:
                let_files_end(life, patched)
                try:
                    await stage.destroy(life)
                except Cut:
                    continue
            break

        assert moments > 10
        assert await stage.objects() == {"mappingSets": 1}


async def test_what_is_gone_already_is_no_trouble(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        async with stage.platform() as platform:
            await platform.flow.delete("flows", stage.noted("flow"))
        await stage.destroy()

        assert "flow Orders: was gone already" in stage.told
        assert await stage.objects() == {"mappingSets": 1}


async def test_a_configuration_that_was_changed_by_hand_stays(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        done = await stage.apply()
        with done.config.path.open("a") as file:
            file.write("# mine\n")
        again = await stage.apply()

        assert again.config.path == done.config.path.with_name("orders.agent.yaml.new")
        assert "was changed by hand and is left as it is" in again.config.news
        await stage.destroy()
        assert done.config.path.read_text().endswith("# mine\n")


async def test_what_the_manifest_does_not_want_any_more_goes_too(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        start = ORDERS.index("  identities:")
        stage.write(ORDERS[:start] + ORDERS[ORDERS.index("dataset:") :])
        await stage.destroy()

        assert await stage.objects() == {"mappingSets": 1}
