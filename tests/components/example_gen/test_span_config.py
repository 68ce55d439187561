"""What may stand in a path with spans, and in data.spans."""

import pytest
from pydantic import ValidationError

from components.example_gen.config import DataConfig, PredictConfig


def data(path, kind="csv", **spans) -> DataConfig:
    return DataConfig.model_validate(
        {"source": {"kind": kind, "path": path}, **({"spans": spans} if spans else {})}
    )


def message(path, **spans) -> str:
    with pytest.raises(ValidationError) as caught:
        data(path, **spans)
    return str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "day-{SPAN}.csv",
        "day-{SPAN:3}.csv",
        "{SPAN}/v{VERSION}/all.csv",
        "{SPAN:2}-{VERSION:2}.csv",
        "{YYYY}-{MM}-{DD}/all.csv",
        "{YYYY}{MM}{DD}-{VERSION}.csv",
    ],
)
def test_a_path_with_placeholders_has_a_window_of_the_newest_span(path):
    assert data(path).window.count == 1


@pytest.mark.parametrize("path", ["all.csv", "${HOME}/all.csv", "{old,new}.csv", "{mine}.csv"])
def test_a_path_without_them_has_none(path):
    assert data(path).window is None


def test_from_without_last_takes_all_from_there_on():
    assert data("{SPAN}.csv", **{"from": 3}).window.count is None
    assert data("{SPAN}.csv", **{"from": 3, "last": 2}).window.count == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("{SPAN}/{SPAN}.csv", "each placeholder may stand in it once"),
        ("{YYYY}-{MM}.csv", "a date needs {YYYY}, {MM} and {DD}"),
        ("{SPAN}/{YYYY}-{MM}-{DD}.csv", "a span is a number or a date, not both"),
        ("v{VERSION}.csv", "a {VERSION} is one of a {SPAN} or of a date"),
        ("{SPAN:x}.csv", "{SPAN:3} says how many digits a number has, and so {VERSION:3}"),
        ("{SPAN:0}.csv", "{SPAN:3} says how many digits a number has, and so {VERSION:3}"),
        ("{YYYY:4}-{MM}-{DD}.csv", "{SPAN:3} says how many digits a number has"),
        ("{span}.csv", "there is no such placeholder"),
    ],
)
def test_what_tfx_would_not_understand_is_refused(path, said):
    assert f"source.path: {said}" in message(path)


def test_the_closest_placeholder_is_named():
    assert "Did you mean '{SPAN}'?" in message("{SPANS}.csv")


def test_all_splits_have_the_same_placeholders():
    said = "the paths of all splits must have the same placeholders"
    assert said in message({"train": "{SPAN}/a.csv", "eval": "eval.csv"})


def test_spans_without_a_placeholder_are_refused():
    assert "spans needs {SPAN}, or {YYYY}, {MM} and {DD}, in source.path" in message("a", last=2)


def test_a_date_is_no_number_of_a_span():
    assert "spans.to is a date, and source.path has none" in message("{SPAN}", to="2026-11-21")


@pytest.mark.parametrize("value", ["newest", "2026-02-30", -1])
def test_neither_number_nor_date_is_refused(value):
    assert "must be the number of a span, or a date" in message("{SPAN}", to=value)


def test_rows_that_are_only_predicted_have_no_spans():
    with pytest.raises(ValidationError, match="source.path has no spans here"):
        PredictConfig.model_validate({"source": {"kind": "csv", "path": "{SPAN}.csv"}})
