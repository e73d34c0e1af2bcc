"""Is each setting that matters told in a line?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.summary import summary

if TYPE_CHECKING:
    from agent.config.model import Config

XDM = "envelope: {type: xdm, schema_id: s, dataset_id: d}"


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "envelope", "raw, flow the-flow"),
        (f"inlet: {{{XDM}}}", "envelope", "xdm, schema s, dataset d, flow the-flow"),
        ("inlet: {mode: single}", "requests", "one record each, up to 1MB, gzip where the inlet"),
        ("inlet: {compression: none}", "requests", "batches, up to 1MB, not compressed"),
        ("", "access", "no token"),
        ("inlet: {token: hunter2}", "access", "a token from the configuration"),
        (
            "inlet: {sandbox: dev, headers: {x-key: hunter2}, proxy: 'http://u:hunter2@p'}",
            "access",
            "no token; sandbox dev; headers x-key; through a proxy",
        ),
        (
            "inlet: {credentials: {client_id: me, client_secret: hunter2, org_id: A@AdobeOrg}}",
            "access",
            "tokens from ims-na1.adobelogin.com for me with the secret in the configuration; "
            "organisation A@AdobeOrg",
        ),
        ("sources: [{type: file, paths: [a, b]}]", "sources", "files a, b"),
        ("sources: [{type: unix, listen: /run/a}]", "sources", "unix /run/a"),
        (
            "sources: [{type: tcp, listen: 'h:1', name: t, framing: nul, allow: [10.0.0.0/8],"
            " tls: {cert_file: a, client_ca_file: b}}]",
            "sources",
            "tcp h:1 (t), nul, TLS with client certificates, only from 10.0.0.0/8",
        ),
        ("", "record ids", "none added"),
        ("record_id: {add: position}", "record ids", "_id added where it is missing, made of sour"),
        ("record_id: {add: content, field: key}", "record ids", "key added where it is missing"),
        ("", "delivery", "up to 32 requests in flight"),
        ("delivery: {concurrency: fixed}", "delivery", "32 requests in flight"),
        ("receipts: {enabled: false}", "receipts", "off"),
        ("admin: {listen: null}", "admin", "off"),
        (
            "admin: {listen: '0.0.0.0:9600', token: t,"
            " tls: {cert_file: /dev/null, client_ca_file: /dev/null}}",
            "admin",
            "https://0.0.0.0:9600 for whoever knows the token with a client certificate",
        ),
        ("log: {repeat: 0}", "log", "info, auto; every repeat"),
    ],
)
def test_a_setting_is_told_in_words(
    configured: Callable[..., "Config"], text: str, name: str, words: str
) -> None:
    assert summary(configured(text))[name].startswith(words)


def test_a_token_file_is_named_not_read(
    configured: Callable[..., "Config"], tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("hunter2")
    assert summary(configured(f"inlet: {{token_file: {file}}}"))["access"] == f"the token in {file}"


@pytest.mark.parametrize(
    ("text", "words"),
    [("inlet: {}", "raw, the flow in the URL"), (f"inlet: {{{XDM}}}", "xdm, schema s, dataset d")],
)
def test_the_flow_may_be_elsewhere(
    configured: Callable[..., "Config"], text: str, words: str
) -> None:
    environ = {"AEP_INLET_URL": "https://x/collection/1?x-adobe-flow-id=f"}
    assert summary(configured(text, environ))["envelope"] == words
