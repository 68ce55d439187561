"""What a run holds in memory does not grow with the number of its examples."""

import pytest

from pipeline.demo import write_demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FEW_PER_CLASS, ALL = 20, 1_000
LARGEST_GROWTH = 1.10
# What is tried in another process sees a few examples, however many there are.
SHORT = ("validate.validator=none", "push=null", "train.epochs=5")


@pytest.fixture(scope="module")
def peak(graft, tmp_path_factory):
    """Gives a function from the pictures in a class to the pictures and megabytes of a run."""

    def run(per_class):
        folder = tmp_path_factory.mktemp("digits")
        write_demo(folder)
        for one in (folder / "pictures").iterdir():
            for picture in sorted(one.iterdir())[per_class:]:
                picture.unlink()
        settings = [text for one in SHORT for text in ("--set", one)]
        threshold = ("--set", "evaluate.thresholds.accuracy.min=0.1")
        result = graft("run", "digits.yaml", "--json", *settings, *threshold, cwd=folder)
        assert result.code == 0, result.err
        return sum(result.summary["examples"].values()), result.summary["peak_memory_mb"]

    return run


def test_nine_times_the_pictures_take_no_more_memory(peak):
    few, small = peak(FEW_PER_CLASS)
    many, large = peak(ALL)
    assert many > 8 * few
    assert large <= LARGEST_GROWTH * small
