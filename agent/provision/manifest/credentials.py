"""What are the secrets that a manifest names, as they are now?

They are read each time one is sent, stay in the body of that one call, and are hidden from then on
wherever text leaves the program.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from agent.config.credentials import as_it_is_now
from agent.config.keys import KeyPath
from agent.config.masking import Secret
from agent.errors import ConfigError
from agent.provision.manifest.model import Manifest
from agent.provision.manifest.source import EventHubs, Kinesis, PubSub
from agent.telemetry.logs import redact

_KEY_BYTES_MAX = 65_536


def secret_key(source: Kinesis) -> str:
    """The secret access key. ConfigError where its file does not hold one."""
    return _word(source.secret_key, source.secret_key_file, "source.secret_key_file", "secret key")


def access_key_id(source: Kinesis) -> str:
    """The access key id."""
    return _word(source.access_key_id, None, "source.access_key_id", "access key id")


def sas_key(source: EventHubs) -> str:
    """The shared access key. ConfigError where its file does not hold one."""
    return _word(source.sas_key, source.sas_key_file, "source.sas_key_file", "shared access key")


def google_key(source: PubSub) -> str:
    """The key of the service account, JSON. ConfigError where that is not what is there."""
    key = "source.credentials"
    if source.credentials is not None:
        text = source.credentials.reveal()
    else:
        assert source.credentials_file
        key = f"source.credentials_file ({source.credentials_file})"
        try:
            with source.credentials_file.open("rb") as file:
                text = file.read(_KEY_BYTES_MAX).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError(f"{key}: {reason}") from error
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{key}: it does not hold the key of a service account, which is JSON")
    for name in ("private_key", "private_key_id"):
        if isinstance(found.get(name), str):
            redact(found[name])
    redact(text)
    return text


def unreadable_secrets(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Files of secrets that cannot be read, or hold something else."""
    for read in _readers(manifest):
        try:
            read()
        except ConfigError as error:
            key, _, reason = str(error).partition(": ")
            name, _, _ = key.partition(" (")
            yield tuple(name.split(".")), f"{reason}; write what it should hold into that file"


def _readers(manifest: Manifest) -> Iterator[Callable[[], str]]:
    """What reads each secret that is in a file."""
    source, platform = manifest.source, manifest.platform
    if isinstance(source, Kinesis):
        yield partial(secret_key, source)
    elif isinstance(source, EventHubs):
        yield partial(sas_key, source)
    elif isinstance(source, PubSub):
        yield partial(google_key, source)
    if platform.client_secret_file:
        yield platform.read_secret
    if platform.token_file:
        yield platform.read_token


def _word(told: Secret | None, file: Path | None, key: str, noun: str) -> str:
    word = as_it_is_now(told, file, key, noun)
    assert word is not None
    redact(word)
    return word
