"""A model that the gate blesses and that cannot be served as it must be is not pushed."""

import csv
import random

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONFIG = """\
name: fruit
data: {source: {kind: csv, path: fruit.csv}}
features:
  weight: {kind: numeric, missing: default}
  colour: {kind: categorical}
label: {name: kind}
train: {epochs: 3}
push: {path: served}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fruit")
    chance = random.Random(0)
    with (folder / "fruit.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["weight", "colour", "kind"])
        for row in range(200):
            kind = chance.choice(["melon", "cherry"])
            weight = chance.gauss({"melon": 900, "cherry": 9}[kind], 3)
            colour = chance.choice(["green", "red"])
            writer.writerow(["" if row % 20 == 0 else f"{weight:.1f}", colour, kind])
    (folder / "fruit.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def refused(graft, folder):
    return graft("run", "fruit.yaml", "--json", "--set", "validate.max_size_mb=0.001", cwd=folder)


def test_a_refused_model_ends_with_3_and_its_reasons_and_is_not_pushed(refused, folder):
    assert refused.code == 3, refused.err
    summary = refused.summary
    assert not summary["blessed"]
    assert not any(one.startswith("failed") for one in summary["reasons"])
    failed = [one for one in summary["serving"]["reasons"] if one.startswith("failed")]
    assert len(failed) == 1
    assert failed[0].startswith("failed: its files take ")
    assert failed[0].endswith(" MB, at most 0.001")
    assert summary["pushed"] is None
    assert not list(folder.glob("served/*/saved_model.pb"))


def test_the_next_model_is_not_compared_with_it(refused, graft, folder):
    again = graft("run", "fruit.yaml", "--json", "--set", "train.epochs=4", cwd=folder)
    assert again.code == 0, again.err
    summary = again.summary
    assert summary["baseline"].startswith("there is no blessed model yet")
    assert summary["serving"]["blessed"]
    figures = {one["signature"]: one for one in summary["serving"]["parity"]}
    assert set(figures) == {"serving_default", "serving_examples", "transformed_labels"}
    assert all(one["largest_difference"] < 1e-5 for one in figures.values())
    assert summary["pushed"]
