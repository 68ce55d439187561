import csv

import pytest

from benchmarks.speed.texts import sized_table


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text('text,category\n"a, and\nmore",x\nb,y\nc,z\n', encoding="utf-8")
    return path


def test_rows_are_drawn_and_stay_whole(table, tmp_path):
    sized = sized_table(table, tmp_path / "data", 2)
    with table.open(newline="") as file:
        everything = list(csv.reader(file))
    with sized.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == everything[0]
    assert len(rows) == 2
    assert all(row in everything for row in rows)


def test_a_table_with_too_few_rows_is_refused(table, tmp_path):
    with pytest.raises(ValueError, match="has 3 rows, fewer than 10,000"):
        sized_table(table, tmp_path / "data", 10_000)
