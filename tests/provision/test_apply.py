"""Is there exactly one of each object, however often and however badly `apply` ended?"""

import json
from pathlib import Path

import pytest

from agent.config import load
from provision.stage import ONE_OF_EACH, XDM, Cut, Life, let_files_end, staged

MOMENTS = 58  # of an apply: its calls and files, after each of which it can be cut off
PLACES = [range(first, min(first + 10, MOMENTS + 1)) for first in range(1, MOMENTS + 1, 10)]


async def test_an_empty_platform_gets_one_of_each(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        done = await stage.apply()

        assert await stage.objects() == ONE_OF_EACH
        assert done.changed == len(done.steps) == 9


async def test_applying_twice_changes_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        first = await stage.apply()
        noted = stage.path.with_name("orders.state.json").read_bytes()
        config = first.config.path.read_bytes()
        again = await stage.apply()

        assert again.changed == 0
        assert await stage.actions() == {}
        assert stage.path.with_name("orders.state.json").read_bytes() == noted
        assert again.config.path.read_bytes() == config
        assert again.ready_at == first.ready_at


async def test_the_configuration_is_one_that_the_agent_takes(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        done = await stage.apply()
        config = load(done.config.path, environ=stage.environ)
        flow = config.each_flow()[""]

        assert flow.inlet.flow_id == stage.noted("flow")
        assert flow.inlet.url.startswith(f"{stage.emulator.listening}/collection/")
        assert flow.inlet.ready_at == done.ready_at
        assert flow.inlet.credentials.client_id == "emulated-client"
        assert config.platform.url == stage.emulator.listening
        assert config.platform.attempts == 2
        assert config.warnings == ()
        assert "${AEP_CLIENT_SECRET}" in done.config.path.read_text()


async def test_who_sends_without_tokens_needs_no_secret(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.edit("authenticated: true", "authenticated: false")
        done = await stage.apply()
        config = load(done.config.path, environ={})

        assert config.inlet.credentials is None
        assert config.platform is None


async def test_records_that_are_xdm_need_no_mapping(tmp_path: Path) -> None:
    async with staged(tmp_path, XDM) as stage:
        done = await stage.apply()
        config = load(done.config.path, environ=stage.environ)

        assert await stage.objects() == {k: n for k, n in ONE_OF_EACH.items() if k != "mappingSets"}
        assert config.inlet.envelope.type == "xdm"
        assert config.inlet.envelope.dataset_id == stage.noted("dataset")


async def test_a_whole_apply_is_so_many_calls_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life()
    async with staged(tmp_path) as stage:
        let_files_end(life, monkeypatch)
        await stage.apply(life)

    assert life.moments == MOMENTS == sum(map(len, PLACES))


@pytest.mark.parametrize("places", PLACES, ids=lambda places: f"{places[0]}-{places[-1]}")
async def test_whatever_it_is_cut_off_after_there_is_one_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: range
) -> None:
    for place in places:
        directory = tmp_path / str(place)
        directory.mkdir()
        async with staged(directory) as stage:
            life = Life(place)
            with monkeypatch.context() as patched:
                let_files_end(life, patched)
                with pytest.raises(Cut):
                    await stage.apply(life)
            done = await stage.apply()

            assert await stage.objects() == ONE_OF_EACH, place
            assert all(each.made and each.id for each in stage.state.objects), place
            assert load(done.config.path, environ=stage.environ).inlet.ready_at == done.ready_at


async def test_secrets_are_in_no_file_and_no_word(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        await stage.destroy()
        await stage.apply()

        assert not [path for path in _files(tmp_path) if b"emulated-secret" in path.read_bytes()]
        assert "emulated-secret" not in "\n".join(stage.told)
        for name in ("orders.state.json", "orders.agent.yaml"):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def _files(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@pytest.mark.parametrize("name", ['Süd & "Co", 100 %', "a==b,c", "it's / this+that", "Ω" * 60])
async def test_odd_names_are_found_again(tmp_path: Path, name: str) -> None:
    async with staged(tmp_path) as stage:
        quoted = json.dumps(name, ensure_ascii=False)
        stage.edit("title: Orders", f"title: {quoted}")
        stage.edit("name: Orders", f"name: {quoted}")
        with pytest.raises(Cut):
            await stage.apply(Life(31))
        await stage.apply()
        stage.path.with_name("orders.state.json").unlink()

        assert (await stage.apply()).changed == 0
        assert await stage.objects() == ONE_OF_EACH
