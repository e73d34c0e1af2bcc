import shutil
import subprocess
from pathlib import Path

import pytest

from support.agent import aep_agent
from support.terminal import Terminal

SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
STARTS = {
    "bash": "source {script}",
    "zsh": "fpath=({directory} $fpath); autoload -Uz compinit; compinit -u -D",
    "fish": "source {script}",
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is missing: apt-get install {request.param}")
    return str(request.param)


@pytest.fixture
def script(shell: str, tmp_path: Path) -> Path:
    path = tmp_path / "_aep-agent"
    path.write_bytes(aep_agent("completion", shell).stdout)
    return path


def test_a_shell_finds_no_fault_with_its_script(shell: str, script: Path) -> None:
    done = subprocess.run([shell, "-n", script], capture_output=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_tab_completes_commands_flags_and_files(shell: str, script: Path, tmp_path: Path) -> None:
    (tmp_path / "orders-of-today.yaml").touch()
    plain = {"HOME": str(tmp_path), "PS1": "> ", "XDG_DATA_HOME": str(tmp_path / "fish")}
    with Terminal(SHELLS[shell], plain) as terminal:
        start = STARTS[shell].format(script=script, directory=tmp_path)
        terminal.type(f"cd {tmp_path}; {start}; echo rea''dy\r")
        terminal.until("ready")
        terminal.type("aep-agent dead-le\t")
        terminal.until("dead-letters")
        terminal.type("expo\t")
        terminal.until("export")
        terminal.type("--reas\t")
        terminal.until("--reason")
        terminal.type("\x03\raep-agent check orders-of-t\t")
        terminal.until("orders-of-today.yaml")
