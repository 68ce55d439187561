"""Folders of pictures, and a whole exported model: it says what it says when asked itself."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.errors import UsageError


@pytest.fixture
def folder(tmp_path, picture):
    """Pictures in class folders, in none, and one that is cut short."""
    root = tmp_path / "pictures"
    colours = {f"red/{n:02d}.png": [255 - n, n, 2 * n] for n in range(40)}
    colours |= {"blue/deep/a.png": [9, 8, 200], "b.png": [90, 8, 20], "other/c.png": [1, 2, 3]}
    for name, colour in colours.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(colour))
    (root / "red" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (root / "notes.txt").write_text("no picture")
    return root


def test_predictions_are_those_of_the_signature_in_the_order_of_the_paths(
    colours_model, folder, predict, tmp_path
):
    report, rows = predict(colours_model, folder, "out.parquet", shard_rows=15)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    assert [row["source"] for row in rows] == names
    model = tf.saved_model.load(str(colours_model))
    pictures = tf.constant([(folder / name).read_bytes() for name in names])
    direct = model.signatures["serving_default"](image=pictures)
    for position, name in enumerate(["red", "blue"]):
        np.testing.assert_allclose(
            [row[f"probability:{name}"] for row in rows],
            direct["probabilities"][:, position],
            atol=1e-6,
        )
    np.testing.assert_allclose([row["score"] for row in rows], direct["score"], atol=1e-6)
    assert [row["label"].encode() for row in rows] == direct["label"].numpy().tolist()
    assert pq.read_schema(tmp_path / "out.parquet").names == [*rows[0]]
    assert (report.rows, report.set_aside) == (44, 1)


def test_a_folder_that_is_called_like_a_class_tells_the_label(colours_model, folder, predict):
    _, rows = predict(colours_model, folder)
    actual = {row["source"]: row["actual"] for row in rows}
    assert actual["red/00.png"] == "red"
    assert actual["blue/deep/a.png"] == "blue"
    assert actual["other/c.png"] is None
    assert actual["b.png"] is None


def test_a_picture_that_is_cut_short_is_set_aside_with_its_reason(
    colours_model, folder, predict, tmp_path
):
    predict(colours_model, folder)
    (line,) = (tmp_path / "out.jsonl.quarantine.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert found["source"] == "red/cut.jpg"
    assert found["reason"].startswith("JPEG: damaged or cut short (")


def test_a_table_may_name_pictures(colours_model, folder, predict):
    table = folder / "list.csv"
    table.write_text("image\nred/00.png\ngone.png\nred/01.png\n")
    report, rows = predict(colours_model, table, max_unreadable=0.5)
    assert [(row["source"], row["label"]) for row in rows] == [
        ("list.csv:2", "red"),
        ("list.csv:4", "red"),
    ]
    assert "actual" not in rows[0]
    assert report.set_aside == 1


def test_a_model_of_other_things_takes_no_folder_of_pictures(prices_model, folder, predict):
    with pytest.raises(UsageError) as caught:
        predict(prices_model("binary"), folder)
    assert str(caught.value) == (
        "The model takes something else than one picture, so it needs a table or TFRecords\n"
        "  Received: {'price': 'numeric', 'brand': 'categorical'}"
    )


def test_a_folder_has_no_columns_to_keep(colours_model, folder, predict):
    with pytest.raises(UsageError) as caught:
        predict(colours_model, folder, keep=("id",))
    assert str(caught.value) == "A folder of pictures has no columns to keep\n  Received: 'id'"
