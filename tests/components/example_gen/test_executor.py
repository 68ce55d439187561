"""The component, run for real through Beam."""

import csv
import hashlib
import json
import os

import pytest

from preprocessing.config import (
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from preprocessing.errors import ConfigError, DataError, QuarantineError


def _folder(path, **more) -> dict:
    return {"source": {"kind": "image_folder", "path": str(path)}, **more}


def _csv(path, **more) -> dict:
    return {"source": {"kind": "csv", "path": str(path), **more}}


TWENTY = {f"{'ab'[n % 2]}/{n:02d}.png": n for n in range(20)}


def test_a_folder_becomes_examples_with_their_splits(make_folder, ingest, picture):
    root = make_folder(TWENTY)
    done = ingest(_folder(root))
    assert done.counts["examples"] == {"train": 16, "eval": 2, "test": 2}
    assert done.counts["classes"] == {
        label: {"train": 8, "eval": 1, "test": 1} for label in ("a", "b")
    }
    assert done.counts["quarantined"] == 0
    assert done.quarantine == []
    assert json.loads(done.artifact.split_names) == ["train", "eval", "test"]

    examples = [one for split in ("train", "eval", "test") for one in done.examples(split)]
    by_source = {one["source"].decode(): one for one in examples}
    assert sorted(by_source) == sorted(TWENTY)
    assert by_source["b/03.png"] == {
        "source": b"b/03.png",
        "label": b"b",
        "image": picture(3),
        "image_width": 20,
        "image_height": 14,
        "image_bytes": len(picture(3)),
        "image_format": b"PNG",
    }


def test_only_splits_and_records_are_left_in_the_artifact(make_folder, ingest):
    done = ingest(_folder(make_folder(TWENTY)))
    left = sorted(str(p.relative_to(done.uri)) for p in done.uri.rglob("*") if p.is_file())
    assert left == [
        "Split-eval/data_tfrecord-00000-of-00001",
        "Split-test/data_tfrecord-00000-of-00001",
        "Split-train/data_tfrecord-00000-of-00001",
        "ingest.json",
        "quarantine.jsonl",
    ]


def test_shards_hold_at_most_what_is_configured_sorted_by_content(make_folder, ingest):
    done = ingest(_folder(make_folder(TWENTY), shard_examples=5))
    assert sorted(path.name for path in (done.uri / "Split-train").iterdir()) == [
        f"data_tfrecord-{index:05d}-of-00004" for index in range(4)
    ]
    digests = [hashlib.sha256(one["image"]).hexdigest() for one in done.examples("train")]
    assert digests == sorted(digests)


def test_each_kind_of_bad_picture_is_quarantined_with_its_reason(make_folder, ingest, picture):
    bad = {
        "a/cut.jpg": picture(50, "JPEG")[:700],
        "a/empty.png": b"",
        "b/shop.webp": picture(51, "WEBP"),
        "b/text.jpg": b"no picture",
        "c.png": 52,
    }
    root = make_folder(TWENTY | bad)
    (root / "b" / "gone.gif").symlink_to(root / "nowhere")
    done = ingest(_folder(root, max_quarantined_share=0.3))
    reasons = {one["source"]: one["reason"] for one in done.quarantine}
    assert reasons == {
        "c.png": "it lies in no class folder, so it has no label",
        "a/cut.jpg": "JPEG: damaged or cut short "
        "(jpeg::Uncompress failed. Invalid JPEG data or crop window)",
        "a/empty.png": "the file is empty",
        "b/gone.gif": f"no such file: {root}/b/gone.gif",
        "b/shop.webp": "WebP: no op of the TensorFlow that serves the model decodes it; "
        "convert it to PNG or JPEG",
        "b/text.jpg": "not a JPEG, PNG, GIF or BMP: the file starts with b'no pictu'",
    }
    assert done.counts["quarantined"] == 6
    assert sum(done.counts["examples"].values()) == 20


def test_too_many_bad_pictures_stop_the_run_with_the_list(make_folder, ingest, tmp_path):
    root = make_folder(TWENTY | {"a/x.png": b"", "a/y.png": b""})
    with pytest.raises(QuarantineError) as error:
        ingest(_folder(root))
    kept = tmp_path / "root" / "ExampleGen" / "quarantine" / "1.jsonl"
    assert str(error.value) == (
        "2 of 22 examples cannot be used, more than data.max_quarantined_share = 0.05 allows.\n"
        "  a/x.png: the file is empty\n"
        "  a/y.png: the file is empty\n"
        f"  All of them: {kept}"
    )
    assert error.value.exit_code == 1
    assert [json.loads(line)["source"] for line in kept.read_text().splitlines()] == [
        "a/x.png",
        "a/y.png",
    ]


def test_a_class_of_which_nothing_is_left_is_named(make_folder, ingest):
    root = make_folder(TWENTY | {"c/x.png": b""})
    with pytest.raises(DataError) as error:
        ingest(_folder(root))
    assert str(error.value) == (
        "No usable example is left of class 'c'; the first is c/x.png: the file is empty\n"
        "  Received: '0 usable of 1'"
    )


def test_one_class_is_not_enough(make_folder, ingest):
    with pytest.raises(DataError, match="at least two classes"):
        ingest(_folder(make_folder({f"a/{n}.png": n for n in range(9)})))


def test_classes_too_small_for_an_eval_split_are_explained(make_folder, ingest):
    with pytest.raises(DataError, match="the classes are too small for the ratio"):
        ingest(_folder(make_folder({"a/1.png": 1, "b/2.png": 2})))


def test_a_class_that_train_never_sees_is_named(make_folder, ingest):
    files = {f"train/{'ab'[n % 2]}/{n}.png": n for n in range(20)}
    root = make_folder(files | {"val/a/x.png": 90, "test/c/y.png": 91})
    with pytest.raises(DataError, match="test/c/y.png: class 'c' occurs in test but not in train"):
        ingest(_folder(root))


def test_split_folders_without_an_eval_split_get_one(make_folder, ingest):
    files = {f"train/{'ab'[n % 2]}/{n}.png": n for n in range(36)}
    done = ingest(_folder(make_folder(files | {"test/a/x.png": 90})))
    assert done.counts["examples"] == {"train": 32, "eval": 4, "test": 1}


def test_equal_pictures_across_given_splits_and_classes_are_counted(make_folder, ingest):
    files = {f"train/{'ab'[n % 2]}/{n}.png": n for n in range(10)}
    root = make_folder(files | {"val/a/x.png": 0, "val/b/y.png": 2, "val/a/z.png": 99})
    done = ingest(_folder(root))
    assert done.counts["duplicates"] == {"across_splits": 2, "across_classes": 1}
    assert done.counts["notes"] == [
        "2 contents are in more than one split, so its figures are too good",
        "1 contents are in more than one class",
    ]


def test_a_table_brings_labels_splits_and_carried_columns(make_folder, ingest):
    lines = ["photo,what,part,brand"]
    parts = ["train"] * 6 + ["val"] * 2 + ["test"] * 2
    for number, part in enumerate(parts):
        lines.append(f"x/{number}.png,{'ab'[number % 2]},{part},brand {number}")
    files = {f"x/{number}.png": number for number in range(10)}
    root = make_folder(files | {"all.csv": "\n".join(lines).encode()})
    done = ingest(
        _csv(root / "all.csv", split_column="part"),
        label=LabelConfig(name="what"),
        features=("photo",),
        carry=("brand",),
    )
    assert done.counts["examples"] == {"train": 6, "eval": 2, "test": 2}
    (one,) = [one for one in done.examples("eval") if one["source"] == b"all.csv:8"]
    assert one["brand"] == b"brand 6"
    assert one["what"] == b"a"
    assert one["photo_width"] == 20


def test_groups_of_a_table_stay_together(make_folder, ingest):
    lines = ["image,label,owner"]
    lines += [f"{n}.png,{'ab'[n // 20]},owner {n // 4}" for n in range(40)]
    files = {f"{n}.png": n for n in range(40)}
    root = make_folder(files | {"all.csv": "\n".join(lines).encode()})
    data = _csv(root / "all.csv") | {"splits": {"train": 3, "eval": 1, "test": 1}}
    data["splits"]["group_by"] = "owner"
    done = ingest(data)
    assert sum(done.counts["examples"].values()) == 40
    for split, count in done.counts["examples"].items():
        owners = [int(one["source"].decode().split(":")[1]) - 2 for one in done.examples(split)]
        assert len({number // 4 for number in owners}) == count / 4


def test_two_pictures_in_one_example(make_folder, ingest, picture):
    files = {f"{n}.png": n for n in range(40)}
    lines = ["front,back,label"]
    lines += [f"{n}.png,{n + 20}.png,{'ab'[n % 2]}" for n in range(20)]
    root = make_folder(files | {"all.csv": "\n".join(lines).encode()})
    done = ingest(_csv(root / "all.csv"), features=("front", "back"))
    (one,) = [one for one in done.examples("train") if one["source"] == b"all.csv:2"]
    assert (one["front"], one["back"]) == (picture(0), picture(20))


def _declare(root, **options):
    from components.example_gen.component import RowExampleGen
    from components.example_gen.config import DataConfig

    features = {name: ImageFeature(backbone="hub:x") for name in options.pop("features", ["image"])}
    config = DataConfig.model_validate(_folder(root))
    label = LabelConfig(name=options.pop("label", "label"))
    return RowExampleGen(config, features, label, **options)


def test_changed_data_changes_the_fingerprint_and_nothing_else_does(make_folder):
    root = make_folder(TWENTY)

    def fingerprint() -> str:
        return _declare(root).exec_properties["fingerprint"]

    first = fingerprint()
    (root / "a" / "notes.txt").write_text("not a picture")
    assert fingerprint() == first
    os.utime(root / "a" / "00.png", (1, 1))
    second = fingerprint()
    assert second != first
    (root / "a" / "00.png").unlink()
    assert fingerprint() not in (first, second)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "source"}, "label.name: examples already have a column of this name"),
        ({"label": "image_width"}, "label.name: examples already have a column of this name"),
        ({"label": "image"}, "label.name: a feature has the same name"),
        ({"features": ["source"]}, "features: examples already have a column of this name"),
        ({"carry": ["image_format"]}, "This column cannot be carried"),
    ],
)
def test_columns_with_the_same_name_are_refused_when_declared(make_folder, options, message):
    with pytest.raises(ConfigError, match=message):
        _declare(make_folder(TWENTY), **options)


