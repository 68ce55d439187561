"""Which example goes into which file, and what becomes of one in between."""

import collections

import pytest

from components.example_gen.inspect import Inspected, Picture, inspect_picture
from components.example_gen.rows import Row
from components.example_gen.shards import plan_shards, serialized, to_example
from components.example_gen.sources.columns import Columns
from preprocessing.config import ImageFeature
from preprocessing.errors import DataError

COLUMNS = Columns.of({"image": ImageFeature(backbone="hub:x")})


def _seen(number: int) -> Inspected:
    content = f"{number * 7919 % 1000:064x}"
    row = Row(f"{number}.png", {"image": f"{number}.png"}, "a")
    return Inspected(row, {"image": Picture(content, "PNG", 1, 1, 1)})


@pytest.mark.parametrize(("count", "limit", "files"), [(1, 5, 1), (5, 5, 1), (6, 5, 2), (23, 5, 5)])
def test_examples_are_dealt_out_evenly_and_each_once(count, limit, files):
    plan = plan_shards([_seen(number) for number in range(count)], ["train"] * count, limit)
    sizes = [len(examples) for examples in plan.values()]
    assert len(sizes) == files
    assert max(sizes) <= limit
    assert max(sizes) - min(sizes) <= 1
    sources = collections.Counter(one.row.source for some in plan.values() for one in some)
    assert sources == {f"{number}.png": 1 for number in range(count)}


def test_each_split_has_its_own_folder_and_the_order_is_that_of_contents():
    plan = plan_shards([_seen(n) for n in range(9)], ["train", "eval", "test"] * 3, 100)
    assert sorted(plan) == [
        f"Split-{split}/data_tfrecord-00000-of-00001" for split in ("eval", "test", "train")
    ]
    for examples in plan.values():
        contents = [example.content for example in examples]
        assert contents == sorted(contents)


@pytest.fixture
def example(make_folder, picture):
    root = make_folder({"a/1.png": 1})
    row = Row("a/1.png", {"image": f"{root}/a/1.png"}, "a")
    return root / "a" / "1.png", Inspected(row, {"image": inspect_picture(picture(1))})


def test_a_picture_that_changed_since_it_was_inspected_is_not_written(example, picture):
    path, inspected = example
    path.write_bytes(picture(2))
    with pytest.raises(DataError, match="a/1.png changed during the run; run again"):
        to_example(inspected, COLUMNS)


def test_a_picture_that_went_away_is_named(example):
    path, inspected = example
    path.unlink()
    with pytest.raises(DataError, match=r"a/1.png went away during the run \(no such file"):
        to_example(inspected, COLUMNS)


def test_equal_examples_have_equal_bytes(example):
    """Protobuf leaves the order of columns to chance, and digests are made of the bytes."""
    _, inspected = example
    assert len({serialized(to_example(inspected, COLUMNS)) for _ in range(20)}) == 1
