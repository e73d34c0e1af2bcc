import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent import __version__
from agent.__main__ import COMMANDS, main, parser_for
from support.agent import aep_agent

ROOT = Path(__file__).parents[2]


def cpu_seconds(*words: str) -> tuple[float, int, bytes]:
    """What a command costs, how it ends, and what it prints."""
    reading, writing = os.pipe()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "agent", *words],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)],
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        printed = output.read()
    _, status, usage = os.wait4(process, 0)
    return usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status), printed


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_there_before_one_notices(words: list[str]) -> None:
    runs = [cpu_seconds(*words) for _ in range(3)]
    assert {code for _, code, _ in runs} == {0}
    assert b"usage: aep-agent" in runs[0][2]
    assert min(seconds for seconds, *_ in runs) < 0.3


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_every_command_but_the_demo_shows_how_it_is_used(name: str) -> None:
    shown = parser_for([name])._subparsers._group_actions[0].choices[name].format_help()
    assert "example" in shown
    assert "aep-agent " + name in shown


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_no_help_imports_what_only_work_needs(words: list[str]) -> None:
    heavy = ("aiohttp", "structlog", "pydantic", "rich", "uvloop", "sqlite3")
    code = (
        "import sys\nfrom agent.__main__ import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True, text=True
    )
    assert done.stderr.strip() == "[]"


def test_the_version_is_said() -> None:
    done = aep_agent("--version")
    assert (done.code, done.stdout.decode().strip()) == (0, f"aep-agent {__version__}")


@pytest.mark.parametrize("words", [[], ["sned"], ["send", "--no-such-flag"], ["--no-such-flag"]])
def test_wrong_usage_ends_with_2_and_says_what_there_is(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: aep-agent" in capsys.readouterr().err


def test_a_mistyped_command_is_shown_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sned"])
    assert "'send'" in capsys.readouterr().err


def test_a_wrong_configuration_ends_with_78_in_words(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("inlet:\n  ulr: http://x/\n")
    done = aep_agent("run", tmp_path / "c.yaml")
    assert done.code == 78
    first, *problems = done.stderr.decode().splitlines()
    assert first == "aep-agent: the configuration is wrong"
    assert any(line.startswith(f"{tmp_path / 'c.yaml'}:2: ") for line in problems)
    assert b"Traceback" not in done.stderr


def test_what_fails_ends_with_1_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"no directory")
    target = ["--inlet-url", "http://127.0.0.1:9/collection/x", "--flow-id", "f"]
    done = aep_agent("send", *target, "--data-dir", tmp_path / "data", "-")
    assert done.code == 1
    assert done.stderr.startswith(b"aep-agent: cannot")
    assert b"Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_ends_the_output_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
