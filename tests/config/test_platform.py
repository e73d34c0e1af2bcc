"""The control plane's section: whom it is asked as, and inlets that are looked up through it."""

from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.config.showing import shown
from agent.errors import ConfigError

PLATFORM = "platform: {org_id: o@AdobeOrg, client_id: me, client_secret: s3cret-secret}\n"


def read(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Any:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return load(file, environ=environ or {})


def report(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text, environ)
    assert "s3cret" not in str(raised.value)
    return [line.removeprefix(f"{tmp_path}/") for line in str(raised.value).splitlines()]


def test_an_inlet_may_be_the_name_or_the_id_of_its_flow(tmp_path: Path) -> None:
    by_name = read(tmp_path, f"{PLATFORM}inlet: {{flow: my orders}}")
    assert (by_name.inlet.flow, by_name.inlet.url) == ("my orders", "")
    by_id = read(tmp_path, f"{PLATFORM}inlet: {{flow_id: f1}}")
    assert (by_id.inlet.flow_id, by_id.inlet.is_looked_up) == ("f1", True)
    assert by_id.platform.key == "me"
    assert by_id.platform.url == "https://platform.adobe.io"
    assert "s3cret" not in f"{shown(by_id)} {by_id!r}"
    assert by_id.warnings == ()


def test_the_environment_can_say_all_of_it(tmp_path: Path) -> None:
    environ = {
        "AEP_AGENT_PLATFORM__ORG_ID": "o",
        "AEP_AGENT_PLATFORM__TOKEN": "t",
        "AEP_AGENT_PLATFORM__API_KEY": "k",
        "AEP_AGENT_INLET__FLOW": "orders",
    }
    config = load(None, environ=environ)
    assert config.inlet
    assert config.platform
    assert (config.inlet.flow, config.platform.read_token()) == ("orders", "t")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inlet: {flow: x}", 'config.yaml:1: inlet.flow: found "x", which is looked up there'),
        ("inlet: {flow_id: x}", "config.yaml:1: inlet.url: missing; write one such as https://dcs"),
        (
            f"inlet: {{flow: x, url: 'https://x/y'}}\n{PLATFORM}",
            'config.yaml:1: inlet.flow: found "x"; write either inlet.url, with flow_id, or',
        ),
        (
            f"inlet: {{flow: x, flow_id: y}}\n{PLATFORM}",
            'config.yaml:1: inlet.flow_id: found "y"; write either inlet.flow_id or inlet.flow',
        ),
        ("inlet: {flow: x}\nplatform: {}", "config.yaml:2: platform: missing; write keys"),
    ],
)
def test_what_is_missing_or_too_much_is_told(tmp_path: Path, text: str, expected: str) -> None:
    lines = report(tmp_path, text)
    assert any(line.startswith(expected.split(": ", 1)[0]) for line in lines), lines
    if "platform: {}" not in text:
        assert lines[0].startswith(expected), lines


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("client_id: me", "write client_secret or client_secret_file beside client_id"),
        ("client_secret: s3cret-x", "write client_id beside the client secret"),
        ("api_key: k", "write client_id and client_secret, or a token, beside org_id"),
        ("token: s3cret-t", "api_key: missing; write the API key beside the token"),
        ("token: s3cret-t, token_file: /dev/null, api_key: k", "not both"),
        ("client_id: m, client_secret: s3cret-x, client_secret_file: /dev/null", "not both"),
        ("client_id: m, client_secret: s3cret-x, token: s3cret-t", "either a token or a client_se"),
        ("token: s3cret-t, api_key: k, scopes: []", "write at least one scope"),
        ("token: s3cret-t, api_key: k, url: platform", "platform.url: found"),
        (
            "token: s3cret-t, api_key: k, jwt: {technical_account: t, private_key_file: /dev/null}",
            "write either platform.jwt, beside client_id and client_secret, or a token",
        ),
        (
            "client_id: m, client_secret: s3cret-x, jwt: {technical_account: t,"
            " private_key_file: /nowhere/x}",
            "platform.jwt.private_key_file: found",
        ),
        (
            "client_id: m, client_secret: s3cret-x, jwt: {technical_account: t,"
            " private_key_file: /dev/null, metascopes: []}",
            "write at least one metascope",
        ),
        ("token_file: /nowhere/x, api_key: k", "cannot be read: no such file"),
        ("token: s3cret-t, api_key: k, tls: {ca_file: /nowhere/x}", "platform.tls.ca_file: found"),
    ],
)
def test_who_asks_is_said_in_one_way(tmp_path: Path, said: str, expected: str) -> None:
    (tmp_path / "empty").touch()
    lines = report(tmp_path, f"inlet: {{flow: x}}\nplatform: {{org_id: o, {said}}}")
    assert any(expected in line for line in lines), lines
    assert all(line.startswith("config.yaml:2: platform") for line in lines), lines


def test_a_flow_takes_nothing_from_the_top_level_that_stands_for_its_own(tmp_path: Path) -> None:
    text = (
        f"{PLATFORM}inlet: {{url: 'https://x/collection/1'}}\n"
        "flows:\n  a: {inlet: {flow_id: f1}}\n  b: {inlet: {flow: orders}}\n"
        "  c: {inlet: {flow: clicks}}\n"
        "sources: [{type: stdin, flow: a}]"
    )
    flows = read(tmp_path, text).flows
    assert (flows["a"].inlet.url, flows["a"].inlet.flow_id) == ("https://x/collection/1", "f1")
    assert (flows["b"].inlet.url, flows["b"].inlet.flow) == ("", "orders")
    text = "flows:\n  a: {inlet: {flow: orders}}\n  b: {inlet: {flow: clicks}}\nsources: []\n"
    lines = report(tmp_path, text.replace("sources: []", "sources: [{type: stdin, flow: a}]"))
    assert [line.split(": ")[1] for line in lines] == ["flows.a.inlet.flow", "flows.b.inlet.flow"]


def test_two_flows_that_mean_the_same_are_one_too_many(tmp_path: Path) -> None:
    text = (
        f"{PLATFORM}flows:\n  a: {{inlet: {{flow: orders}}}}\n  b: {{inlet: {{flow: orders}}}}\n"
        "sources: [{type: stdin, flow: a}]"
    )
    (line,) = report(tmp_path, text)
    assert "flows.b.inlet: goes where flow a goes" in line


def test_secrets_in_files_are_read_when_they_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    text = (
        f"platform: {{org_id: o, client_id: c, client_secret_file: '{file}'}}\ninlet: {{flow: x}}"
    )
    platform = read(tmp_path, text).platform
    assert platform.read_secret() == "first"
    file.write_text("second\n")
    assert platform.read_secret() == "second"
