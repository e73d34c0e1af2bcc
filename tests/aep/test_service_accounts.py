"""Service accounts of old: what they sign, what it is exchanged for, and what can be wrong."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from aep.scripted import ORG, Answer, Asked, asking, client
from agent.emulator.options import CLIENT_ID, CLIENT_SECRET, EmulatorOptions
from agent.emulator.server import Emulator
from agent.errors import ConfigError, CredentialsRefused

SUBJECT = "0123@techacct.adobe.com"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def account(key_file: Path, token_url: str, **more: object) -> dict[str, object]:
    signing = {"technical_account": SUBJECT, "private_key_file": str(key_file), **more}
    return {
        "token": None,
        "api_key": None,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "token_url": token_url,
        "jwt": signing,
    }


async def test_what_is_signed_is_what_the_identity_service_asks_for(
    key: rsa.RSAPrivateKey, key_file: Path
) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/ims/"):
            return Answer({"access_token": "by-jwt", "expires_in": 86_399_992})
        return Answer({"items": []})

    async with asking(answer) as (_, script):
        chosen = account(key_file, f"{script.url}/ims/token/v3", metascopes=["one", "two"])
        async with client(script.url, **chosen) as platform:
            await platform.flow.find("flows")
            await platform.flow.find("flows")
    asked, first, _ = script.asked  # a life in milliseconds is no life of 1000 days, nor none
    assert asked.path == "/ims/exchange/jwt"
    assert first.headers["Authorization"] == "Bearer by-jwt"
    form = dict(pair.split("=", 1) for pair in asked.body.decode().split("&"))
    assert set(form) == {"client_id", "client_secret", "jwt_token"}
    claims = jwt.decode(
        form["jwt_token"], key.public_key(), ["RS256"], audience=f"{script.url}/c/{CLIENT_ID}"
    )
    assert (claims["iss"], claims["sub"]) == (ORG, SUBJECT)
    assert claims[f"{script.url}/s/one"] is claims[f"{script.url}/s/two"] is True


async def test_the_emulated_identity_service_takes_it(key_file: Path) -> None:
    options = EmulatorOptions(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    async with Emulator(options) as emulator:
        chosen = account(key_file, emulator.token_url)
        async with client(emulator.listening, **chosen) as platform:
            assert await platform.flow.find("connections") == []
        odd = account(key_file, emulator.token_url, metascopes=["something_else"])
        async with client(emulator.listening, **odd) as platform:
            with pytest.raises(CredentialsRefused, match="no metascope"):
                await platform.flow.find("connections")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file or directory"),
        (b"", "does not hold a private RSA key in PEM"),
        (
            b"-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n",
            "does not hold a private RSA key",
        ),
    ],
)
async def test_a_key_that_is_none_is_told(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    async with client("http://127.0.0.1:9", **account(file, "http://127.0.0.1:9/ims")) as platform:
        with pytest.raises(ConfigError, match=f"private_key_file .*{expected}"):
            await platform.flow.find("flows")


@pytest.mark.parametrize("kind", ["public", "of another kind", "with a password"])
async def test_another_key_than_a_private_one_of_rsa_is_told(tmp_path: Path, kind: str) -> None:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "public":
        content = private.public_key().public_bytes(
            pem, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    elif kind == "with a password":
        locked = serialization.BestAvailableEncryption(b"secret")
        content = private.private_bytes(pem, pkcs8, locked)
    else:
        other = ec.generate_private_key(ec.SECP256R1())
        content = other.private_bytes(pem, pkcs8, serialization.NoEncryption())
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    async with client("http://127.0.0.1:9", **account(file, "http://127.0.0.1:9/ims")) as platform:
        with pytest.raises(ConfigError, match="does not hold a private RSA key in PEM"):
            await platform.flow.find("flows")


@pytest.mark.parametrize("missing", ["jwt", "cryptography"])
def test_without_what_signs_it_is_said_how_to_have_it(key_file: Path, missing: str) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None; from pathlib import Path;"
        "from agent.aep.service_accounts import ServiceAccount;"
        f"ServiceAccount('c', 'o', 's', [], Path({str(key_file)!r})).form('https://x/y', 's', 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'aep-agent[jwt]'" in done.stderr
