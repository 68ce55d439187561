"""What sections of a config demand of each other: checked before anything runs.

A new rule is a function here that yields `(key, message)` for each breach, and
its line in `CHECKS`; the config file's line is added by the caller.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.example_gen.config import derived_columns
from components.exporter import tfjs
from components.gate.config import METRICS
from pipeline.user_code import check_function
from pipeline.yaml_source import Path as Key
from preprocessing.config import EmbeddedFeature, missing_name
from preprocessing.errors import ConfigError, explain
from trainer.tune_config import find_mistakes

if TYPE_CHECKING:
    from pipeline.config import Config

Breaches = Iterator[tuple[Key, str]]

# What every example carries beside its features: see components/example_gen.
SOURCE_COLUMN = "source"


def find_breaches(config: "Config", base: Path) -> list[tuple[Key, str]]:
    """Applies every rule.

    Args:
        config: A config whose sections are valid by themselves.
        base: The folder of its file.

    Returns:
        The key of each breach, and what is wrong in the form of `explain`.
    """
    found = [breach for check in CHECKS for breach in check(config)]
    return found + list(check_head_function(config, base))


def check_names(config: "Config") -> Breaches:
    """Every example has one column of a name, and the label is no input."""
    taken = {SOURCE_COLUMN: "where an example comes from"}
    for name, feature in config.features.items():
        for column in (*derived_columns(name, feature.kind), missing_name(name)):
            taken[column] = f"a property of the feature {name}"
    names: list[tuple[Key, str]] = [(("features", name), name) for name in config.features]
    for key, name in [*names, (("label", "name"), config.label.name)]:
        if name in taken:
            yield key, explain(f"this column name is taken: it is {taken[name]}", name)
        taken[name] = "another feature"
    for name, feature in config.features.items():
        if feature.column == config.label.name:
            key = ("features", name, "column")
            yield key, explain("this column holds the label, to be predicted", feature.column)


def check_licences(config: "Config") -> Breaches:
    """A licence is stated of a backbone that there is."""
    embedded = [name for name, one in config.features.items() if isinstance(one, EmbeddedFeature)]
    for name in config.model_card.backbone_licences:
        if name not in embedded:
            key = ("model_card", "backbone_licences", name)
            yield key, explain("no feature of this name has a backbone", name, embedded)


def check_source(config: "Config") -> Breaches:
    """A folder of pictures has pictures alone, one of each example."""
    if config.predict and config.predict.source.kind == "image_folder":
        kinds = [feature.kind for feature in config.features.values()]
        if kinds != ["image"]:
            what = "the model takes more than one picture, so that it needs a table or TFRecords"
            yield ("predict", "source", "kind"), explain(what, "image_folder", ["csv", "tfrecord"])
    if config.data.source.kind != "image_folder":
        return
    for name, feature in config.features.items():
        if feature.kind != "image":
            what = "an image_folder has pictures alone; a table (csv) may have other features too"
            yield ("features", name, "kind"), explain(what, feature.kind, ["image"])
        elif feature.column is not None:
            what = "an image_folder has no columns"
            yield ("features", name, "column"), explain(what, feature.column)


def check_slices(config: "Config") -> Breaches:
    """Slices group by what has few values: words, not numbers, texts or pictures."""
    closed = config.data.source.kind == "image_folder"
    given = given_columns(config)
    for row, group in enumerate(config.evaluate.slices):
        for position, column in enumerate(group):
            key = ("evaluate", "slices", row, position)
            numbers = [
                name
                for name, one in config.features.items()
                if one.kind == "numeric" and column in (name, one.column)
            ]
            if numbers:
                what = "a numeric feature has too many values to group examples by"
                yield key, explain(what, column, given)
            elif column not in given and (closed or column in config.features):
                yield key, explain("examples cannot be grouped by this column", column, given)


def given_columns(config: "Config") -> list[str]:
    """Columns that examples have anyway, and can be grouped by."""
    features = config.features.items()
    words = [name for name, feature in features if feature.kind == "categorical"]
    derived = [
        column for name, feature in features for column in derived_columns(name, feature.kind)
    ]
    return [config.label.name, SOURCE_COLUMN, *words, *derived]


def check_thresholds(config: "Config") -> Breaches:
    """A threshold is on a metric that the task has."""
    task = config.label.task
    valid = [metric.name for metric in METRICS.values() if task in metric.tasks]
    for key in ("thresholds", "slice_thresholds"):
        for name in getattr(config.evaluate, key) or {}:
            if name not in valid:
                what = f"task: {task} has no such metric"
                yield ("evaluate", key, name), explain(what, name, valid)


def check_loss(config: "Config") -> Breaches:
    """Numbers have no classes to weigh, and no probabilities."""
    loss = config.train.loss
    for key, value in (("class_weights", loss.class_weights), ("focal_gamma", loss.focal_gamma)):
        if value and config.label.task == "regression":
            what = "task: regression has no classes, so this has no meaning"
            yield ("train", "loss", key), explain(what, value)
    if config.train.calibrate and config.label.task == "regression":
        what = "task: regression has no probabilities, so there is nothing to calibrate"
        yield ("train", "calibrate"), explain(what, config.train.calibrate)


def check_training(config: "Config") -> Breaches:
    """What is done to pictures or to backbones needs some; keys of another mode may stay."""
    train = config.train
    pictures = any(feature.kind == "image" for feature in config.features.values())
    embedded = any(isinstance(one, EmbeddedFeature) for one in config.features.values())
    kinds = sorted({feature.kind for feature in config.features.values()})
    if train.mode == "fine_tune" and not embedded:
        what = "fine-tuning trains a backbone, and no feature has one"
        yield ("train", "mode"), explain(what, train.mode, ["frozen"])
    if train.views and train.mode != "frozen":
        what = "views are for mode: frozen; fine_tune.augment changes pictures anew in every epoch"
        yield ("train", "views"), explain(what, train.views)
    if train.views and not pictures:
        yield ("train", "views"), explain("views are of pictures, and no feature is one", kinds)
    asked = {
        ("train", "augment"): train.augment if "augment" in train.model_fields_set else None,
        ("train", "fine_tune", "augment"): train.fine_tune.augment
        if "augment" in train.fine_tune.model_fields_set
        else None,
    }
    for key, augment in asked.items():
        if augment is not None and not pictures:
            yield key, explain("pictures are augmented, and no feature is one", kinds)
    for name, alpha in (("mixup", train.augment.mixup), ("cutmix", train.augment.cutmix)):
        if alpha:
            what = f"views cannot be mixed; fine-tuning can: train.fine_tune.augment.{name}"
            yield ("train", "augment", name), explain(what, alpha)


def check_mixing(config: "Config") -> Breaches:
    """Half of another picture makes half of another label only where pictures alone decide."""
    augment = config.train.fine_tune.augment
    others = sorted(name for name, one in config.features.items() if one.kind != "image")
    for key in ("mixup", "cutmix"):
        value = getattr(augment, key, 0)
        where = ("train", "fine_tune", "augment", key)
        if value and config.label.task == "regression":
            what = "a number between two is not what a mixture of two pictures shows"
            yield where, explain(what, value)
        elif value and others:
            what = (
                "only pictures can be mixed, and these features would still tell which example "
                f"it is: {', '.join(others)}"
            )
            yield where, explain(what, value)


def check_tune(config: "Config") -> Breaches:
    """The tuner tries what `train` can take."""
    if config.tune is not None:
        for key, what in find_mistakes(config.tune, config.train):
            yield ("tune", "space", key) if key else ("tune", "objective"), what


def check_export_tools(config: "Config") -> Breaches:
    """What makes and runs TensorFlow.js models is on this machine."""
    exports = config.exports
    if exports is not None and "tfjs" in exports.formats:
        missing = tfjs.what_is_missing(check=exports.check)
        if missing:
            yield ("export",), explain(f"tfjs cannot be made: {missing}", list(exports.formats))


def check_head_function(config: "Config", base: Path) -> Breaches:
    """The user's own head is there."""
    function = config.train.head.function
    if function is None:
        return
    try:
        check_function(function, base)
    except ConfigError as error:
        yield ("train", "head", "function"), str(error)


CHECKS: tuple[Callable[["Config"], Breaches], ...] = (
    check_names,
    check_licences,
    check_source,
    check_slices,
    check_thresholds,
    check_loss,
    check_training,
    check_mixing,
    check_tune,
    check_export_tools,
)
