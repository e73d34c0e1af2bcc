import sqlite3
from contextlib import closing
from itertools import combinations

from agent.store.database import open_for_writing
from agent.store.layout import Shape, last_root, root_of, shapes
from store.filled import make_filled


def may_be_mixed_up(one: Shape, other: Shape) -> bool:
    """Whether some row could belong to either."""
    shortest = max(one.fewest, other.fewest)
    if one.in_index != other.in_index or shortest > min(len(one.kinds), len(other.kinds)):
        return False
    columns = zip(one.kinds, one.nullable, other.kinds, other.nullable, strict=False)
    return all(
        kind == kind_too or (null and null_too) for kind, null, kind_too, null_too in columns
    )


def test_no_two_tables_have_rows_of_the_same_shape():
    pairs = [
        (one.table, other.table)
        for one, other in combinations(shapes(), 2)
        if may_be_mixed_up(one, other)
    ]
    assert pairs == []


def test_no_entry_of_an_index_looks_like_a_row(tmp_path):
    path = make_filled(tmp_path)
    in_index = {shape.table: shape for shape in shapes() if shape.in_index}
    kinds = {"INTEGER": 1, "TEXT": 13, "BLOB": 12}
    with closing(sqlite3.connect(path)) as connection:
        for name, table in connection.execute(
            "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'"
        ).fetchall():
            if name.startswith("sqlite_autoindex") and table in in_index:
                continue  # that is the table itself
            columns = connection.execute(f"PRAGMA index_xinfo({name})").fetchall()
            declared = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({table})")}
            types = [kinds[declared.get(column[2], "INTEGER")] for column in columns]
            assert not [each.table for each in in_index.values() if each.fits(types)], name


def test_roots_are_on_the_same_pages_in_every_store(tmp_path):
    path = make_filled(tmp_path / "filled")
    open_for_writing(tmp_path / "new")[0].close()
    for each in (path, tmp_path / "new" / "store.db"):
        with closing(sqlite3.connect(each)) as connection:
            query = "SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"
            roots = dict(connection.execute(query))
        assert max(roots.values()) == last_root()
        assert roots["ledger"] == root_of("ledger")
