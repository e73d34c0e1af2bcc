import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.config.explaining import Setting, settings
from agent.config.loading import Reading

ROOT = Path(__file__).parents[2]
INLET = {"AEP_INLET_URL": "http://127.0.0.1:9/i", "AEP_FLOW_ID": "f"}


def explained(
    path: Path | None, environ: Mapping[str, str], **overrides: object
) -> dict[str, Setting]:
    chosen = {key.replace("__", "."): value for key, value in overrides.items()}
    reading = Reading(path, chosen, environ)
    told = list(settings(reading, reading.config()))
    assert len({each.key for each in told}) == len(told)
    return {each.key: each for each in told}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.yaml"


def test_each_line_that_is_named_has_the_key_on_it() -> None:
    path = ROOT / "config" / "aep-agent.yaml"
    lines = path.read_text().splitlines()
    told = explained(path, INLET)
    assert len(told) > 60
    for each in told.values():
        if found := re.fullmatch(rf"{re.escape(str(path))}:(\d+)( \(.+\))?", each.origin):
            key = each.key.rpartition(".")[2]
            assert f"{key}:" in lines[int(found[1]) - 1]
        else:
            assert each.origin in ("default", *(f"environment {name}" for name in INLET))


def test_flags_win_over_variables_which_win_over_the_file(file: Path) -> None:
    file.write_text("batch:\n  max_wait: 2s\n  max_records: 10\nlog:\n  level: debug\n")
    environ = {**INLET, "AEP_AGENT_BATCH__MAX_RECORDS": "20", "AEP_AGENT_LOG__LEVEL": "error"}
    told = explained(file, environ, log__level="warning")
    assert told["batch.max_wait"] == Setting("batch.max_wait", "2s", f"{file}:2")
    assert told["batch.max_records"] == Setting(
        "batch.max_records", 20, "environment AEP_AGENT_BATCH__MAX_RECORDS"
    )
    assert told["log.level"] == Setting("log.level", "warning", "command line")
    assert told["log.format"].is_default
    assert told["inlet.url"].origin == "environment AEP_INLET_URL"


def test_a_value_made_of_a_variable_names_it_and_not_what_stands_in_for_it(file: Path) -> None:
    file.write_text("inlet:\n  url: http://${HOST}/i\n  token: x${MORE:-geheim}\n  flow_id: f\n")
    told = explained(file, {"HOST": "127.0.0.1:9"})
    assert told["inlet.url"].origin == f"{file}:2 (${{HOST}})"
    assert told["inlet.token"].origin == f"{file}:3 (${{MORE}})"
    assert "geheim" not in repr(told)


def test_secrets_are_masked_wherever_they_come_from(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("geheim\n")
    file.write_text(
        "inlet:\n"
        "  headers: {x-api-key: geheim}\n"
        "  proxy: http://user:geheim@127.0.0.1:3128\n"
        f"  credentials: {{client_id: me, client_secret_file: {secret}}}\n"
        "sources:\n  - {type: http, listen: '127.0.0.1:0', token: geheim}\n"
    )
    told = explained(file, INLET)
    assert "geheim" not in repr(told)
    assert told["inlet.credentials.client_secret"].origin == f"secret file {secret}"
    assert told["inlet.credentials.client_secret_file"].value == str(secret)
    assert told["sources[0].token"] == Setting("sources[0].token", "**********", f"{file}:6")
    assert told["inlet.headers"].value == {"x-api-key": "**********"}


def test_what_a_flow_takes_from_the_top_level_has_the_origin_it_has_there(file: Path) -> None:
    file.write_text(
        "batch: {max_wait: 3s}\n"
        "flows:\n"
        "  a: {inlet: {flow_id: a}}\n"
        "  b:\n"
        "    inlet: {flow_id: b}\n"
        "    batch: {max_wait: 4s}\n"
        "sources: [{type: stdin, flow: a}]\n"
    )
    told = explained(file, {"AEP_INLET_URL": "http://127.0.0.1:9/i"})
    assert told["flows.a.batch.max_wait"] == Setting("flows.a.batch.max_wait", "3s", f"{file}:1")
    assert told["flows.b.batch.max_wait"].origin == f"{file}:6"
    assert told["flows.b.inlet.url"].origin == "environment AEP_INLET_URL"
    assert "batch.max_wait" not in told
