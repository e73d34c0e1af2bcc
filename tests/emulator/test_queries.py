"""A dataset is asked in SQL, and no question harms it or anything else."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from agent.emulator import queries
from agent.emulator.queries import QueryRefused


def _row(number: int, **entity: Any) -> bytes:
    head = {"xactionId": f"x{number}", "receivedTimeMs": number, "flowId": "f", "batchId": "b"}
    return json.dumps({**head, "entity": {"n": number, **entity}}).encode() + b"\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.ndjson"
    lines = [_row(number, person={"name": f"p{number}"}) for number in range(5)]
    file.write_bytes(b"".join(lines) + _row(5, tags=["a", "b"]))
    return file


def _contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


async def _ask(rows: Path, sql: str, **how: Any) -> Any:
    return json.loads(await queries.ask(rows, sql, **how))


async def test_fields_of_the_entity_are_columns_and_what_the_platform_added_is_one(
    rows: Path,
) -> None:
    answer = await _ask(
        rows, "SELECT person.name, n * 2 AS twice, _landed.xactionId FROM dataset WHERE n = 3"
    )
    assert answer == {
        "columns": ["name", "twice", "xactionId"],
        "rows": [["p3", 6, "x3"]],
        "truncated": False,
    }
    assert await _ask(rows, "FROM dataset SELECT count(*), sum(len(tags))") == {
        "columns": ["count_star()", "sum(len(tags))"],
        "rows": [[6, 2]],
        "truncated": False,
    }


async def test_a_dataset_without_rows_can_be_asked(tmp_path: Path) -> None:
    answer = await _ask(tmp_path / "none", "SELECT * FROM dataset")
    assert (answer["columns"], answer["rows"]) == (["_landed"], [])


async def test_values_that_json_does_not_have_are_told_as_text(rows: Path) -> None:
    sql = (
        "SELECT 'nan'::DOUBLE, DATE '2026-01-02', '\\x01'::BLOB, 1.50::DECIMAL(5,2),"
        " INTERVAL 1 DAY, 1::HUGEINT << 90, MAP {'a': 1}"
    )
    assert (await _ask(rows, sql))["rows"] == [
        ["nan", "2026-01-02", "AQ==", "1.50", "1 day, 0:00:00", 1 << 90, {"a": 1}]
    ]


async def test_an_answer_has_only_so_many_rows_and_says_so(rows: Path) -> None:
    answer = await _ask(rows, "SELECT n FROM dataset ORDER BY n", limit=2)
    assert (answer["rows"], answer["truncated"]) == ([[0], [1]], True)
    answer = await _ask(rows, "SELECT * FROM range(5000)", limit=1_000_000)
    assert (len(answer["rows"]), answer["truncated"]) == (queries.MAX_ROWS, True)


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{rows}'",
        "FROM sniff_csv('{secret}')",
        "SELECT * FROM glob('{directory}/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
        "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
        "SELECT * FROM rows",  # a variable of the program that asks
        "COPY dataset TO '{directory}/out.csv'",
        "COPY (SELECT 1) TO '{rows}'",
        "ATTACH '{directory}/out.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA enable_profiling",
        "DROP TABLE dataset",
        "INSERT INTO dataset SELECT * FROM dataset",
        "SELECT 1; DROP TABLE dataset",
        "WITH x AS (SELECT 1) DELETE FROM dataset",
        "SELECT repeat('x', 3000000000)",
        "SELECT list(range) FROM range(1000000000)",
        "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
        "SELECT" + " 1 +" * 30_000 + " 1",
        "SELECT " + "x" * queries.MAX_SQL,
        "",
    ],
)
async def test_a_question_that_is_no_harmless_select_is_refused(rows: Path, attack: str) -> None:
    secret = rows.with_name("secret.txt")
    secret.write_text("a secret")
    before = _contents(rows.parent)
    sql = attack.replace("{secret}", str(secret)).replace("{rows}", str(rows))
    with pytest.raises(QueryRefused) as refused:
        await queries.ask(rows, sql.replace("{directory}", str(rows.parent)), seconds=30)
    assert "a secret" not in str(refused.value)
    assert _contents(rows.parent) == before


async def test_a_question_that_takes_too_long_is_ended(rows: Path) -> None:
    endless = (
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) FROM t SELECT max(a)"
    )
    started = time.monotonic()
    with pytest.raises(QueryRefused, match="longer than 1 s"):
        await queries.ask(rows, endless, seconds=1)
    assert time.monotonic() - started < 15


async def test_settings_stay_as_they_are(rows: Path) -> None:
    (row,) = (await _ask(rows, "SELECT current_setting('enable_external_access')"))["rows"]
    assert row == [False]
