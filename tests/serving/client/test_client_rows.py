"""Files, texts and named values become the columns of a signature."""

import pytest

from preprocessing.errors import DataError, UsageError
from serving.client.rows import Rows, build_rows

ONE = {"text": "DT_STRING"}
MANY = {"image": "DT_STRING", "price": "DT_FLOAT", "count": "DT_INT64", "sold": "DT_BOOL"}


def _reason(*arguments, **rows):
    with pytest.raises(UsageError) as refused:
        build_rows(*arguments, **rows)
    return str(refused.value)


def test_a_file_or_a_text_is_a_row(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    name = str(tmp_path / "a.png")
    assert build_rows(ONE, files=[name]) == Rows([name], {"text": [b"\x89PNG"]})
    assert build_rows(ONE, texts=["a", "ü"]) == Rows(["a", "ü"], {"text": [b"a", b"\xc3\xbc"]})


def test_named_values_are_read_by_their_inputs_type(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    values = [f"image=@{tmp_path}/a.png", "price=1.5", "count=-2", "sold=true"]
    values += ["price=nan", "image=a=b", "count=3", "sold=0"]
    rows = build_rows(MANY, values=values)
    assert rows.names == ["1", "2"]
    assert rows.columns["image"] == [b"\x89PNG", b"a=b"]
    assert str(rows.columns["price"]) == "[1.5, nan]"
    assert rows.columns["count"] == [-2, 3]
    assert rows.columns["sold"] == [True, False]
    assert rows.part(1, 9).columns["count"] == [3]


@pytest.mark.parametrize(
    ("inputs", "rows", "reason"),
    [
        (ONE, {}, "Give files, or --text, or --input, and only one of these"),
        (
            ONE,
            {"texts": ["a"], "values": ["text=a"]},
            "Give files, or --text, or --input, and only one of these",
        ),
        (
            MANY,
            {"texts": ["a"]},
            "The model does not take one text or file alone\n  Received: ['a']\n  Valid: "
            "--input image=@FILE or a text, --input price=NUMBER, --input count=NUMBER, "
            "--input sold=true or false",
        ),
        (ONE, {"values": ["text"]}, "--input needs INPUT=VALUE or INPUT=@FILE\n  Received: 'text'"),
        (
            ONE,
            {"values": ["txet=a"]},
            "The model has no such input\n  Received: 'txet'\n  Valid: text\n"
            "  Did you mean 'text'?",
        ),
        (
            {"count": "DT_INT64"},
            {"values": ["count=1.5"]},
            "--input count takes a DT_INT64\n  Received: '1.5'",
        ),
        (
            {"sold": "DT_BOOL"},
            {"values": ["sold=maybe"]},
            "--input sold takes a DT_BOOL\n  Received: 'maybe'",
        ),
        (
            {"a": "DT_STRING", "b": "DT_STRING"},
            {"values": ["a=1", "a=2", "b=1"]},
            "Each input needs as many values as the others\n  Received: {'a': 2, 'b': 1}",
        ),
    ],
)
def test_rows_that_do_not_fit_the_inputs_are_explained(inputs, rows, reason):
    assert _reason(inputs, **rows) == reason


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = str(tmp_path / "absent.png")
    with pytest.raises(DataError) as refused:
        build_rows(ONE, files=[path])
    assert str(refused.value) == (
        f"The file cannot be read: No such file or directory\n  Received: '{path}'"
    )
