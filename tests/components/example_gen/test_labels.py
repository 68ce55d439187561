"""Labels of each task: how one is read, and whether all together can be learned from."""

import pytest

from components.example_gen.inspect import Inspected
from components.example_gen.label_checks import check_classes, check_splits
from components.example_gen.labels import classes_of, join_labels, read_label
from components.example_gen.rows import Quarantined, Row, UnusableError
from preprocessing.config import LabelConfig
from preprocessing.errors import DataError

CLASSES = LabelConfig()
BINARY = LabelConfig(task="binary", positive="yes")
SEVERAL = LabelConfig(task="multilabel")
NUMBER = LabelConfig(task="regression", name="price")


@pytest.mark.parametrize(
    ("config", "text", "label"),
    [
        (CLASSES, " cat ", "cat"),
        (BINARY, "yes", "yes"),
        (SEVERAL, " a |b c| a||", "a|b c"),
        (LabelConfig(task="multilabel", separator=", "), "a, b,c", "a, b,c"),
        (NUMBER, " 1e3 ", "1e3"),
        (NUMBER, "-0.5", "-0.5"),
    ],
)
def test_a_label_gets_the_form_that_examples_hold(config, text, label):
    assert read_label(text, config) == label
    assert read_label(label, config) == label


@pytest.mark.parametrize(
    ("config", "text", "reason"),
    [
        (CLASSES, " \u200b", "column 'label' is empty"),
        (CLASSES, "two\nlines", "column 'label' holds a line break: 'two\\nlines'"),
        (SEVERAL, " | |", "column 'label' is empty"),
        (NUMBER, "", "column 'price' is empty"),
        (NUMBER, "n/a", "column 'price' holds 'n/a', no finite number"),
        (NUMBER, "nan", "column 'price' holds 'nan', no finite number"),
        (NUMBER, "1e99", "column 'price' holds '1e99', no finite number"),
    ],
)
def test_what_is_no_label_is_refused_with_its_reason(config, text, reason):
    with pytest.raises(UnusableError) as error:
        read_label(text, config)
    assert str(error.value) == reason


def test_a_list_is_joined_unless_a_label_would_become_two():
    assert join_labels(["a", "b"], SEVERAL) == "a|b"
    assert join_labels(["a|b"], SEVERAL) == "a|b"
    with pytest.raises(UnusableError) as error:
        join_labels(["a", "b|c"], SEVERAL)
    assert str(error.value) == (
        "column 'label': the label 'b|c' holds label.separator '|'; choose another"
    )


def test_a_number_stands_for_no_class():
    assert classes_of("1.5", NUMBER) == ()
    assert classes_of("a|b", CLASSES) == ("a|b",)
    assert classes_of("a| b", SEVERAL) == ("a", "b")


def seen(*labels: str) -> list[Inspected]:
    return [Inspected(Row(f"{n}.png", {}, label), {}) for n, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("config", "labels"),
    [
        (CLASSES, ["a", "b"]),
        (BINARY, ["yes", "no"]),
        (SEVERAL, ["a|b", "a"]),
        (NUMBER, ["1", "2"]),
    ],
)
def test_enough_labels_pass(config, labels):
    check_classes(seen(*labels), [Quarantined("x", "empty", None, None)], config)


@pytest.mark.parametrize(
    ("config", "labels", "message"),
    [
        (
            CLASSES,
            ["a", "a"],
            "A classifier needs at least two classes in the data.\n  Received: ['a']",
        ),
        (
            BINARY,
            ["Yes", "no"],
            "label.positive: no usable example has this label.\n"
            "  Received: 'yes'\n  Valid: Yes, no\n  Did you mean 'Yes'?",
        ),
        (
            BINARY,
            ["yes", "no", "maybe"],
            "task: binary needs exactly two labels in the data.\n"
            "  Received: ['maybe', 'no', 'yes']",
        ),
        (
            BINARY,
            ["yes"],
            "task: binary needs exactly two labels in the data.\n  Received: ['yes']",
        ),
        (
            BINARY,
            ["yes", *(f"{n:02d}" for n in range(20))],
            "task: binary needs exactly two labels in the data.\n  Received: ['00', '01', '02', "
            "'03', '04', '05', '06', '07', '08', '09', '… and 11 more']",
        ),
        (
            SEVERAL,
            ["a", "a"],
            "task: multilabel needs at least two labels in the data; label.separator, which "
            "stands between them, is '|'.\n  Received: ['a']",
        ),
        (
            NUMBER,
            ["1", "1.0"],
            "task: regression needs labels that differ; there is nothing to learn from one.\n"
            "  Received: [1.0]",
        ),
    ],
)
def test_labels_that_cannot_be_learned_from_are_one_clear_error(config, labels, message):
    with pytest.raises(DataError) as error:
        check_classes(seen(*labels), [], config)
    assert str(error.value) == message


def test_a_lost_label_of_several_is_named():
    lost = [
        Quarantined("1.png", "the file is empty", None, "a|c"),
        Quarantined("2", "x", None, "c"),
    ]
    with pytest.raises(DataError) as error:
        check_classes(seen("a", "b"), lost, SEVERAL)
    assert str(error.value) == (
        "No usable example is left of class 'c'; the first is 1.png: the file is empty\n"
        "  Received: '0 usable of 2'"
    )


def test_a_label_that_train_never_sees_is_named_in_each_task():
    with pytest.raises(DataError) as error:
        check_splits(seen("a|b", "b|c"), ["train", "eval"], SEVERAL)
    assert str(error.value) == (
        "1.png: class 'c' occurs in eval but not in train, so no model can learn it.\n"
        "  Received: 'c'\n  Valid: a, b"
    )
    with pytest.raises(DataError, match="class 'no' occurs in eval but not in train"):
        check_splits(seen("yes", "no"), ["train", "eval"], BINARY)
    check_splits(seen("1", "2"), ["train", "eval"], NUMBER)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            CLASSES,
            "No example is in the eval split: the classes are too small for the ratio in "
            "data.splits. Give more examples, a larger eval share, or stratify: false.\n"
            "  Received: {'train': 2}",
        ),
        (
            NUMBER,
            "No example is in the eval split: the data is too small for the ratio in "
            "data.splits. Give more examples or a larger eval share.\n"
            "  Received: {'train': 2}",
        ),
    ],
)
def test_an_empty_split_is_explained(config, message):
    with pytest.raises(DataError) as error:
        check_splits(seen("1", "2"), ["train", "train"], config)
    assert str(error.value) == message
