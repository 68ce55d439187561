"""What an unfinished run has left is only gone on with where it fits."""

import json

import pytest

from preprocessing.errors import QuarantineError, UsageError


@pytest.fixture
def unfinished(prices_model, table, predict):
    """A run that stopped at an unusable row, with one shard done."""

    def run(*rows):
        goods = table(*rows)
        with pytest.raises(QuarantineError):
            predict(prices_model("multiclass"), goods, shard_rows=2, max_unreadable=0)
        return goods

    return run


@pytest.mark.parametrize(
    ("changed", "model", "rows", "options"),
    [
        ("model", "binary", (1, 2, "?,"), {}),
        ("input", "multiclass", (1, 3, "?,"), {}),
        ("input and options", "multiclass", (1, 2, "?,", 4), {"shard_rows": 3}),
    ],
)
def test_what_was_made_of_something_else_is_not_mixed_in(
    unfinished, prices_model, table, predict, tmp_path, changed, model, rows, options
):
    unfinished(1, 2, "?,")
    options = {"shard_rows": 2, "max_unreadable": 0.5, **options}
    if model == "binary":
        # It has another order of classes, which alone would be told as options.
        changed = "model and options"
    goods = table(*rows)
    with pytest.raises(UsageError) as caught:
        predict(prices_model(model), goods, **options)
    assert str(caught.value) == (
        f"An unfinished run has left predictions of another {changed}; go on with that, or "
        f"start again with --overwrite\n  Received: '{tmp_path}/out.jsonl.parts'"
    )
    report, lines = predict(prices_model(model), goods, overwrite=True, **options)
    assert (report.resumed_rows, len(lines)) == (0, len(rows) - 1)


def test_a_row_that_was_mended_is_another_input(unfinished, prices_model, table, predict):
    unfinished(1, 2, "?,")
    with pytest.raises(UsageError, match="of another input;"):
        predict(prices_model("multiclass"), table(1, 2, 3), shard_rows=2)


def test_an_output_that_exists_is_only_replaced_when_asked(prices_model, table, predict, tmp_path):
    predict(prices_model("regression"), table(1))
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), table(2))
    assert str(caught.value) == (
        f"The output exists; replace it with --overwrite\n  Received: '{tmp_path}/out.jsonl'"
    )
    assert json.loads((tmp_path / "out.jsonl").read_text())["value"] == 1.0
    _, rows = predict(prices_model("regression"), table(2), overwrite=True)
    assert [row["value"] for row in rows] == [4.0]


def test_an_output_that_cannot_be_written_is_refused(prices_model, table, predict, tmp_path):
    goods = table(1)
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), goods, "goods.csv/out.csv")
    first, second = str(caught.value).splitlines()
    assert first.startswith("The output cannot be written: ")
    assert second == f"  Received: '{tmp_path}/goods.csv/out.csv'"


def test_a_suffix_that_names_no_format_is_refused(prices_model, table, predict, tmp_path):
    with pytest.raises(UsageError) as caught:
        predict(prices_model("regression"), table(1), "out.json")
    assert str(caught.value) == (
        "--output: the suffix must name a format\n"
        f"  Received: '{tmp_path}/out.json'\n"
        "  Valid: .parquet, .jsonl, .csv"
    )
