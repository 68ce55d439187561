"""Folders as people have them."""

import pytest

from components.example_gen.config import ImageFolderSource
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.image_folder import read
from preprocessing.config import ImageFeature, TextFeature
from preprocessing.errors import ConfigError, DataError

IMAGE = ImageFeature(backbone="hub:x")
COLUMNS = Columns.of({"image": IMAGE})


def _read(path):
    return read(ImageFolderSource(kind="image_folder", path=path), COLUMNS)


def _found(table):
    return [(row.source, row.label, row.split) for row in table.rows]


def test_the_first_folder_level_is_the_class_however_deep_a_picture_lies(make_folder):
    root = make_folder({"rose/1.jpg": b"", "rose/red/dark/2.PNG": b"", "tulip/3.webp": b""})
    table = _read(str(root))
    assert _found(table) == [
        ("rose/1.jpg", "rose", None),
        ("rose/red/dark/2.PNG", "rose", None),
        ("tulip/3.webp", "tulip", None),
    ]
    assert table.rows[1].values == {"image": str(root / "rose/red/dark/2.PNG")}
    assert table.notes == []


@pytest.mark.parametrize("name", ["val", "Validation", "eval", "dev"])
def test_split_folders_bring_their_splits(make_folder, name):
    root = make_folder({"train/a/1.png": b"", f"{name}/a/2.png": b"", "test/b/3.png": b""})
    assert sorted(_found(_read(str(root)))) == sorted(
        [
            ("train/a/1.png", "a", "train"),
            (f"{name}/a/2.png", "a", "eval"),
            ("test/b/3.png", "b", "test"),
        ]
    )


def test_a_class_called_test_is_a_class(make_folder):
    root = make_folder({"test/1.png": b"", "retest/2.png": b""})
    assert {row.label for row in _read(str(root)).rows} == {"test", "retest"}
    root = make_folder({"test/1.png": b"", "val/2.png": b""}, "only_tests")
    assert {row.label for row in _read(str(root)).rows} == {"test", "val"}


def test_each_split_may_have_its_own_path(make_folder):
    one = make_folder({"a/1.png": b"", "b/2.png": b""}, "one")
    two = make_folder({"a/3.png": b""}, "two")
    table = _read({"train": str(one), "test": str(two)})
    assert _found(table) == [
        ("train/a/1.png", "a", "train"),
        ("train/b/2.png", "b", "train"),
        ("test/a/3.png", "a", "test"),
    ]


def test_hidden_files_are_passed_over_and_others_are_noted(make_folder):
    root = make_folder(
        {
            "a/1.png": b"",
            "a/.hidden.png": b"",
            "a/notes.txt": b"",
            ".git/x.png": b"",
            "__MACOSX/a/._1.png": b"",
            "LICENSE": b"",
        }
    )
    table = _read(str(root))
    assert _found(table) == [("a/1.png", "a", None)]
    assert table.notes == ["2 other files are no picture by extension: LICENSE, a/notes.txt"]


def test_a_picture_outside_the_class_folders_is_quarantined(make_folder):
    root = make_folder({"a/1.png": b"", "b/2.png": b"", "3.png": b""})
    (lost,) = _read(str(root)).quarantined
    assert lost.source == "3.png"
    assert lost.reason == "it lies in no class folder, so it has no label"


def test_a_picture_beside_the_split_folders_is_quarantined(make_folder):
    root = make_folder({"train/a/1.png": b"", "test/b/2.png": b"", "3.png": b"", "README": b""})
    table = _read(str(root))
    assert [one.source for one in table.quarantined] == ["3.png"]
    assert table.notes == ["1 other file is no picture by extension: README"]


def test_links_are_followed_but_not_in_circles(make_folder):
    elsewhere = make_folder({"x.png": b""}, "elsewhere")
    root = make_folder({"a/1.png": b"", "b/2.png": b""})
    (root / "a" / "linked").symlink_to(elsewhere)
    (root / "b" / "again").symlink_to(root)
    (root / "b" / "gone.png").symlink_to(root / "nowhere.png")
    table = _read(str(root))
    assert [row.source for row in table.rows] == [
        "a/1.png",
        "a/linked/x.png",
        "b/2.png",
        "b/gone.png",
    ]
    assert table.notes == ["links that lead back above themselves: b/again"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError) as error:
        _read(str(tmp_path / "nowhere"))
    assert str(error.value) == (
        f"data.source.path: the folder does not exist.\n  Received: '{tmp_path}/nowhere'"
    )


def test_a_table_given_as_a_folder_is_told_its_kind(make_folder):
    path = make_folder({"all.csv": b"image,label\n"}) / "all.csv"
    with pytest.raises(DataError, match="For a table write kind: csv"):
        _read(str(path))


def test_an_empty_folder_is_told_what_is_expected(make_folder):
    root = make_folder({})
    with pytest.raises(DataError) as error:
        _read(str(root))
    assert str(error.value) == (
        "data.source.path: no class folders; put each class's pictures into a folder named "
        f"after the class.\n  Received: '0 pictures and no folder'\n  See: {root}"
    )


def test_an_empty_class_is_named_with_what_was_found(make_folder):
    root = make_folder({"a/1.png": b"", "b/readme.txt": b""})
    with pytest.raises(DataError) as error:
        _read(str(root))
    assert str(error.value) == (
        "data.source.path: no picture in the class folder 'b'. Remove the folder, or put "
        f"pictures into it.\n  Received: 'no picture, 1 other files: b/readme.txt'\n  See: {root}"
    )


def test_a_class_may_be_missing_in_one_split(make_folder):
    root = make_folder({"train/a/1.png": b"", "train/b/2.png": b"", "val/a/3.png": b""})
    (root / "val" / "b").mkdir()
    assert len(_read(str(root)).rows) == 3


def test_two_folders_for_one_split_are_refused(make_folder):
    root = make_folder({"train/a/1.png": b"", "val/a/2.png": b"", "dev/a/3.png": b""})
    with pytest.raises(DataError, match="two folders both mean the eval split"):
        _read(str(root))


def test_a_folder_gives_one_image_feature_and_no_columns(make_folder):
    source = ImageFolderSource(kind="image_folder", path=str(make_folder({"a/1.png": b""})))
    with pytest.raises(ConfigError) as error:
        read(
            source,
            Columns.of({"image": IMAGE, "name": TextFeature(kind="text", backbone="hub:x")}),
        )
    assert str(error.value) == (
        "data.source: kind image_folder has exactly one image feature and nothing else; for "
        "texts, numbers, categories or more pictures write kind: csv or kind: tfrecord.\n"
        "  Received: {'image': 'image', 'name': 'text'}"
    )
    with pytest.raises(ConfigError, match="exactly one image feature"):
        read(source, Columns.of({"front": IMAGE, "back": IMAGE}))
    with pytest.raises(ConfigError, match="no such column to slice by"):
        read(source, Columns.of({"image": IMAGE}, carry=("brand",)))
    assert read(source, Columns.of({"image": IMAGE}, carry=("source",))).rows
