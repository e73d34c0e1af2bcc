"""What the units say, as far as it can be judged without starting them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.config import load

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
PROGRAM = "/opt/aep-agent/bin/aep-agent"
ENVIRON = {"AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123", "AEP_FLOW_ID": "f"}

WORST_EXPOSURE = 2.0


def analyzed(*words: str | Path) -> str:
    """What systemd-analyze says; an empty string where it has nothing to say."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["aep-agent.service", "aep-agent@.service"])
def test_the_agent_is_confined_to_what_it_needs(name: str) -> None:
    said = analyzed("security", "--offline=true", UNITS / name)
    print(said)  # noqa: T201 - for `pytest -s`

    found = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", said)
    assert found, said
    assert float(found[1]) <= WORST_EXPOSURE


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    program = tmp_path / "aep-agent"  # in the place of the one that is not installed here
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS.glob("aep-agent*.s*"):
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
    names = ("aep-agent.service", "aep-agent@orders.service", "aep-agent.socket")
    (tmp_path / names[1]).symlink_to("aep-agent@.service")

    assert analyzed("verify", "--man=no", *(tmp_path / name for name in names)) == ""


@pytest.mark.parametrize("kind", ["service", "socket"])
def test_an_instance_differs_from_the_only_agent_in_its_names_alone(kind: str) -> None:
    only = _settings(f"aep-agent.{kind}")
    instance = [
        line.replace("aep-agent-%i", "aep-agent").replace("%i.yaml", "aep-agent.yaml")
        for line in _settings(f"aep-agent@.{kind}")
    ]

    assert [line.replace(", %i", "") for line in instance] == only


def test_the_configuration_that_is_installed_asks_for_an_inlet_and_nothing_else(
    tmp_path: Path,
) -> None:
    path = UNITS / "aep-agent.yaml"
    assert load(path, environ=ENVIRON).warnings == ()

    switched_on = re.sub(r"^(  +)#(?=\S|  )", r"\1", path.read_text(), flags=re.MULTILINE)
    (tmp_path / "all.yaml").write_text(switched_on)
    (tmp_path / "client_secret").write_text("p8e-0123456789\n")
    config = load(
        tmp_path / "all.yaml", environ={**ENVIRON, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    )
    assert config.inlet
    assert config.inlet.credentials
    assert len(config.sources) == 2


def test_the_install_script_is_shell_that_says_what_it_does() -> None:
    script = UNITS / "install.sh"
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    told = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert told.returncode == 0
    assert "usage: install.sh [--from WHAT]" in told.stdout
    for words, complaint in {
        ("--form", "x"): "what is --form? See --help",
        ("--from",): "--from: what follows it is missing",
        ("--purge",): "--purge goes with --uninstall",
    }.items():
        refused = subprocess.run([script, *words], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert complaint in refused.stderr


def _settings(name: str) -> list[str]:
    lines = (UNITS / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
