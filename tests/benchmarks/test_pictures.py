import hashlib

import numpy as np
import pytest
from PIL import Image

from benchmarks.speed.pictures import find_pictures, make_pictures, picture_folder


@pytest.fixture
def source(tmp_path):
    draw = np.random.default_rng(0)
    for name in ("train/plum/old/1.jpg", "test/plum/2.jpg", "val/pear/3.png"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (40, 50, 3), np.uint8)).save(path)
    return tmp_path / "source"


def test_the_class_is_the_folder_below_a_split(source):
    assert [(label, path.name) for label, path in find_pictures(source)] == [
        ("plum", "2.jpg"),
        ("plum", "1.jpg"),
        ("pear", "3.png"),
    ]


def test_all_contents_differ_and_all_classes_are_there(source, tmp_path):
    size = make_pictures(source, tmp_path / "made", 30)
    files = sorted((tmp_path / "made").glob("*/*"))
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in files}) == 30
    assert {path.parent.name for path in files} == {"plum", "pear"}
    assert size == sum(path.stat().st_size for path in files)
    assert {Image.open(path).size for path in files} == {(50, 40)}


def test_even_the_smallest_pictures_differ(tmp_path):
    path = tmp_path / "source" / "seven" / "7.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(path)
    make_pictures(tmp_path / "source", tmp_path / "made", 50)
    contents = {one.read_bytes() for one in (tmp_path / "made").glob("*/*")}
    assert len(contents) == 50


def test_new_pictures_are_beside_those_that_are_there(source, tmp_path):
    make_pictures(source, tmp_path / "made", 10)
    before = {path: path.read_bytes() for path in (tmp_path / "made").glob("*/*")}
    make_pictures(source, tmp_path / "made", 5, start=10)
    after = {path: path.read_bytes() for path in (tmp_path / "made").glob("*/*")}
    assert len(after) == 15
    assert before.items() <= after.items()


def test_a_folder_that_is_not_whole_is_made_again(source, tmp_path):
    made = picture_folder(source, tmp_path / "data", 10)
    files = sorted(made.glob("*/*"))
    files[0].unlink()
    assert picture_folder(source, tmp_path / "data", 10) == made
    assert not files[0].exists()
    (tmp_path / "data" / f"{made.name}.whole").unlink()
    picture_folder(source, tmp_path / "data", 10)
    assert files[0].exists()


def test_a_source_without_class_folders_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no pictures in class folders"):
        make_pictures(tmp_path, tmp_path / "made", 1)
