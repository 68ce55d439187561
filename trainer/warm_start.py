"""Starts a model from the last blessed one, as far as they are alike.

Classes are matched by name and inputs by name and content, so both may come,
go and change places. `head.json` beside the exported model says what its
weights are of.
"""

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from absl import logging

from preprocessing.categorical import vocabulary_name
from preprocessing.config import Record
from preprocessing.errors import UsageError, explain
from trainer.features import FeatureExtractor
from trainer.model_config import RunConfig

# Where TF Serving looks for nothing.
_FILE = "assets.extra/head.json"
_LOGITS = ("logits/kernel", "logits/bias")


class InputOrigin(Record):
    """What one input of a head was: how wide, and by digest what its numbers mean."""

    width: int
    content: str


class Origin(Record):
    """What the weights of an exported model are of.

    Attributes:
        classes: Their names in the order of the logits; none for numbers.
        inputs: By name; the first layer takes them in the order of the names.
        function: The user's own function that built the head, if any.
        variables: Names of the head's variables, in the order of `_head_variables`.
        tuned: Whether the backbones are no longer what was vendored.
    """

    classes: tuple[str, ...]
    inputs: dict[str, InputOrigin]
    function: str | None
    variables: tuple[str, ...]
    tuned: bool


class Start(NamedTuple):
    """How a training begins.

    Attributes:
        note: One sentence for people.
        tuned: Whether backbones and head are those of a fine-tuned model, so
            that the head must not be trained without them.
    """

    note: str
    tuned: bool = False


class _MisfitError(Exception):
    """Why a model cannot be started from."""


def describe(
    config: RunConfig, extractor: FeatureExtractor, head: tf_keras.Model, classes: Sequence[str]
) -> Origin:
    """Says what a model's weights are of."""
    return Origin(
        classes=tuple(classes),
        inputs={
            name: InputOrigin(width=one.width, content=_content(name, one.kind, extractor))
            for name, one in extractor.head_inputs.items()
        },
        function=config.train.head.function,
        variables=tuple(variable.name.partition(":")[0] for variable in head.variables),
        tuned=config.train.mode == "fine_tune",
    )


