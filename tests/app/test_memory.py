import subprocess
import sys
from pathlib import Path

import pytest

from agent.app.memory import fitted, limit
from agent.config import load
from agent.config.model import Config

MIB = 1 << 20


def configured(**settings: object) -> Config:
    inlet = {"inlet.url": "http://127.0.0.1:9/collection/one", "inlet.flow_id": "one"}
    return load(None, overrides={**inlet, **settings}, environ={})


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("mine", "limits"),
    [
        ("0::/pods/one\n", {"pods/one/memory.max": "67108864\n"}),
        ("0::/pods/one\n", {"pods/one/memory.max": "max\n", "pods/memory.max": "67108864\n"}),
        ("0::/\n", {"memory.max": "67108864\n"}),
        ("4:cpu:/\n3:memory:/one\n0::/\n", {"memory/one/memory.limit_in_bytes": "67108864\n"}),
        # the path of the host, of which the container sees only its own part
        ("3:memory:/kubepods/x\n", {"memory/memory.limit_in_bytes": "67108864\n"}),
    ],
)
def test_the_lowest_limit_of_the_groups_around_the_process_holds(
    tmp_path: Path, mine: str, limits: dict[str, str]
) -> None:
    for name, text in limits.items():
        written(tmp_path / "cgroup" / name, text)

    assert limit(tmp_path / "cgroup", written(tmp_path / "mine", mine)) == 64 * MIB


def test_without_proc_and_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert limit(tmp_path, tmp_path / "mine") > 1 << 60


def test_with_plenty_of_memory_the_defaults_hold() -> None:
    config = configured()
    assert fitted(config, 288 * MIB) is config


def test_with_little_memory_less_is_held_and_sizes_still_agree() -> None:
    config = fitted(configured(), 64 * MIB)

    assert config.buffer.memory_bytes < 2 * MIB
    assert config.delivery.max_in_flight == 3
    (flow,) = config.each_flow().values()
    assert not list(flow.disagreements())
    assert fitted(config, 64 * MIB) is config


def test_what_is_written_holds_however_little_memory_there_is() -> None:
    config = configured(
        batch={"max_bytes": "900KB"},
        buffer={"type": "disk"},
        delivery={"max_in_flight": 20},
    )
    made = fitted(config, 64 * MIB)

    assert (made.batch.max_bytes, made.delivery.max_in_flight) == (900_000, 20)
    assert made.buffer.memory_bytes == 1_800_000, "no less than twice a batch"
    assert fitted(configured(buffer={"memory_bytes": "32MiB"}), 64 * MIB).buffer.memory_bytes == (
        32 * MIB
    )


def test_flows_share_what_there_is() -> None:
    flows = {name: {"inlet": {"flow_id": name * 8}} for name in ("a", "b")}
    sources = [{"type": "stdin", "flow": "a"}]
    config = fitted(configured(flows=flows, sources=sources), 112 * MIB)
    whole = fitted(configured(), 112 * MIB)

    assert {flow.buffer.memory_bytes for flow in config.flows.values()} == {
        whole.buffer.memory_bytes // 2
    }


def test_what_a_burst_leaves_between_what_stays_is_given_back() -> None:
    """In a process of its own: what tests have left free before would be taken for it."""
    code = (
        "from agent.app.memory import give_back_what_is_free\n"
        "blocks = [(b'x' * 100_000, bytes(1_000)) for _ in range(1_000)]\n"
        "stays = [small for _, small in blocks]\n"
        "blocks.clear()\n"
        "resident = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "before = resident()\n"
        "give_back_what_is_free()\n"
        "print(before - resident())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(done.stdout) > 50_000_000
