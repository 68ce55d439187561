"""Rows of pictures, texts, numbers and categories, through Beam for real."""

import csv
import io
import math

import pytest

from preprocessing.config import (
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from preprocessing.errors import DataError

FEATURES = {
    "photo": ImageFeature(backbone="hub:x", column="image", missing="default"),
    "name": TextFeature(kind="text", backbone="hub:x", missing="default"),
    "price": NumericFeature(kind="numeric", column="retail_price", missing="default"),
    "brand": CategoricalFeature(kind="categorical", missing="default"),
}


@pytest.fixture
def make_shop(make_folder):
    """Twenty whole rows, and those given: dicts of what they have otherwise."""

    def make(*others: dict, **labels) -> dict:
        whole = [
            {
                "image": f"{n}.png",
                "name": f"Chair {n}, größer",
                "retail_price": f"{n}.5",
                "brand": "AB"[n % 2],
                "label": labels.get("label", lambda n: "ab"[n % 2])(n),
            }
            for n in range(20)
        ]
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, list(whole[0]))
        writer.writeheader()
        writer.writerows([*whole, *({"label": "a"} | other for other in others)])
        files = {f"{n}.png": n for n in range(20)}
        root = make_folder(files | {"shop.csv": buffer.getvalue().encode()})
        return {
            "source": {"kind": "csv", "path": str(root / "shop.csv")},
            "max_quarantined_share": 0.3,
        }

    return make


def examples(done) -> dict:
    found = [one for split in done.counts["examples"] for one in done.examples(split)]
    return {one.pop("source").decode(): one for one in found}


def test_each_kind_is_stored_in_its_type_with_the_columns_beside_it(make_shop, ingest, picture):
    done = ingest(make_shop(), features=FEATURES, carry=("retail_price",))
    assert examples(done)["shop.csv:5"] == {
        "photo": picture(3),
        "photo_width": 20,
        "photo_height": 14,
        "photo_bytes": len(picture(3)),
        "photo_format": b"PNG",
        "name": "Chair 3, größer".encode(),
        "name_characters": 15,
        "price": 3.5,
        "brand": b"B",
        "label": b"b",
        "retail_price": b"3.5",
    }
    assert done.counts["missing"] == {name: {"train": 0, "eval": 0, "test": 0} for name in FEATURES}


def test_a_missing_value_is_empty_or_nan_and_a_wrong_one_is_quarantined(make_shop, ingest):
    done = ingest(
        make_shop(
            {"name": "only a name"},
            {"retail_price": "7"},
            {"image": "1.png", "brand": "A"},
            {"name": "x", "retail_price": "n/a"},
            {"name": "x", "image": "nowhere.png"},
            {"name": " "},
        ),
        features=FEATURES,
    )
    found = examples(done)
    name, price, image = (found[f"shop.csv:{row}"] for row in (22, 23, 24))
    assert name["name"] == b"only a name"
    assert math.isnan(name["price"])
    assert (name["photo"], name["photo_width"], name["photo_format"]) == (b"", 0, b"")
    assert (name["brand"], price["name"], price["name_characters"]) == (b"", b"", 0)
    assert price["price"] == 7
    assert image["photo_width"] == 20
    reasons = {one["source"]: one["reason"].split(": /")[0] for one in done.quarantine}
    assert reasons == {
        "shop.csv:25": "column 'retail_price' holds 'n/a', no finite number",
        "shop.csv:26": "no such file",
        "shop.csv:27": "every feature is missing",
    }
    totals = {name: sum(one.values()) for name, one in done.counts["missing"].items()}
    assert totals == {"photo": 2, "name": 2, "price": 2, "brand": 2}


def test_equal_contents_stay_together_and_count_as_one(make_shop, ingest):
    twins = [{"name": "twin", "brand": "A"}] * 3 + [{"name": "twin", "brand": "A", "label": "b"}]
    done = ingest(make_shop(*twins), features=FEATURES)
    assert done.counts["duplicates"] == {"across_splits": 0, "across_classes": 1}
    assert done.counts["notes"] == ["1 contents are in more than one class"]


def test_a_feature_that_no_row_has_is_named_with_its_column(make_shop, ingest):
    data = make_shop()
    path = data["source"]["path"]
    with open(path) as file:
        rows = [line.rstrip("\n").rstrip("\r") + "," for line in file]
    with open(path, "w") as file:
        file.write("\n".join([rows[0] + "colour", *rows[1:]]))
    colour = CategoricalFeature(kind="categorical", column="colour", missing="default")
    with pytest.raises(DataError) as error:
        ingest(data, features=FEATURES | {"shade": colour})
    assert str(error.value) == (
        "features.shade: no usable example has a value in this column.\n  Received: 'colour'"
    )


def test_numbers_to_predict_are_summed_up_instead_of_classes(make_shop, ingest):
    label = LabelConfig(task="regression")
    shop = make_shop(
        {"name": "twin", "label": "1"},
        {"name": "twin", "label": "1.0"},
        {"name": "other", "label": "1"},
        {"name": "other", "label": "2"},
        {"name": "no label", "label": "cheap"},
        label=lambda n: str(n - 5),
    )
    done = ingest(shop, label, features=FEATURES)
    assert "classes" not in done.counts
    values = {
        split: [float(one["label"]) for one in done.examples(split)]
        for split in ("train", "eval", "test")
    }
    assert sum(map(len, values.values())) == 24
    assert done.counts["label"] == {
        split: {"min": min(some), "mean": pytest.approx(sum(some) / len(some)), "max": max(some)}
        for split, some in values.items()
    }
    assert done.counts["notes"] == ["1 contents have more than one label"]
    assert [one["reason"] for one in done.quarantine] == [
        "column 'label' holds 'cheap', no finite number"
    ]


def test_several_labels_are_counted_one_by_one(make_shop, ingest):
    shop = make_shop({"name": "x", "label": " | "}, label=lambda n: f"all | {'ab'[n % 2]}|all")
    done = ingest(shop, LabelConfig(task="multilabel"), features=FEATURES)
    counts = {name: sum(one.values()) for name, one in done.counts["classes"].items()}
    assert counts == {"a": 10, "all": 20, "b": 10}
    assert {one["label"] for one in examples(done).values()} == {b"all|a", b"all|b"}
    assert [one["reason"] for one in done.quarantine] == ["column 'label' is empty"]


def test_a_binary_task_with_other_labels_stops_before_anything_is_trained(make_shop, ingest):
    with pytest.raises(DataError, match="label.positive: no usable example has this label"):
        ingest(make_shop(), LabelConfig(task="binary", positive="yes"), features=FEATURES)
