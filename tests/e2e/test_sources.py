"""Every kind of source, and damaged examples in it, through the whole pipeline."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import tensorflow as tf
import yaml

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PER_CLASS = 30


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Thirty pictures of each digit, and the demo's config and backbone."""
    folder = tmp_path_factory.mktemp("digits")
    write_demo(folder)
    for kind in (folder / "pictures").iterdir():
        for surplus in sorted(kind.iterdir())[PER_CLASS:]:
            surplus.unlink()
    return folder


def write_config(folder, digits, **data):
    config = yaml.safe_load((digits / "digits.yaml").read_text())
    config["data"] = data
    config["features"]["image"]["backbone"] = f"hub:{digits / 'backbone'}"
    config["evaluate"]["thresholds"] = {"accuracy": {"min": 0.6}}
    (folder / "digits.yaml").write_text(yaml.safe_dump(config))
    return "digits.yaml"


def pictures(digits):
    return sorted((digits / "pictures").glob("*/*.png"))


def example(path, encoded=None):
    columns = {"image": encoded or path.read_bytes(), "label": path.parent.name.encode()}
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
                for name, value in columns.items()
            }
        )
    ).SerializeToString()


def test_a_folder_with_damaged_pictures_runs_and_lists_them(graft, digits, tmp_path):
    shutil.copytree(digits / "pictures", tmp_path / "pictures")
    whole = pictures(digits)[3].read_bytes()
    (tmp_path / "pictures" / "3" / "short.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "pictures" / "4" / "empty.jpg").write_bytes(b"")
    config = write_config(tmp_path, digits, source={"kind": "image_folder", "path": "pictures"})
    result = graft("run", config, "--json", cwd=tmp_path)
    assert result.code == 0, result.err
    assert result.summary["quarantined"] == 2
    reasons = {one["source"]: one["reason"] for one in result.summary["quarantine"]}
    assert set(reasons) == {"3/short.png", "4/empty.jpg"}
    assert reasons["3/short.png"].startswith("PNG: damaged or cut short")
    assert sum(result.summary["examples"].values()) == 10 * PER_CLASS


def test_too_many_damaged_pictures_stop_the_run_with_their_list(graft, digits, tmp_path):
    shutil.copytree(digits / "pictures", tmp_path / "pictures")
    for path in sorted((tmp_path / "pictures" / "7").iterdir())[:20]:
        path.write_bytes(b"no picture")
    config = write_config(tmp_path, digits, source={"kind": "image_folder", "path": "pictures"})
    result = graft("run", config, cwd=tmp_path)
    assert result.code == 1
    assert "20 of 300 examples cannot be used" in result.err
    assert "Traceback" not in result.err
    listed = next(
        line.split(": ", 1)[1] for line in result.err.splitlines() if "All of them:" in line
    )
    assert len(Path(listed).read_text().splitlines()) == 20
    (summary,) = (tmp_path / ".graft" / "runs").glob("*/summary.json")
    failed = json.loads(summary.read_text())
    assert failed["failure"].startswith("20 of 300 examples cannot be used")
    assert failed["components"][-1]["name"] == "ExampleGen"
    assert failed["components"][-1]["state"] == "failed"


def test_a_table_with_splits_and_a_slice(graft, digits, tmp_path):
    with (tmp_path / "digits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "split", "pen"])
        for number, path in enumerate(pictures(digits)):
            split = "test" if number % 5 == 0 else "train"
            writer.writerow([path, path.parent.name, split, "blue" if number % 2 else "black"])
    config = write_config(
        tmp_path, digits, source={"kind": "csv", "path": "digits.csv", "split_column": "split"}
    )
    result = graft("run", config, "--json", "--set", "evaluate.slices=[[pen]]", cwd=tmp_path)
    assert result.code == 0, result.err
    examples = result.summary["examples"]
    assert examples["test"] == 60
    assert examples["train"] + examples["eval"] == 240
    assert [one["slice"] for one in result.summary["slices"]["test"]] == [
        {"pen": "black"},
        {"pen": "blue"},
    ]


def test_records_of_others_with_a_damaged_picture(graft, digits, tmp_path):
    for split in ("train", "eval"):
        with tf.io.TFRecordWriter(str(tmp_path / f"{split}.tfrecord")) as writer:
            for number, path in enumerate(pictures(digits)):
                if (number % 5 == 0) == (split == "eval"):
                    writer.write(example(path))
            if split == "eval":
                writer.write(example(pictures(digits)[0], b"no picture"))
    config = write_config(
        tmp_path,
        digits,
        source={
            "kind": "tfrecord",
            "path": {"train": "train.tfrecord", "eval": "eval.tfrecord"},
        },
    )
    result = graft("run", config, "--json", cwd=tmp_path)
    assert result.code == 0, result.err
    assert result.summary["examples"] == {"train": 240, "eval": 60}
    assert result.summary["quarantined"] == 1
