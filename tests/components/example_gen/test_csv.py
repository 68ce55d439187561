"""Tables as people have them."""

import pytest

from components.example_gen.config import CsvSource
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.csv import read
from preprocessing.config import ImageFeature
from preprocessing.errors import DataError

IMAGE = ImageFeature(backbone="hub:x")
COLUMNS = Columns.of({"image": IMAGE})


@pytest.fixture
def make_table(tmp_path):
    def make(text: str | bytes, name: str = "all.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return make


def _read(path, columns=COLUMNS, split_column=None):
    return read(CsvSource(kind="csv", path=path, split_column=split_column), columns)


def test_paths_are_relative_to_the_table(make_table, tmp_path):
    path = make_table("image,label\nx/1.png,cat\n/abs/2.png,dog\ngs://b/3.png,dog\n")
    rows = _read(path).rows
    assert [row.values["image"] for row in rows] == [
        str(tmp_path / "x/1.png"),
        "/abs/2.png",
        "gs://b/3.png",
    ]
    assert [(row.source, row.label) for row in rows] == [
        ("all.csv:2", "cat"),
        ("all.csv:3", "dog"),
        ("all.csv:4", "dog"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_delimiters_and_line_ends_do_not_matter(make_table, delimiter, start, end):
    lines = [["label", "image", '"say, what"'], ["cät", "1.png", "a b"]]
    text = "".join(delimiter.join(line) + end for line in lines)
    (row,) = _read(make_table(start + text.encode()), Columns.of({"image": IMAGE})).rows
    assert row.label == "cät"


def test_cells_may_hold_delimiters_quotes_and_line_breaks(make_table):
    path = make_table(
        'image,label,about\n"a,1.png","the ""big"" cat",x\n\n2.png,dog,"y\nz"\n3.png,dog,\n'
    )
    rows = _read(path, Columns.of({"image": IMAGE}, carry=("about",))).rows
    assert [row.label for row in rows] == ['the "big" cat', "dog", "dog"]
    assert [row.carried["about"] for row in rows] == ["x", "y\nz", ""]
    assert rows[-1].source == "all.csv:5"


@pytest.mark.parametrize(
    ("name", "split"), [("train", "train"), ("Val", "eval"), ("dev", "eval"), ("test", "test")]
)
def test_the_split_column_is_understood(make_table, name, split):
    path = make_table(f"image,label,part\n1.png,a,{name}\n")
    assert _read(path, split_column="part").rows[0].split == split


def test_an_unknown_split_names_row_and_value(make_table):
    path = make_table("image,label,part\n1.png,a,train\n2.png,a,tets\n")
    with pytest.raises(DataError) as error:
        _read(path, split_column="part")
    assert str(error.value) == (
        "all.csv:3: column 'part' must name a split.\n"
        "  Received: 'tets'\n"
        "  Valid: train, eval, test, val\n"
        "  Did you mean 'test'?"
    )


def test_each_split_may_have_its_own_table(make_table):
    one = make_table("image,label\n1.png,a\n", "one.csv")
    two = make_table("image,label\n2.png,b\n", "two.csv")
    rows = _read({"train": one, "test": two}).rows
    assert [(row.source, row.split) for row in rows] == [
        ("one.csv:2", "train"),
        ("two.csv:2", "test"),
    ]


def test_a_missing_column_suggests_the_closest(make_table):
    path = make_table("images,label\n1.png,a\n")
    with pytest.raises(DataError) as error:
        _read(path)
    assert str(error.value) == (
        f"{path}: the table has no such column.\n"
        "  Received: 'image'\n"
        "  Valid: images, label\n"
        "  Did you mean 'images'?"
    )


@pytest.mark.parametrize("columns", [Columns.of({"image": IMAGE}, group_by="owner")])
def test_the_column_of_groups_must_exist(make_table, columns):
    with pytest.raises(DataError, match="no such column"):
        _read(make_table("image,label\n1.png,a\n"), columns)


def test_groups_are_read_and_an_empty_one_is_none(make_table):
    path = make_table("image,label,owner\n1.png,a,Ann\n2.png,a,\n")
    rows = _read(path, Columns.of({"image": IMAGE}, group_by="owner")).rows
    assert [row.group for row in rows] == ["Ann", None]


def test_incomplete_rows_are_quarantined_with_their_reasons(make_table):
    path = make_table("image,label\n1.png,a\n2.png,\n,a\n3.png\n4.png,a,b\n")
    table = _read(path)
    assert len(table.rows) == 1
    assert [(one.source, one.reason) for one in table.quarantined] == [
        ("all.csv:3", "column 'label' is empty"),
        ("all.csv:4", "column 'image' is empty"),
        ("all.csv:5", "the row has 1 fields, the header 2"),
        ("all.csv:6", "the row has 3 fields, the header 2"),
    ]


def test_several_image_features_are_columns(make_table, tmp_path):
    path = make_table("front,back,label\n1.png,2.png,a\n")
    (row,) = _read(path, Columns.of({"front": IMAGE, "back": IMAGE})).rows
    assert row.values == {"front": str(tmp_path / "1.png"), "back": str(tmp_path / "2.png")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the table is empty"),
        (b"image,label\n", "no usable row"),
        (b"image,label\n1.png,caf\xe9\n", "not UTF-8 text .after row 1."),
        (b'image,label\n1.png,"cat\n2.png,dog\n', "all.csv:2: the row cannot be read as CSV"),
        (b"image,label,label\n1.png,a,b\n", "two columns have the same name"),
    ],
)
def test_what_is_no_table_is_explained(make_table, text, message):
    with pytest.raises(DataError, match=message):
        _read(make_table(text))


def test_a_missing_table_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="the file does not exist"):
        _read(str(tmp_path / "no.csv"))
    with pytest.raises(DataError, match="write kind: image_folder"):
        _read(str(tmp_path))