def write_origin(origin: Origin, model: str) -> None:
    """Writes it beside an exported model, for a later training to start from."""
    path = posixpath.join(model, _FILE)
    tf.io.gfile.makedirs(posixpath.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(origin.model_dump_json(indent=2) + "\n")


def start_from(
    base_model: str | None,
    origin: Origin,
    head: tf_keras.Model,
    tunable: FeatureExtractor | None,
) -> Start:
    """Puts the last blessed model's weights in where they fit.

    Args:
        base_model: Folder of its SavedModel; None where there is none yet.
        origin: What the new model's weights will be of.
        head: Built, not trained; left alone where it cannot take anything.
        tunable: What fine-tuning will change; takes the weights of a fine-tuned
            model whose head fits whole. None for frozen backbones.

    Returns:
        What was done.

    Raises:
        UsageError: If the weights are not where they should be.
    """
    if base_model is None:
        return _said("The head starts cold: there is no blessed model yet (train.warm_start).")
    try:
        before, weights = _read(base_model)
        if before.tuned:
            if tunable is None:
                raise _MisfitError("its backbones are fine-tuned, and train.mode is frozen")
            _take_whole(before, weights, origin, head)
            _take_backbones(base_model, tunable)
            return _said("Head and backbones start from the last blessed model.", tuned=True)
        news = _take_parts(before, weights, origin, head)
    except _MisfitError as misfit:
        return _said(
            f"The head starts cold: the last blessed model does not fit, for {misfit} "
            "(train.warm_start)."
        )
    return _said(" ".join(["The head starts from the last blessed model.", *news]))


def _said(note: str, tuned: bool = False) -> Start:
    logging.info("%s", note)
    return Start(note, tuned)


def _read(model: str) -> tuple[Origin, list[np.ndarray]]:
    try:
        with tf.io.gfile.GFile(posixpath.join(model, _FILE)) as file:
            origin = Origin.model_validate_json(file.read())
    except (tf.errors.NotFoundError, ValueError):
        raise _MisfitError(f"it has no {_FILE} that can be read") from None
    key = "_head_variables/{}/.ATTRIBUTES/VARIABLE_VALUE"
    try:
        reader = tf.train.load_checkpoint(_weights(model))
        values = [reader.get_tensor(key.format(index)) for index in range(len(origin.variables))]
    # A status that the reader does not translate comes as Python's own error.
    except (tf.errors.OpError, ValueError, IndexError, RuntimeError):
        raise _MisfitError("its weights cannot be read") from None
    return origin, values


def _weights(model: str) -> str:
    return posixpath.join(model, "variables", "variables")


def _take_whole(
    before: Origin, weights: list[np.ndarray], origin: Origin, head: tf_keras.Model
) -> None:
    """Takes every variable of the head, its statistics of the inputs included."""
    if before.classes != origin.classes:
        raise _MisfitError("it has other classes")
    if before.inputs != origin.inputs:
        raise _MisfitError("it has other inputs")
    if [one.shape for one in weights] != [tuple(one.shape) for one in head.variables]:
        raise _MisfitError("its head has other layers")
    for variable, value in zip(head.variables, weights, strict=True):
        variable.assign(value)


def _take_backbones(model: str, tunable: FeatureExtractor) -> None:
    # As the parts of a ServedModel are called.
    parts = tf.train.Checkpoint(_extractor=tf.train.Checkpoint(backbones=tunable.backbones))
    try:
        # `restore` would also want the counter of saves, which a SavedModel lacks.
        parts.read(_weights(model)).assert_existing_objects_matched().expect_partial()
    except AssertionError:
        raise UsageError(
            explain(
                "The last blessed model's backbones cannot be read, having been exported by other "
                "code. Train once with train.warm_start: false.",
                model,
            )
        ) from None


def _take_parts(
    before: Origin, weights: list[np.ndarray], origin: Origin, head: tf_keras.Model
) -> list[str]:
    """Takes the weights of the classes and inputs that both have; says which are new."""
    if before.function != origin.function:
        raise _MisfitError("its head was built by another function")
    if origin.function is not None:
        _take_whole(before, weights, origin, head)
        return []
    old = dict(zip(before.variables, weights, strict=True))
    new = {one.name.partition(":")[0]: one for one in head.trainable_variables}
    layers = [name for name in new if name.endswith("/bias")]
    hidden = [int(new[name].shape[0]) for name in layers if name not in _LOGITS]
    was = [len(old[name]) for name in old if name.endswith("/bias") and name not in _LOGITS]
    if hidden != was:
        raise _MisfitError(f"its hidden layers are {was} and these {hidden}")
    first = "hidden_1/kernel" if hidden else "logits/kernel"
    if len(old[first]) != sum(one.width for one in before.inputs.values()):
        raise _MisfitError("its head was built by other code")
    rows = _match_inputs(before.inputs, origin.inputs)
    columns = _match_classes(before.classes, origin.classes, int(new["logits/bias"].shape[0]))
    for name, variable in new.items():
        value = variable.numpy()
        here, there = np.arange(len(value)), np.arange(len(old[name]))
        if name == first:
            here, there = rows
        if name == "logits/kernel":
            value[np.ix_(here, columns[0])] = old[name][np.ix_(there, columns[1])]
        elif name == "logits/bias":
            value[columns[0]] = old[name][columns[1]]
        else:
            value[here] = old[name][there]
        variable.assign(value)
    return _news(before, origin)


def _match_inputs(
    old: Mapping[str, InputOrigin], new: Mapping[str, InputOrigin]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the first layer, here and there, that belong to the same numbers."""
    here, there = _offsets(new), _offsets(old)
    same = [name for name in sorted(new) if old.get(name) == new[name]]
    if not same:
        raise _MisfitError("no input is the same")
    ours, theirs = (
        np.concatenate([np.arange(new[name].width) + start[name] for name in same])
        for start in (here, there)
    )
    return ours, theirs


def _offsets(inputs: Mapping[str, InputOrigin]) -> dict[str, int]:
    """Where each input begins, put together in the order of the names."""
    offsets, total = {}, 0
    for name in sorted(inputs):
        offsets[name] = total
        total += inputs[name].width
    return offsets


def _match_classes(
    old: Sequence[str], new: Sequence[str], units: int
) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the last layer, here and there, that belong to the same class."""
    if units != len(new):
        if old != new:
            raise _MisfitError(f"its classes are {list(old)} and these {list(new)}")
        return np.arange(units), np.arange(units)
    same = [name for name in new if name in old]
    if not same:
        raise _MisfitError("no class is the same")
    ours, theirs = ([names.index(name) for name in same] for names in (new, old))
    return np.array(ours), np.array(theirs)


def _news(before: Origin, origin: Origin) -> list[str]:
    classes = [name for name in origin.classes if name not in before.classes]
    inputs = [name for name, one in origin.inputs.items() if before.inputs.get(name) != one]
    news = []
    if classes:
        news.append(f"New classes: {', '.join(classes)}.")
    if inputs:
        news.append(f"New inputs, or with another content: {', '.join(inputs)}.")
    return news


def _content(name: str, kind: str, extractor: FeatureExtractor) -> str:
    if kind == "vector":
        text = extractor.config.backbones[name].model_dump_json(exclude={"handle", "path"})
    elif kind == "category":
        words = extractor.transform_output.vocabulary_by_name(vocabulary_name(name))
        text = json.dumps([word.decode(errors="replace") for word in words])
    else:
        return kind
    return f"{kind} {hashlib.sha256(text.encode()).hexdigest()}"
