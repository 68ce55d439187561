"""What of a row can be used: missing values are one thing, wrong ones another."""

import pytest

from components.example_gen.rows import Row, UnusableError
from components.example_gen.sources.columns import Columns
from components.example_gen.values import check_row
from preprocessing.config import (
    BackboneConfig,
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)


def columns(missing: str) -> Columns:
    backbone = BackboneConfig(handle="hub:x")
    return Columns.of(
        {
            "photo": ImageFeature(backbone=backbone, missing=missing),
            "name": TextFeature(kind="text", backbone=backbone, missing=missing),
            "price": NumericFeature(kind="numeric", column="retail_price", missing=missing),
            "brand": CategoricalFeature(kind="categorical", missing=missing),
        }
    )


WHOLE = {"photo": "/x/1.png", "name": "A chair", "price": "12.5", "brand": "Acme"}


def checked(missing: str, **values: str) -> dict:
    return check_row(Row("all.csv:2", WHOLE | values, "a"), columns(missing)).values


def reason(missing: str, **values: str) -> str:
    with pytest.raises(UnusableError) as error:
        checked(missing, **values)
    return str(error.value)


@pytest.mark.parametrize("blank", ["", "  ", "\t\n", "\u00a0", "\u200b \ufeff"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_missing_value_is_refused_or_empty_as_the_feature_says(name, blank):
    column = "retail_price" if name == "price" else name
    assert reason("reject", **{name: blank}) == f"column {column!r} is empty"
    assert checked("default", **{name: blank}) == WHOLE | {name: ""}


@pytest.mark.parametrize("missing", ["reject", "default"])
@pytest.mark.parametrize("wrong", ["n/a", "1,299", "nan", "inf", "1e99", "12 Rs."])
def test_a_wrong_number_is_no_missing_one_under_either_policy(missing, wrong):
    assert (
        reason(missing, price=wrong) == f"column 'retail_price' holds {wrong!r}, no finite number"
    )


def test_white_space_at_the_ends_is_taken_off():
    assert checked("reject", price=" 1e2\u00a0", brand="\tAcme ")["price"] == "1e2"


def test_a_row_must_have_something():
    assert reason("default", **dict.fromkeys(WHOLE, " ")) == "every feature is missing"


def test_the_label_is_brought_to_its_form_and_told_first():
    row = Row("x", WHOLE | {"brand": ""}, " a")
    with pytest.raises(UnusableError, match="column 'label' is empty"):
        check_row(Row("x", {**WHOLE, "brand": ""}, ""), columns("reject"))
    assert check_row(row, columns("default")).label == "a"


def test_another_backbone_or_threshold_changes_nothing_that_ingest_depends_on():
    def asked(handle: str, threshold: float) -> Columns:
        label = LabelConfig(task="multilabel", threshold=threshold)
        return Columns.of({"photo": ImageFeature(backbone=handle)}, label)

    assert asked("hub:x", 0.5) == asked("keras:MobileNetV2", 0.9)
