"""Tables: every task, every format, kept columns, labels, and rows that cannot be used."""

import json
import math
from pathlib import Path

import pytest

from preprocessing.errors import DataError, QuarantineError, UsageError


def read_lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def softmax(a, b):
    return math.exp(a) / (math.exp(a) + math.exp(b))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_each_row_of_a_table_gets_its_class_and_probabilities(prices_model, table, predict):
    report, rows = predict(prices_model("multiclass"), table(1, -0.5, 2), shard_rows=2)
    assert rows == [
        {
            "source": "goods.csv:2",
            "label": "dear",
            "score": pytest.approx(softmax(1, -1)),
            "probabilities": {
                "dear": pytest.approx(softmax(1, -1)),
                "cheap": pytest.approx(softmax(-1, 1)),
            },
        },
        {
            "source": "goods.csv:3",
            "label": "cheap",
            "score": pytest.approx(softmax(0.5, -0.25)),
            "probabilities": {
                "dear": pytest.approx(softmax(-0.25, 0.5)),
                "cheap": pytest.approx(softmax(0.5, -0.25)),
            },
        },
        {
            "source": "goods.csv:4",
            "label": "dear",
            "score": pytest.approx(softmax(4, -2)),
            "probabilities": {
                "dear": pytest.approx(softmax(4, -2)),
                "cheap": pytest.approx(softmax(-2, 4)),
            },
        },
    ]
    assert report.model_dump() == {
        "model": prices_model("multiclass"),
        "newest_of": None,
        "output": report.output,
        "rows": 3,
        "predicted": 3,
        "set_aside": 0,
        "quarantine": None,
        "resumed_rows": 0,
    }
    assert sorted(path.name for path in Path(report.output).parent.iterdir()) == [
        "goods.csv",
        "out.jsonl",
    ]


def test_a_binary_model_gives_the_positive_labels_probability_as_score(
    prices_model, table, predict
):
    _, rows = predict(prices_model("binary"), table(-1))
    assert rows == [
        {
            "source": "goods.csv:2",
            "label": "cheap",
            "score": pytest.approx(sigmoid(-1)),
            "probabilities": {
                "cheap": pytest.approx(sigmoid(1)),
                "dear": pytest.approx(sigmoid(-1)),
            },
        }
    ]


def test_a_multilabel_model_gives_all_labels_that_it_is_sure_of(prices_model, table, predict):
    goods = table(-2, 0)
    _, rows = predict(prices_model("multilabel"), goods)
    assert [(row["label"], row["labels"]) for row in rows] == [
        ("cheap", ["cheap"]),
        ("dear;cheap", ["dear", "cheap"]),
    ]
    _, rows = predict(prices_model("multilabel"), goods, "out.parquet")
    assert [row["labels"] for row in rows] == [["cheap"], ["dear", "cheap"]]
    _, rows = predict(prices_model("multilabel"), goods, "out.csv")
    assert [*rows[1]] == ["source", "label", "probability:dear", "probability:cheap"]
    assert rows[1]["label"] == "dear;cheap"


def test_a_regression_gives_its_value_beside_the_actual_one(prices_model, table, predict):
    goods = table("3,a,8.5", "2,b,", "1,c,n/a", header="retail_price,brand,worth")
    _, rows = predict(prices_model("regression"), goods)
    assert rows == [
        {"source": "goods.csv:2", "actual": 8.5, "value": 9.0},
        {"source": "goods.csv:3", "actual": None, "value": 4.0},
        {"source": "goods.csv:4", "actual": None, "value": 1.0},
    ]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_every_format_says_the_same(prices_model, table, predict, suffix):
    goods = table('1,"A ""B"", C",x', "-1,Zoë,", header="retail_price,brand,label")
    _, lines = predict(prices_model("multiclass"), goods, keep=("brand",))
    _, rows = predict(prices_model("multiclass"), goods, "out" + suffix, keep=("brand",))
    assert [*rows[0]] == [
        "source",
        "actual",
        "brand",
        "label",
        "score",
        "probability:dear",
        "probability:cheap",
    ]
    for line, row in zip(lines, rows, strict=True):
        assert (row["source"], row["brand"], row["label"]) == (
            line["source"],
            line["brand"],
            line["label"],
        )
        assert (row["actual"] or None) == line["actual"]
        assert float(row["score"]) == pytest.approx(line["score"], abs=1e-7)
        assert float(row["probability:cheap"]) == pytest.approx(
            line["probabilities"]["cheap"], abs=1e-7
        )
    assert lines[0]["brand"] == 'A "B", C'


