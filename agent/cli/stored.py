"""What do the commands that use the store share? Finding it, and showing what it holds."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from agent.errors import InputError

if TYPE_CHECKING:
    import sqlite3


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """The flag that says where the store is."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="where the store is (AEP_AGENT_DATA_DIR, or where `aep-agent run` keeps it)",
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """The flags that say where the store is, a configuration among them."""
    add_data_dir(parser)
    parser.add_argument(
        "--config", "-c", metavar="FILE", help="configuration file that says where the store is"
    )


def add_since(parser: argparse.ArgumentParser) -> None:
    """The flag that says from when on."""
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=moment,
        help="only from then on: an age such as 2h or 1h30m, or an ISO 8601 time (UTC unless it"
        " says otherwise)",
    )


def moment(text: str) -> float:
    """Seconds since 1970 for an age (`2h`, `30d`) or an ISO 8601 time.

    Raises argparse.ArgumentTypeError for anything else.
    """
    import time

    from agent.config.units import parse_duration

    try:
        return time.time() - parse_duration(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither an age such as 2h nor a time such as 2026-05-04T12:00:00Z"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


@contextmanager
def reading(args: argparse.Namespace) -> Iterator["sqlite3.Connection | None"]:
    """A connection to the store that *args* name; None, and a word about it, where there is none.

    Raises StoreError, saying what to do, where the store cannot be read.
    """
    from agent.store.database import open_for_reading

    with _using(args, open_for_reading) as connection:
        yield connection


@contextmanager
def writing(args: argparse.Namespace) -> Iterator["sqlite3.Connection | None"]:
    """As `reading`, with a connection that can also write."""
    from agent.store.database import open_for_removing

    with _using(args, open_for_removing) as connection:
        yield connection


def data_dir_of(args: argparse.Namespace) -> Path:
    """Where the store is: as flags, environment and configuration say, in this order.

    Raises ConfigError where the configuration is wrong.
    """
    from agent.config import default_data_dir, load

    told = args.data_dir or os.environ.get("AEP_AGENT_DATA_DIR")
    if told:
        return Path(told)
    if config := getattr(args, "config", None):
        return load(Path(config)).data_dir
    return default_data_dir(os.environ)


def store_flags(data_dir: Path) -> str:
    """What has a command of this shell find this store: nothing, where it would anyway."""
    from agent.config import default_data_dir

    found = os.environ.get("AEP_AGENT_DATA_DIR") or default_data_dir(os.environ)
    return "" if Path(found) == data_dir else f" --data-dir {shlex.quote(str(data_dir))}"


@contextmanager
def _using(
    args: argparse.Namespace, open_in: "Callable[[Path], sqlite3.Connection | None]"
) -> Iterator["sqlite3.Connection | None"]:
    from agent.store.database import FILE_NAME
    from agent.store.trouble import readable_errors

    data_dir = data_dir_of(args)
    connection = open_in(data_dir)
    if connection is None:
        say(f"no store at {data_dir} yet; --data-dir or AEP_AGENT_DATA_DIR name another place")
        yield None
        return
    try:
        with readable_errors(data_dir / FILE_NAME):
            yield connection
    finally:
        connection.close()


@contextmanager
def output(path: str | None) -> Iterator[BinaryIO]:
    """Where an export goes: the file, made for its owner only, or standard output.

    Raises InputError where the file cannot be written.
    """
    if path is None or path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    with file:
        yield file


def say(words: str) -> None:
    """A word to the person at the terminal, apart from what is piped on."""
    print(words, file=sys.stderr)


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things: `1 batch`, `2,000 batches`; *many* is *one* and an s where not given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601, in UTC with milliseconds."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def when(seconds: float, now: float) -> str:
    """A moment as people say it: the time where it was today, else the day too; in UTC."""
    moment_then = datetime.fromtimestamp(seconds, UTC)
    if moment_then.date() == datetime.fromtimestamp(now, UTC).date():
        return f"{moment_then:%H:%M:%S}"
    return f"{moment_then:%Y-%m-%d %H:%M}"


def printable(text: str) -> str:
    """The text with every character escaped that could play tricks on a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def shortened(text: str, length: int) -> str:
    """The printable text, cut to so many characters."""
    shown = printable(text[: length + 1])
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"
