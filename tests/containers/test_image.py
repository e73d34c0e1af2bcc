"""The image for real: built, looked into, and run without rights."""

from pathlib import Path

import pytest

from containers.podman import BASE, IMAGE, Podman

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1200)]

CONFINED = ("--rm", "--read-only", "--cap-drop=all", "--network=none")
COMPILERS = ("gcc", "cc", "g++", "c++", "clang", "make", "ld", "as", "rustc", "cargo", "go", "pip")


def test_the_image_is_small_and_says_how_it_is_run(podman: Podman) -> None:
    image, base = podman.inspect("image", IMAGE), podman.inspect("image", BASE)
    config = image["Config"]

    assert image["Size"] - base["Size"] < 90e6
    assert config["User"] == "65532:65532"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ["/opt/aep-agent/bin/aep-agent"]
    assert image["Healthcheck"]["Test"] == ["CMD", "/opt/aep-agent/bin/aep-agent", "health"]


def test_there_is_nothing_to_compile_with_and_nothing_of_ours_that_can_be_changed(
    podman: Podman,
) -> None:
    root = Path(podman("image", "mount", IMAGE).strip())
    programs = [each for folder in ("bin", "sbin") for each in root.glob(f"**/{folder}/*")]
    assert [each for each in programs if each.name in COMPILERS] == []
    ours = list((root / "opt").rglob("*"))
    assert len(ours) > 1000
    assert [
        each
        for each in ours
        if not each.is_symlink() and (each.stat().st_mode & 0o022 or each.stat().st_uid)
    ] == []
    assert (root / "var/lib/aep-agent").stat().st_uid == 65532
    assert not (root / "src").exists()


def test_confined_to_nothing_but_its_volume_it_does_its_whole_journey(podman: Podman) -> None:
    told = podman("run", *CONFINED, IMAGE, "demo", "--data-dir", "/var/lib/aep-agent/demo")
    assert "20,000" in told
    assert "rejected" in told
