"""Tokens that somebody else issued: fixed ones, and those in a file that may be replaced."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from agent.aep import tokens as module
from agent.aep.tokens import FixedToken, Hidden, TokenFile, WatchedFile
from agent.config.credentials import read_word
from agent.errors import ConfigError
from agent.telemetry.redaction import scrub_text
from delivery.rig import until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("token-one\n")
    return path


def put(file: Path, content: bytes | None) -> None:
    """What is in the file from now on; None removes it."""
    file.unlink(missing_ok=True)
    if content is not None:
        file.write_bytes(content)


@asynccontextmanager
async def reading(file: Path) -> AsyncIterator[tuple[TokenFile, list[str]]]:
    """A token file whose task runs, and the tokens it changed to."""
    tokens = TokenFile(file, partial(read_word, file, "inlet.token_file", "token"))
    changes: list[str] = []
    tokens.on_change = lambda: changes.append(tokens._token)
    task = asyncio.create_task(tokens.run())
    try:
        yield tokens, changes
    finally:
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_inlet_without_token_has_none_and_a_fixed_one_stays() -> None:
    assert await FixedToken().current() is None
    fixed = FixedToken("for-ever-and-a-day")
    fixed.refused("for-ever-and-a-day")
    assert await fixed.current() == "for-ever-and-a-day"
    assert scrub_text("it is for-ever-and-a-day") == "it is [redacted]"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await fixed.run()


def test_a_token_file_that_holds_none_at_the_start_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(ConfigError, match="No such file"):
        TokenFile(path, partial(read_word, path, "inlet.token_file", "token"))


async def test_a_token_that_is_refused_is_read_again_at_once(file: Path) -> None:
    async with reading(file) as (tokens, changes):
        put(file, b"token-two")
        tokens.refused("token-one")
        await until(lambda: changes == ["token-two"])
        tokens.refused("token-one")
        assert not tokens._refused.is_set()


def replaced(file: Path) -> None:
    new = file.with_name("new")
    new.write_text("token-two")
    new.replace(file)


def rewritten_with_the_same_size_and_time(file: Path) -> None:
    before = file.stat()
    file.unlink()
    keep = file.with_name("keep")  # takes the inode, so that the new file gets another
    keep.touch()
    file.write_text("token-two\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "rotate",
    [replaced, rewritten_with_the_same_size_and_time, lambda file: file.write_text("token-two")],
)
async def test_a_token_that_is_replaced_is_read_before_the_old_one_is_refused(
    file: Path, rotate: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
    async with reading(file) as (tokens, changes):
        rotate(file)
        await until(lambda: changes == ["token-two"])
        assert await tokens.current() == "token-two"


@pytest.mark.parametrize("content", [None, b"", b"two words", b"\xff\xfe"])
async def test_a_token_that_cannot_be_read_again_leaves_the_old_one(
    file: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
    async with reading(file) as (tokens, changes):
        put(file, content)
        tokens.refused("token-one")
        await until(lambda: "the token cannot be read again" in log.getvalue())
        assert (await tokens.current(), changes) == ("token-one", [])
        put(file, b"token-two")
        await until(lambda: changes == ["token-two"])
    assert "token-two" not in log.getvalue()


def test_a_file_that_is_gone_has_not_changed(file: Path) -> None:
    watched = WatchedFile(file)
    assert [watched.look(), watched.look()] == [True, False]
    file.unlink()
    assert not watched.look()
    file.write_text("token-one\n")
    assert watched.look()


def test_of_secrets_that_take_each_others_place_the_last_two_are_hidden() -> None:
    hidden = Hidden()
    for number in range(5):
        hidden.add(f"secret-number-{number}")
        hidden.add(f"secret-number-{number}")
    shown = [scrub_text(f"a secret-number-{number}") for number in range(5)]
    assert shown == [f"a secret-number-{number}" for number in range(3)] + ["a [redacted]"] * 2
