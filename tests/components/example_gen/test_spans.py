"""Which spans are found, with real files."""

import pytest
import tensorflow as tf

from components.example_gen.config import DataConfig
from components.example_gen.sources.columns import Columns
from components.example_gen.span_config import SpansConfig
from components.example_gen.span_read import open_window
from components.example_gen.spans import find_spans
from preprocessing.errors import DataError


def touch(root, *names) -> str:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return str(root)


def found(path, **wanted) -> list[tuple]:
    wanted = SpansConfig.model_validate(wanted or {"last": 100})
    return [(one.name, one.version, one.path) for one in find_spans(path, wanted)]


def test_the_last_spans_are_taken_the_oldest_first(tmp_path):
    root = touch(tmp_path, *(f"{n}.csv" for n in (1, 2, 9, 10, 11)))
    pattern = f"{root}/{{SPAN}}.csv"
    assert [name for name, *_ in found(pattern, last=3)] == ["9", "10", "11"]
    assert [name for name, *_ in found(pattern, last=1)] == ["11"]
    assert [name for name, *_ in found(pattern, to=10, last=2)] == ["9", "10"]
    assert [name for name, *_ in found(pattern, **{"from": 3})] == ["9", "10", "11"]
    assert [name for name, *_ in found(pattern, **{"from": 2, "to": "9"})] == ["2", "9"]


def test_a_width_is_a_number_of_digits(tmp_path):
    root = touch(tmp_path, "007.csv", "8.csv", "0009.csv")
    assert found(f"{root}/{{SPAN:3}}.csv") == [("7", None, f"{root}/007.csv")]


def test_zeros_in_front_stay_in_the_path(tmp_path):
    root = touch(tmp_path, "007/a.tfrecord")
    assert found(f"{root}/{{SPAN}}/*.tfrecord") == [("7", None, f"{root}/007/*.tfrecord")]


def test_a_date_is_a_span(tmp_path):
    root = touch(tmp_path, "2026-11-20/a.csv", "2026-11-21/a.csv", "2026-02-30/a.csv")
    pattern = f"{root}/{{YYYY}}-{{MM}}-{{DD}}/a.csv"
    assert found(pattern) == [
        ("2026-11-20", None, f"{root}/2026-11-20/a.csv"),
        ("2026-11-21", None, f"{root}/2026-11-21/a.csv"),
    ]
    assert [name for name, *_ in found(pattern, to="2026-11-20")] == ["2026-11-20"]


def test_a_day_before_1970_is_one_too(tmp_path):
    root = touch(tmp_path, "1969-12-31/a.csv", "1970-01-01/a.csv", "2028-02-29/a.csv")
    pattern = f"{root}/{{YYYY}}-{{MM}}-{{DD}}/a.csv"
    days = ["1969-12-31", "1970-01-01", "2028-02-29"]
    assert [name for name, *_ in found(pattern)] == days
    assert [name for name, *_ in found(pattern, **{"from": "1969-12-31"})] == days
    assert [name for name, *_ in found(pattern, to="1969-12-31")] == days[:1]


def test_of_each_span_the_newest_version_is_taken(tmp_path):
    root = touch(tmp_path, "1/v1/a.csv", "1/v10/a.csv", "1/v9/a.csv", "2/v1/a.csv")
    assert found(f"{root}/{{SPAN}}/v{{VERSION}}/a.csv") == [
        ("1", 10, f"{root}/1/v10/a.csv"),
        ("2", 1, f"{root}/2/v1/a.csv"),
    ]


def test_what_does_not_fit_is_passed_over(tmp_path):
    root = touch(tmp_path, "day-1/a.csv", "day-2.partial/a.csv", "day-x/a.csv", "day-3/b.csv")
    assert [name for name, *_ in found(f"{root}/day-{{SPAN}}/a.csv")] == ["1"]


def test_folders_of_each_split_have_their_spans(tmp_path):
    root = touch(tmp_path, "train/1/a.csv", "eval/1/a.csv")
    paths = {split: f"{root}/{split}/{{SPAN}}/a.csv" for split in ("train", "eval")}
    whole = {split: f"{root}/{split}/1/a.csv" for split in paths}
    assert found(paths) == [("1", None, whole)]


