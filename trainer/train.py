"""Trains one model on what the Embedder has written, whoever asks for it.

The Trainer does it once (run.py), a tuner once for each trial. The head is
heads.py's, its training fit.py's, that of backbones fine_tune's.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tf_keras

from preprocessing.config import LabelConfig
from preprocessing.label import LABEL_VOCABULARY
from preprocessing.source_file import raw_patterns
from trainer.checkpoints import resumable_dropout, stage_folder
from trainer.datasets import known_labels, read_features
from trainer.features import FeatureExtractor, load_extractor
from trainer.fine_tune.fine_tune import fine_tune
from trainer.fine_tune.precision import load_tunable, to_float32
from trainer.fine_tune.unfreeze import choose_variables
from trainer.fit import fit_head
from trainer.heads import build_head
from trainer.model_config import RunConfig
from trainer.strategy import check_replicas, make_strategy
from trainer.tasks.registry import TASKS
from trainer.warm_start import describe, start_from


class TrainFiles(NamedTuple):
    """Where everything lies that a model is trained on.

    Attributes:
        transform_graph: Folder of Transform's output artifact.
        train: Patterns of the files of cached vectors to learn from.
        evaluation: The same, to stop on.
        raw_train: Patterns of the files of raw examples that these are vectors
            of; only fine-tuning reads them.
        raw_evaluation: The same, to stop on.
    """

    transform_graph: str
    train: Sequence[str]
    evaluation: Sequence[str]
    raw_train: Sequence[str] = ()
    raw_evaluation: Sequence[str] = ()


class TrainedModel(NamedTuple):
    """What training gives: the parts of a ServedModel, and how it went.

    Attributes:
        extractor: From raw columns to the head's inputs.
        head: From its inputs to logits.
        classes: Class names in the order of the logits; none for numbers.
        history: For each name a value an epoch, see `fit_head`; fine-tuning's
            follow on the head's.
        notes: What people should know of it.
    """

    extractor: FeatureExtractor
    head: tf_keras.Model
    classes: list[str]
    history: dict[str, list[float]]
    notes: list[str]


def find_files(transform_graph: str, train: Sequence[str], evaluation: Sequence[str]) -> TrainFiles:
    """Finds what belongs to the files of cached vectors that TFX hands over."""
    return TrainFiles(
        transform_graph, train, evaluation, raw_patterns(train), raw_patterns(evaluation)
    )


def train(
    config: RunConfig,
    files: TrainFiles,
    log_dir: str | None,
    checkpoints: str | None = None,
    base_model: str | None = None,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
) -> TrainedModel:
    """Trains a model.

    Args:
        config: What model, and how to train it.
        files: What on.
        log_dir: Folder for TensorBoard, or a URL of one; None, as for a trial
            among many, leaves out that and the progress.
        checkpoints: Folder of this training's state, from which a killed one
            goes on; None keeps nothing.
        base_model: Folder of the last blessed model, for a warm start.
        callbacks: Further ones, run after each epoch.

    Returns:
        The model with its best weights.

    Raises:
        ConfigError: If the backbones cannot be trained as asked.
        DataError: If the training split has too few classes.
        UsageError: If there is not what the strategy needs.
    """
    # Before anything else: workers find each other only then.
    strategy = make_strategy(config.train.strategy)
    extractor = load_extractor(files.transform_graph, config.model.model_dump_json())
    task = TASKS[config.label.task]
    classes = task.read_classes(_vocabulary(extractor, config.label), config.label)
    inputs = extractor.head_inputs
    label = task.label(len(classes))
    # Without inputs only the labels are parsed.
    labels = read_features(files.train, {}, config.label.name, label)
    task = task.inform(known_labels(labels, task.is_known), classes, config.train.loss)
    with strategy.scope(), resumable_dropout():
        tunable = _load_tunable(config, files)
        head = build_head(
            config.train.head,
            inputs,
            task.units(len(classes)),
            seed=config.train.seed,
            label_unit=task.label_unit,
        )
        start = None
        if config.train.warm_start:
            origin = describe(config, extractor, head, classes)
            start = start_from(base_model, origin, head, tunable)
    history: dict[str, list[float]] = {}
    if start is None or not start.tuned:
        history = fit_head(
            head,
            read_features(files.train, inputs, config.label.name, label),
            read_features(files.evaluation, inputs, config.label.name, label),
            task,
            config.train,
            log_dir,
            stage_folder(checkpoints, "head"),
            callbacks,
        )
    if tunable is not None:
        with strategy.scope():
            tuning = fine_tune(
                tunable,
                head,
                task,
                files.raw_train,
                files.raw_evaluation,
                config.train,
                stage_folder(log_dir, "fine_tune"),
                stage_folder(checkpoints, "fine_tune"),
                callbacks,
            )
        history = {name: history.get(name, []) + values for name, values in tuning.items()}
        precision = config.train.fine_tune.precision
        extractor = to_float32(tunable, files.transform_graph, precision)
    return TrainedModel(extractor, head, classes, history, [start.note] if start else [])


def _load_tunable(config: RunConfig, files: TrainFiles) -> FeatureExtractor | None:
    """Loads what fine-tuning will change, and complains before anything is trained."""
    if config.train.mode != "fine_tune":
        return None
    recipe = config.train.fine_tune
    check_replicas(config.backbones)
    tunable = load_tunable(files.transform_graph, config.model, recipe.precision)
    choose_variables(tunable.backbones, recipe.unfreeze)
    return tunable


def _vocabulary(extractor: FeatureExtractor, label: LabelConfig) -> list[str]:
    """The label's words in training, none for numbers."""
    if label.task == "regression":
        return []
    words = extractor.transform_output.vocabulary_by_name(LABEL_VOCABULARY)
    return [word.decode() for word in words]
