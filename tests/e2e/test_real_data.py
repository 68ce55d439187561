"""Real pictures, texts and backbones, where the machine has them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
BACKBONES = SHARED / "backbones"
GROCERIES = SHARED / "data" / "groceries"
PRODUCTS = SHARED / "data" / "products" / "products.csv"
BANKING77 = (
    f"{{train: {SHARED / 'data/banking77/train.csv'}, test: {SHARED / 'data/banking77/test.csv'}}}"
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="../shared, the real data, is not here"),
]


def run(graft, folder, example, data, *changes):
    changes = (f"data.source.path={data}", f"workdir={folder}", *changes)
    arguments = [word for change in changes for word in ("--set", change)]
    result = graft(
        "run",
        ROOT / "examples" / example,
        "--json",
        "--set",
        f"push.path={folder / 'serving'}",
        *arguments,
        cwd=folder,
    )
    assert result.code == 0, result.err
    return result.summary


def hub(size):
    return f"features.image.backbone=hub:{BACKBONES}/hub/mobilenet_v2_{size}_224_feature_vector"


def weights(name):
    return f"features.image.backbone.weights={BACKBONES / 'keras' / name}"


LONG = pytest.mark.long  # The same code as its neighbour: for the figure alone.


@pytest.mark.parametrize(
    ("size", "accuracy"), [("100", 0.72), pytest.param("035", 0.70, marks=LONG)]
)
def test_groceries_with_hub_vectors(graft, tmp_path, size, accuracy):
    summary = run(graft, tmp_path, "groceries.yaml", GROCERIES, hub(size))
    assert summary["examples"] == {"train": 1142, "eval": 111, "test": 1117}
    assert summary["metrics"]["test"]["accuracy"] >= accuracy


@pytest.mark.parametrize(
    ("alpha", "name", "accuracy"),
    [
        pytest.param(
            1.0,
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.from_int8.h5",
            0.72,
            marks=LONG,
        ),
        pytest.param(
            0.35,
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
            0.70,
            marks=LONG,
        ),
    ],
)
def test_groceries_with_keras_weights(graft, tmp_path, alpha, name, accuracy):
    alpha = f"features.image.backbone.arguments={{alpha: {alpha}}}"
    summary = run(graft, tmp_path, "groceries-keras.yaml", GROCERIES, weights(name), alpha)
    assert summary["metrics"]["test"]["accuracy"] >= accuracy


@LONG
def test_pictures_of_products_from_a_table(graft, tmp_path):
    summary = run(graft, tmp_path, "products-pictures.yaml", PRODUCTS, hub("100"))
    assert summary["examples"]["test"] == 314
    assert summary["examples"]["train"] + summary["examples"]["eval"] == 733
    assert summary["metrics"]["test"]["accuracy"] >= 0.838


def test_every_feature_of_products_is_better_than_the_best_alone(graft, tmp_path, minilm):
    texts = [f"features.{name}.backbone=hf:{minilm}" for name in ("name", "description")]
    summary = run(graft, tmp_path, "products.yaml", PRODUCTS, hub("100"), *texts)
    assert summary["metrics"]["test"]["accuracy"] >= 0.945


@LONG
def test_questions_of_bank_customers(graft, tmp_path, minilm):
    text = f"features.text.backbone=hf:{minilm}"
    summary = run(graft, tmp_path, "banking77.yaml", BANKING77, text)
    assert summary["examples"]["test"] == 3080
    assert summary["metrics"]["test"]["accuracy"] >= 0.93


@pytest.mark.long
def test_fine_tuning_on_groceries_gains_three_points(graft, tmp_path):
    summary = run(graft, tmp_path, "groceries-fine-tuned.yaml", GROCERIES, hub("100"))
    assert summary["metrics"]["test"]["accuracy"] >= 0.75


@pytest.mark.long
def test_fine_tuning_on_bank_customers_is_above_the_frozen_backbone(graft, tmp_path, minilm):
    text = f"features.text.backbone=hf:{minilm}"
    summary = run(graft, tmp_path, "banking77-fine-tuned.yaml", BANKING77, text)
    assert summary["metrics"]["test"]["accuracy"] > 0.935
