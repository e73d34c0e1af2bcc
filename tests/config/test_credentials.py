"""As whom are tokens asked for, and does a secret out of a file stay one?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.credentials import SCOPES, read_word
from agent.config.showing import shown
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

Configured = Callable[..., "Config"]
SECRET = "hunter2-hunter2"


def credentials(keys: str) -> str:
    return f"inlet: {{credentials: {{client_id: id, {keys}}}}}"


def test_an_id_and_a_secret_are_all_it_takes(configured: Configured) -> None:
    found = configured(credentials(f"client_secret: {SECRET}")).inlet.credentials
    assert found.read_secret() == SECRET
    assert found.token_url == "https://ims-na1.adobelogin.com/ims/token/v3"
    assert found.scopes == SCOPES
    assert (found.renew_before, found.refresh_interval, found.org_id) == (300, 10, None)


def test_a_secret_in_a_file_is_read_each_time(configured: Configured, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    found = configured(credentials(f"client_secret_file: {file}")).inlet.credentials
    assert found.read_secret() == "first"
    file.write_text("second")
    assert found.read_secret() == "second"
    file.unlink()
    with pytest.raises(
        ConfigError, match=r"^inlet\.credentials\.client_secret_file \(/.*\): No such"
    ):
        found.read_secret()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "it does not hold one token"),
        (b"two words", "it does not hold one token"),
        (b"two\nlines", "it does not hold one token"),
        (b"\xff", "it is not ASCII text"),
    ],
)
def test_a_file_without_one_word_is_said(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^inlet\.token_file \(/.*/token\): {reason}$"):
        read_word(file, "inlet.token_file", "token")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inlet: {credentials: {client_secret: x}}", "inlet.credentials.client_id: missing"),
        (credentials("scopes: [a]"), "write either client_secret or client_secret_file, and one"),
        (
            credentials("client_secret: x, client_secret_file: /dev/null"),
            "write either client_secret or client_secret_file, and one of the two",
        ),
        (credentials("client_secret: x, scopes: []"), "write at least one scope"),
        (
            "inlet: {token: t, credentials: {client_id: i, client_secret: x}}",
            "write either inlet.credentials or inlet.token, not both",
        ),
        (
            "inlet: {headers: {Authorization: x}, credentials: {client_id: i, client_secret: x}}",
            "write either an Authorization header or inlet.credentials, not both",
        ),
        (
            "inlet: {headers: {X-Gw-Ims-Org-Id: a}, "
            "credentials: {client_id: i, client_secret: x, org_id: a}}",
            "write either the header x-gw-ims-org-id or inlet.credentials.org_id, not both",
        ),
        (
            credentials("client_secret_file: /nowhere/secret"),
            "cannot be read: no such file or directory; write another path",
        ),
        (
            credentials("client_secret_file: /dev/null"),
            "which does not hold one client secret; write the client secret into it",
        ),
    ],
)
def test_a_credential_that_cannot_work_is_said(
    report: Callable[..., list[str]], text: str, words: str
) -> None:
    assert any(words in line for line in report(text)), report(text)


def test_a_secret_is_neither_shown_nor_dumped(configured: Configured) -> None:
    config = configured(credentials(f"client_secret: {SECRET}"))
    assert SECRET not in f"{config!r} {config} {shown(config)}"


def test_a_wrong_secret_is_not_quoted(report: Callable[..., list[str]]) -> None:
    assert "hunter2" not in str(report(credentials("client_secret: 'hunter2 hunter2'")))


def test_the_environment_can_bring_all_of_it(configured: Configured) -> None:
    variables = {
        "AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123",
        "AEP_FLOW_ID": "f",
        "AEP_AGENT_INLET__CREDENTIALS__CLIENT_ID": "id",
        "AEP_AGENT_INLET__CREDENTIALS__CLIENT_SECRET": SECRET,
    }
    assert configured("", variables).inlet.credentials.read_secret() == SECRET