def test_a_missing_folder_shows_when_the_component_is_declared(tmp_path):
    with pytest.raises(DataError, match="the folder does not exist"):
        _declare(tmp_path / "nowhere")


def test_progress_is_reported_to_the_end(make_folder, ingest, caplog):
    with caplog.at_level("INFO", logger="graft.progress"):
        ingest(_folder(make_folder(TWENTY)))
    reports = [
        (one.graft_stage, one.graft_done, one.graft_total, one.graft_unit)
        for one in caplog.records
        if one.name == "graft.progress"
    ]
    assert reports[0] == ("ExampleGen", 20, 20, "examples checked")
    assert reports[-1] == ("ExampleGen", 20, 20, "examples written")


def test_the_groceries_keep_their_official_splits(groceries, ingest):
    done = ingest(_folder(groceries))
    assert done.counts["examples"] == {"train": 1142, "eval": 111, "test": 1117}
    assert len(done.counts["classes"]) == 19
    assert done.counts["quarantined"] == 0


def test_the_products_get_an_eval_split_from_train(products, ingest):
    may_lack = {"missing": "default"}
    features = {
        "image": ImageFeature(backbone="hub:x"),
        "name": TextFeature(kind="text", backbone="hub:x"),
        "price": NumericFeature(kind="numeric", column="retail_price", **may_lack),
        "brand": CategoricalFeature(kind="categorical", **may_lack),
    }
    data = _csv(products / "products.csv", split_column="split")
    done = ingest(data, carry=("retail_price",), features=features)
    assert sum(done.counts["examples"].values()) + done.counts["quarantined"] == 1047
    assert done.counts["examples"]["test"] == 314
    assert done.counts["examples"]["eval"] == pytest.approx(733 / 9, abs=4)
    assert len(done.counts["classes"]) == 7
    assert done.counts["quarantined"] == 0
    with open(products / "products.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name, column in {"name": "name", "price": "retail_price", "brand": "brand"}.items():
        lacking = sum(not row[column].strip() for row in rows)
        assert sum(done.counts["missing"][name].values()) == lacking
