"""What does a dataset hold, asked in SQL, with no way to harm or to look elsewhere?

A query runs in a process of its own: DuckDB reads the rows into memory first, then every way to
files, networks and extensions is closed and locked, and only then it sees the query, which must be
one SELECT. The process may not write files at all, has a limit of memory, and is killed when its
time is up; no query takes the emulator down.

The table `dataset` has the fields of the entity as columns, and `_landed` with xactionId,
receivedTimeMs, flowId and batchId.
"""

import asyncio
import base64
import contextlib
import datetime
import decimal
import importlib.util
import json
import math
import resource
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError

if TYPE_CHECKING:
    import duckdb

SECONDS = 15.0
EXPORT_SECONDS = 60.0
MAX_ROWS = 1_000
MAX_ANSWER_BYTES = 8_000_000
MAX_SQL = 100_000
MEMORY = "512MB"
ADDRESS_SPACE = 3 << 29  # bytes, much of which is only reserved
INSTALL = "SQL needs DuckDB: pip install 'aep-agent[emulator]'"

_CLOSED = (
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class QueryRefused(AgentError):
    """The query is not one that is answered, failed, or took too long; the text says which."""


def is_installed() -> bool:
    """Whether there is a DuckDB to ask."""
    return importlib.util.find_spec("duckdb") is not None


async def ask(rows: Path, sql: str, limit: int = MAX_ROWS, seconds: float = SECONDS) -> bytes:
    """The answer to a query as JSON: {"columns", "rows", "truncated"}. Raises QueryRefused."""
    if len(sql) > MAX_SQL:
        raise QueryRefused(f"the query is longer than {MAX_SQL} characters")
    return await _answer({"rows": str(rows), "sql": sql, "limit": min(limit, MAX_ROWS)}, seconds)


async def write_parquet(rows: Path, file: Path, seconds: float = EXPORT_SECONDS) -> None:
    """Write the rows as one Parquet file, with the columns of `dataset`. Raises QueryRefused."""
    await _answer({"rows": str(rows), "parquet": str(file)}, seconds)


async def _answer(question: dict[str, Any], seconds: float) -> bytes:
    """What the process says to a question. Raises QueryRefused."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "agent.emulator.queries"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            answer, _ = await process.communicate(json.dumps(question).encode())
    except TimeoutError:
        raise QueryRefused(f"the query took longer than {seconds:g} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise QueryRefused("the query needed more memory than there is for it, or broke the engine")
    kind, _, content = answer.partition(b"\n")
    if kind != b"answer":
        raise QueryRefused(content.decode("utf-8", "replace"))
    return content


def _answered(question: dict[str, Any]) -> dict[str, Any]:
    """Answer one question here and now. Raises duckdb.Error or QueryRefused."""
    import duckdb

    with duckdb.connect(
        ":memory:", config={"threads": 1, "memory_limit": MEMORY, "temp_directory": ""}
    ) as connection:
        _load(connection, Path(question["rows"]))
        if "parquet" in question:
            connection.table("dataset").write_parquet(question["parquet"])
            return {}
        for setting in _CLOSED:
            connection.execute(setting)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        statements = connection.extract_statements(question["sql"])
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise QueryRefused("write one SELECT, such as: select * from dataset limit 10")
        connection.execute(statements[0])
        columns = [each[0] for each in connection.description or ()]
        rows = connection.fetchmany(question["limit"] + 1)
    return {
        "columns": columns,
        "rows": [[_plain(value) for value in row] for row in rows[: question["limit"]]],
        "truncated": len(rows) > question["limit"],
    }


def _load(connection: "duckdb.DuckDBPyConnection", rows: Path) -> None:
    if not rows.exists() or not rows.stat().st_size:
        connection.execute(
            "CREATE TABLE dataset (_landed STRUCT(xactionId VARCHAR, receivedTimeMs BIGINT,"
            " flowId VARCHAR, batchId VARCHAR))"
        )
        return
    connection.execute(
        "CREATE TABLE dataset AS SELECT entity.*, struct_pack(xactionId := xactionId,"
        " receivedTimeMs := receivedTimeMs, flowId := flowId, batchId := batchId) AS _landed"
        " FROM read_json(?, format = 'newline_delimited', sample_size = -1,"
        " maximum_object_size = 16000000, convert_strings_to_integers = false,"
        " map_inference_threshold = -1)",
        [str(rows)],
    )


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, decimal.Decimal | uuid.UUID | datetime.timedelta):
        return str(value)
    return value


def _serve() -> None:
    """Answer the question on standard input: a line `answer` or `refused`, then the content."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import duckdb

    try:
        content = json.dumps(_answered(json.load(sys.stdin))).encode()
        if len(content) > MAX_ANSWER_BYTES:
            raise QueryRefused(f"the answer is longer than {MAX_ANSWER_BYTES} bytes; ask for less")
    except (QueryRefused, duckdb.Error, MemoryError, RecursionError) as error:
        message = str(error) or "the query needed more memory than there is for it"
        sys.stdout.buffer.write(b"refused\n" + message.encode("utf-8", "replace"))
        return
    sys.stdout.buffer.write(b"answer\n" + content)


if __name__ == "__main__":
    _serve()
