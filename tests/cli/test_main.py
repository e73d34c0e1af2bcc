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


@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_of_a_help_runs_into_the_next(name: str) -> None:
    shown = parser_for([name])._subparsers._group_actions[0].choices[name].format_help()
    assert max(map(len, shown.splitlines())) <= 100


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


def test_a_mistyped_flag_is_shown_those_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["dead-letters", "list", "--sinse", "1h"])
    assert "usage: aep-agent dead-letters list" in capsys.readouterr().err


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


def shell(script: str, **settings: str) -> tuple[int, str]:
    """How a line of bash ends, in which `aep-agent` is this one, and what it complains of."""
    agent = f'aep-agent() {{ "{sys.executable}" -m agent "$@"; }}; set -o pipefail; '
    done = subprocess.run(
        ["bash", "-c", agent + script],
        capture_output=True,
        cwd=ROOT,
        env=os.environ | settings,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(
        f"data_dir: {tmp_path / 'data'}\n"
        "inlet: {url: 'http://127.0.0.1:9/collection/x', flow_id: f}\n"
        "sources: [{type: stdin}]\n"
    )
    return path


@pytest.mark.parametrize(
    ("words", "unbuffered"), [("schema", "1"), ("completion bash", ""), ("audit", "")]
)
def test_a_full_disk_behind_the_output_is_told_as_that(
    words: str, unbuffered: str, tmp_path: Path
) -> None:
    target = "--inlet-url http://127.0.0.1:9/collection/x --flow-id f"
    data = {"AEP_AGENT_DATA_DIR": str(tmp_path)}
    assert aep_agent("send", *target.split(), "--data-dir", tmp_path, "/dev/null").code == 0
    code, complaint = shell(f"aep-agent {words} > /dev/full", PYTHONUNBUFFERED=unbuffered, **data)
    assert (code, complaint.count("\n")) == (1, 1)
    assert complaint.startswith("aep-agent: cannot write: No space left on device")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_who_stops_reading_does_not_change_the_verdict(unbuffered: str, tmp_path: Path) -> None:
    (tmp_path / "records").write_text("no json\n")
    send = (
        "aep-agent send --inlet-url http://127.0.0.1:9/collection/x --flow-id f"
        f" --data-dir {tmp_path / 'data'} --json {tmp_path / 'records'} 2>/dev/null"
    )
    nobody = " > >(exec <&-; sleep 0.1); echo $? >&2"
    assert shell(send + nobody, PYTHONUNBUFFERED=unbuffered) == (0, "3\n")
    wrong = f"aep-agent check --json {tmp_path / 'records'}"
    assert shell(wrong + nobody, PYTHONUNBUFFERED=unbuffered) == (0, "78\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("init", 2),
        ("check CONFIG --try -", 1),
        ("provision init --from -", 1),
        ("preflight --schema tests/no.json -", 78),
        ("send -c CONFIG -", 1),
        ("top --once", 1),
    ],
)
def test_a_closed_standard_input_is_no_bug(words: str, code: int, configuration: Path) -> None:
    ended, complaint = shell(f"aep-agent {words.replace('CONFIG', str(configuration))} <&-")
    assert "bug" not in complaint
    assert ended == code
