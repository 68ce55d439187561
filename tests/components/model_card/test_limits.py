"""Which warnings the figures themselves give."""

from components.model_card.card import CardClass, CardData
from components.model_card.limits import find_limits


def data(**changes):
    fields = {
        "source": "image_folder flowers",
        "fingerprint": None,
        "examples": {"train": 200, "eval": 100, "test": 400},
        "classes": {"daisy": {"train": 100, "test": 200}, "tulip": {"train": 100, "test": 200}},
        "quarantined": 0,
    }
    return CardData(**fields | changes)


METRICS = {"eval": {"accuracy": 0.95}, "test": {"accuracy": 0.9}}
UNCERTAIN = "Accuracy on test, 0.900, is of 400 examples: one standard error is 0.015."
CLOSED = (
    "It knows 2 classes and puts whatever it is shown among them; the probability of something "
    "else is not low by itself."
)


def test_a_model_with_good_figures_still_has_an_uncertainty_and_a_closed_world():
    assert find_limits(data(), METRICS, {}) == (UNCERTAIN, CLOSED)


def test_numbers_have_neither():
    assert find_limits(data(classes={}), {"eval": {"mae": 1.0}, "test": {"mae": 1.1}}, {}) == ()


def test_figures_of_the_eval_split_alone_are_too_good():
    found = find_limits(data(examples={"train": 10, "eval": 100}), {"eval": {"accuracy": 0.5}}, {})
    assert found[:2] == (
        "There is no test split. Training stopped where the eval split was best, so its figures "
        "are a little too good.",
        "Accuracy on eval, 0.500, is of 100 examples: one standard error is 0.050.",
    )


def test_rare_and_poor_classes_are_named():
    classes = {f"class {index}": {"train": 29} for index in range(9)} | {"daisy": {"train": 30}}
    by_class = {
        "test": (
            CardClass(name="daisy", examples=40, precision=0.3, recall=0.475),
            CardClass(name="tulip", examples=10, precision=None, recall=0.5),
            CardClass(name="rose", examples=0, precision=None, recall=None),
        )
    }
    few, poor = find_limits(data(classes=classes), METRICS, by_class)[2:]
    assert few == (
        "Trained on fewer than 30 examples: class 0, class 1, class 2, class 3, class 4, class 5, "
        "class 6, class 7 and 1 more."
    )
    assert poor == "Less than half of these are recognised on test: daisy (0.47 of 40)."


def test_what_was_left_out_is_said():
    found = find_limits(data(quarantined=1200, truncated={"title": {"train": 70}}), METRICS, {})
    assert found[2:] == (
        "1,200 examples could not be read and are in no figure; in production they are errors.",
        "The end of 10% of the texts in title is cut off.",
    )
