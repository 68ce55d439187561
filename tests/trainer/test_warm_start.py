"""The last blessed head's weights come to the same classes and inputs, wherever they now stand."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import HeadConfig
from trainer.head_inputs import HeadInput
from trainer.heads import build_head
from trainer.warm_start import InputOrigin, Origin, start_from, write_origin

WIDTHS = {"image": 2, "text": 3}


def make(classes=("a", "b"), widths=WIDTHS, hidden=(), units=None, **changed):
    """Builds a head, and says what it is of."""
    inputs = {name: HeadInput(kind="vector", width=width) for name, width in widths.items()}
    units = len(classes) if units is None else units
    head = build_head(HeadConfig(hidden=hidden), inputs, units, seed=len(classes))
    origin = {
        "classes": classes,
        "inputs": {name: InputOrigin(width=width, content=name) for name, width in widths.items()},
        "function": None,
        "variables": [one.name.partition(":")[0] for one in head.variables],
        "tuned": False,
    }
    return head, Origin.model_validate({**origin, **changed})


@pytest.fixture
def export(tmp_path):
    """Exports a head with random weights as a ServedModel does; gives the folder and weights."""

    def export(head, origin):
        random = np.random.default_rng(1)
        head.set_weights([random.normal(size=one.shape) for one in head.get_weights()])
        module = tf.Module()
        module._head_variables = head.variables
        tf.saved_model.save(module, str(tmp_path / "model"))
        write_origin(origin, str(tmp_path / "model"))
        return str(tmp_path / "model"), values(head)

    return export


def values(head):
    return {one.name.partition(":")[0]: one.numpy() for one in head.variables}


def test_classes_are_matched_by_name_and_new_ones_start_from_zero(export):
    model, old = export(*make(("a", "b", "gone")))
    head, origin = make(("b", "new", "a"))
    start = start_from(model, origin, head, None)
    new = values(head)
    for name in ("logits/kernel", "logits/bias"):
        np.testing.assert_array_equal(new[name][..., [2, 0]], old[name][..., [0, 1]])
        assert not new[name][..., 1].any()
    assert start.note == "The head starts from the last blessed model. New classes: new."
    assert not start.tuned


def test_inputs_are_matched_by_name_and_content_wherever_they_stand(export):
    model, old = export(*make(widths={"image": 2, "text": 3, "was": 1}))
    # In the order of their names `brand` pushes the others three rows down.
    head, origin = make(widths={"brand": 3, "image": 2, "text": 3})
    changed = {**origin.inputs, "text": InputOrigin(width=3, content="another backbone")}
    start = start_from(model, origin.model_copy(update={"inputs": changed}), head, None)
    kernel = values(head)["logits/kernel"]
    np.testing.assert_array_equal(kernel[3:5], old["logits/kernel"][:2])
    assert not kernel[[0, 1, 2, 5, 6, 7]].any()
    assert start.note == (
        "The head starts from the last blessed model. "
        "New inputs, or with another content: brand, text."
    )


def test_hidden_layers_come_along_whole(export):
    model, old = export(*make(hidden=(4, 3)))
    head, origin = make(("b", "a"), hidden=(4, 3))
    assert start_from(model, origin, head, None).note == (
        "The head starts from the last blessed model."
    )
    new = values(head)
    for name in ("hidden_1/kernel", "hidden_1/bias", "hidden_2/kernel", "hidden_2/bias"):
        np.testing.assert_array_equal(new[name], old[name])
    np.testing.assert_array_equal(new["logits/kernel"], old["logits/kernel"][:, ::-1])


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({"hidden": (4,)}, {"hidden": (5,)}, "its hidden layers are [4] and these [5]"),
        ({"hidden": (4,)}, {}, "its hidden layers are [4] and these []"),
        ({"classes": ("x", "y")}, {}, "no class is the same"),
        ({"widths": {"image": 5}}, {"widths": {"image": 4}}, "no input is the same"),
        (
            {"units": 1},
            {"units": 1, "classes": ("b", "a")},
            "its classes are ['a', 'b'] and these ['b', 'a']",
        ),
        ({"function": "heads:build"}, {}, "its head was built by another function"),
        (
            {"function": "heads:build"},
            {"function": "heads:build", "hidden": (3,)},
            "its head has other layers",
        ),
        ({"tuned": True}, {}, "its backbones are fine-tuned, and train.mode is frozen"),
    ],
)
def test_what_does_not_fit_is_said_and_left_alone(export, before, now, reason):
    model, _ = export(*make(**before))
    head, origin = make(**now)
    fresh = values(head)
    assert start_from(model, origin, head, None).note == (
        "The head starts cold: the last blessed model does not fit, for "
        f"{reason} (train.warm_start)."
    )
    for name, value in values(head).items():
        np.testing.assert_array_equal(value, fresh[name])


def test_without_a_blessed_model_the_head_starts_cold():
    head, origin = make()
    assert start_from(None, origin, head, None).note == (
        "The head starts cold: there is no blessed model yet (train.warm_start)."
    )


def _lose(variables):
    shutil.rmtree(variables)


def _cut_short(variables):
    (data,) = variables.glob("variables.data-*")
    data.write_bytes(data.read_bytes()[:8])


@pytest.mark.parametrize("spoil", [_lose, _cut_short])
def test_a_model_that_has_lost_its_weights_is_not_started_from(export, spoil, tmp_path):
    model, _ = export(*make())
    spoil(tmp_path / "model" / "variables")
    head, origin = make()
    assert start_from(model, origin, head, None).note == (
        "The head starts cold: the last blessed model does not fit, for its weights cannot be read "
        "(train.warm_start)."
    )


def test_a_model_that_does_not_say_what_it_is_of_is_not_started_from(export, tmp_path):
    model, _ = export(*make())
    (tmp_path / "model" / "assets.extra" / "head.json").write_text("{}")
    head, origin = make()
    assert start_from(model, origin, head, None).note == (
        "The head starts cold: the last blessed model does not fit, for it has no "
        "assets.extra/head.json that can be read (train.warm_start)."
    )