def test_a_split_that_lacks_a_span_is_named(tmp_path):
    root = touch(tmp_path, "train/1", "eval/1", "train/2")
    paths = {split: f"{root}/{split}/{{SPAN}}" for split in ("train", "eval")}
    with pytest.raises(DataError) as caught:
        found(paths)
    assert str(caught.value) == (
        "data.source.path.eval: it lacks a span that another split has.\n"
        "  Received: '2'\n  Valid: 1"
    )


def test_versions_that_differ_between_splits_are_refused(tmp_path):
    root = touch(tmp_path, "train/1.1", "eval/1.2")
    paths = {split: f"{root}/{split}/{{SPAN}}.{{VERSION}}" for split in ("train", "eval")}
    with pytest.raises(DataError, match="newest version of span 1 is not the same in all splits"):
        found(paths)


def test_two_places_for_one_span_are_refused(tmp_path):
    root = touch(tmp_path, "7.csv", "07.csv")
    with pytest.raises(DataError) as caught:
        found(f"{root}/{{SPAN}}.csv")
    assert str(caught.value) == (
        "data.source.path: two places are both span 7.\n"
        f"  Received: ['{root}/07.csv', '{root}/7.csv']"
    )


def test_no_span_at_all_says_what_is_there(tmp_path):
    root = touch(tmp_path, "monday.csv")
    with pytest.raises(DataError) as caught:
        found(f"{root}/{{SPAN}}.csv")
    assert str(caught.value) == (
        "data.source.path: there is no span that fits it.\n"
        f"  Received: '{root}/{{SPAN}}.csv'\n  Valid: monday.csv"
    )


def test_a_folder_that_is_not_there_has_no_span(tmp_path):
    with pytest.raises(DataError, match="there is no span that fits it"):
        found(f"{tmp_path}/nowhere/{{SPAN}}/x.csv")


def test_a_bucket_that_does_not_let_us_in_is_not_an_empty_one(monkeypatch):
    def refuse(path):
        raise tf.errors.PermissionDeniedError(None, None, "403: it is not yours")

    monkeypatch.setattr(tf.io.gfile, "exists", refuse)
    config = DataConfig(source={"kind": "csv", "path": "gs://bucket/{SPAN}/a.csv"})
    with pytest.raises(DataError) as caught:
        open_window(config, Columns(features={}))
    assert str(caught.value) == (
        "data.source.path cannot be read: 403: it is not yours\n"
        "  Received: 'gs://bucket/{SPAN}/a.csv'"
    )


def test_bounds_that_no_span_is_in_say_which_there_are(tmp_path):
    root = touch(tmp_path, "1.csv", "2.csv")
    with pytest.raises(DataError) as caught:
        found(f"{root}/{{SPAN}}.csv", to=3)
    assert str(caught.value) == (
        "data.spans.to: there is no such span.\n  Received: 3\n  Valid: 1, 2"
    )
    with pytest.raises(DataError, match="data.spans.from: there is no span from there on"):
        found(f"{root}/{{SPAN}}.csv", **{"from": 3})


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{SPAN}/v{VERSION}/*.csv", ["3/v1/a.csv", "12/v2/a.csv", "12/v10/b.csv", "12/v10/c.csv"]),
        ("day-{SPAN:2}/a.csv", ["day-01/a.csv", "day-02/a.csv"]),
        ("{YYYY}{MM}{DD}/{VERSION}.csv", ["20261120/3.csv", "20261121/1.csv"]),
    ],
)
def test_the_newest_is_the_one_that_tfx_would_take(tmp_path, pattern, names):
    from tfx.components.example_gen import utils
    from tfx.proto import example_gen_pb2

    root = touch(tmp_path, *names)
    split = example_gen_pb2.Input.Split(name="all", pattern=pattern)
    _, number, version = utils.calculate_splits_fingerprint_span_and_version(root, [split])
    (own,) = find_spans(f"{root}/{pattern}", SpansConfig())
    assert (own.number, own.version, own.path) == (number, version, f"{root}/{split.pattern}")


def test_an_address_works_as_a_folder_does():
    for name in ("spans/1/a.csv", "spans/2/a.csv"):
        tf.io.gfile.makedirs(f"ram://{name[:-6]}")
        with tf.io.gfile.GFile(f"ram://{name}", "w") as file:
            file.write("x")
    assert found("ram://spans/{SPAN}/a.csv") == [
        ("1", None, "ram://spans/1/a.csv"),
        ("2", None, "ram://spans/2/a.csv"),
    ]
