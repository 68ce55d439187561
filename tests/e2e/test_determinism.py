"""Two runs with the same seed, each in a folder and with a hash seed of its own, are one run."""

import pytest

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PICTURES_PER_CLASS = 40
FROZEN = ("train.epochs=10",)
FINE_TUNED = (
    *FROZEN,
    "train.mode=fine_tune",
    "train.fine_tune.epochs=2",
    "features.image.vectors=float16",
)
# What is compared ends with the Evaluator.
SHORT = ("validate.validator=none", "push=null", "evaluate.thresholds.accuracy.min=0.2")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two folders with the same pictures, made in another order."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    for folder in folders:
        write_demo(folder)
        for one in (folder / "pictures").iterdir():
            for picture in sorted(one.iterdir())[PICTURES_PER_CLASS:]:
                picture.unlink()
    for picture in sorted(folders[1].rglob("*.png"), reverse=True):
        content = picture.read_bytes()
        picture.unlink()
        picture.write_bytes(content)
    return folders


@pytest.fixture(scope="module")
def run(graft, folders):
    """Gives a function that runs a config in both folders."""

    def run(*overrides):
        settings = [text for one in (*SHORT, *overrides) for text in ("--set", one)]
        results = []
        for seed, folder in enumerate(folders, start=1):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PYTHONHASHSEED", str(seed))
                results.append(graft("run", "digits.yaml", "--json", *settings, cwd=folder))
        assert [one.code for one in results] == [0, 0], [one.err for one in results]
        return [one.summary for one in results]

    return run


@pytest.fixture(scope="module")
def frozen(run):
    return run(*FROZEN)


@pytest.fixture(scope="module")
def fine_tuned(frozen, run):
    return run(*FINE_TUNED)


def content(folder, component, output, pattern="*"):
    """The last output of a component: every file's bytes by its name."""
    outputs = (folder / ".graft" / "artifacts" / component / output).iterdir()
    root = max(outputs, key=lambda one: int(one.name))
    return {
        str(one.relative_to(root)): one.read_bytes() for one in root.rglob(pattern) if one.is_file()
    }


@pytest.mark.parametrize(
    ("component", "output", "pattern"),
    [
        ("ExampleGen", "examples", "data_tfrecord-*"),
        ("Transform", "transform_graph", "label"),
        ("Embedder", "embeddings", "data_tfrecord-*"),
    ],
)
def test_examples_vocabulary_and_features_are_the_same_to_the_bit(
    frozen, folders, component, output, pattern
):
    first, second = (content(folder, component, output, pattern) for folder in folders)
    assert first
    assert first == second


def weights(folder):
    (variables,) = content(folder, "Trainer", "model", "variables.data-*").values()
    return variables


def test_the_head_is_the_same_to_the_bit(frozen, folders):
    first, second = map(weights, folders)
    assert first == second


def same_figures(first, second):
    assert first["history"] == second["history"]
    for split, values in first["metrics"].items():
        # TFMA adds up batches whose size Beam chooses by the clock.
        assert values == pytest.approx(second["metrics"][split], abs=1e-6)


def test_metrics_and_history_are_the_same(frozen):
    same_figures(*frozen)


def test_a_fine_tuned_model_is_the_same_to_the_bit(fine_tuned, folders):
    same_figures(*fine_tuned)
    assert weights(folders[0]) == weights(folders[1])