def test_rows_that_cannot_be_used_are_set_aside_with_reasons(prices_model, table, predict):
    goods = table(1, "n/a,", ",Acme", "1,2,3", 1000000, "1e30,", 2)
    report, rows = predict(prices_model("multiclass"), goods, max_unreadable=0.8)
    assert [row["source"] for row in rows] == ["goods.csv:2", "goods.csv:8"]
    assert (report.rows, report.predicted, report.set_aside) == (7, 2, 5)
    assert report.quarantine == report.output + ".quarantine.jsonl"
    reasons = {one["source"]: one["reason"] for one in read_lines(report.quarantine)}
    refused = reasons.pop("goods.csv:6")
    assert refused.startswith("the model refuses it: assertion failed: [a million]")
    assert reasons == {
        "goods.csv:3": "column 'retail_price' holds 'n/a', no finite number",
        "goods.csv:4": "column 'retail_price' is empty",
        "goods.csv:5": "the row has 3 fields, the header 2",
        "goods.csv:7": "the prediction is no finite number",
    }


def test_too_many_unusable_rows_stop_the_run_and_what_is_done_is_kept(
    prices_model, table, predict, tmp_path
):
    goods = table(*range(1, 5), "?,", "?,", "?,", "?,", 9, 10)
    with pytest.raises(QuarantineError) as caught:
        predict(prices_model("multiclass"), goods, shard_rows=2, max_unreadable=0.1)
    quarantine = tmp_path / "out.jsonl.quarantine.jsonl"
    assert str(caught.value) == (
        "2 of 10 rows cannot be used, more than --max-unreadable 0.1 allows.\n"
        "  goods.csv:6: column 'retail_price' holds '?', no finite number\n"
        "  goods.csv:7: column 'retail_price' holds '?', no finite number\n"
        f"  All of them so far: {quarantine}\n"
        "  What is predicted is kept: run again with a larger --max-unreadable to go on"
    )
    report, rows = predict(prices_model("multiclass"), goods, shard_rows=2, max_unreadable=0.5)
    assert (len(rows), report.resumed_rows) == (6, 6)
    assert len(read_lines(quarantine)) == 4


def test_a_column_that_is_missing_is_named_with_the_closest(prices_model, table, predict):
    goods = table("1,a", header="retail_prize,brand")
    with pytest.raises(DataError) as caught:
        predict(prices_model("multiclass"), goods)
    assert str(caught.value) == (
        f"{goods}: the table has no such column.\n"
        "  Received: 'retail_price'\n"
        "  Valid: retail_prize, brand\n"
        "  Did you mean 'retail_prize'?"
    )
    assert [path.name for path in goods.parent.iterdir()] == ["goods.csv"]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
@pytest.mark.parametrize(
    "name", ["source", "score", "probabilities", "probability:dear", "probability:of rain"]
)
def test_a_kept_column_must_have_a_name_of_its_own_in_every_format(
    prices_model, table, predict, name, suffix
):
    goods = table("1,a,7", header=f"retail_price,brand,{name}")
    with pytest.raises(UsageError) as caught:
        predict(prices_model("multiclass"), goods, "out" + suffix, keep=(name,))
    assert (
        str(caught.value) == f"--keep: the output has a column of this name\n  Received: {name!r}"
    )


def test_a_kept_column_may_have_a_name_that_another_tasks_output_uses(prices_model, table, predict):
    goods = table("1,a,7,8", header="retail_price,brand,score,probabilities")
    _, rows = predict(prices_model("regression"), goods, keep=("score", "probabilities"))
    assert rows[0] == {
        "source": "goods.csv:2",
        "score": "7",
        "probabilities": "8",
        "value": 1.0,
    }


def test_the_share_that_may_be_unusable_counts_as_it_is_written(prices_model, table, predict):
    goods = table(*["?,"] * 29, *range(71))
    report, _ = predict(prices_model("multiclass"), goods, max_unreadable=0.29)
    assert (report.rows, report.set_aside) == (100, 29)
    with pytest.raises(QuarantineError, match="29 of 100 rows"):
        predict(prices_model("multiclass"), goods, max_unreadable=0.28, overwrite=True)


def test_a_table_without_rows_is_refused(prices_model, table, predict):
    goods = table()
    with pytest.raises(DataError) as caught:
        predict(prices_model("multiclass"), goods)
    assert str(caught.value) == f"The input has no rows\n  Received: {str(goods)!r}"
