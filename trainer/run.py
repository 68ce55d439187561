"""What the stock Trainer calls: fit the head on cached vectors, export the whole.

The head is heads.py's, its training fit.py's, the exported model export.py's.
"""

import json
import posixpath

import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from preprocessing.config import LabelConfig
from preprocessing.label import LABEL_VOCABULARY
from trainer.config import TrainConfig
from trainer.datasets import read_features
from trainer.export import ServedModel, export
from trainer.features import FeatureExtractor, load_extractor
from trainer.fit import fit_head
from trainer.heads import build_head
from trainer.model_config import ModelConfig
from trainer.tasks.registry import TASKS

HISTORY_FILE = "history.json"


class RunConfig(ModelConfig):
    """What the Trainer must know of the run; crosses TFX as JSON."""

    train: TrainConfig


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports one model.

    Args:
        fn_args: TFX's arguments; `custom_config["trainer"]` is a RunConfig.

    Raises:
        DataError: If the training split has too few classes.
    """
    config = RunConfig.model_validate(fn_args.custom_config["trainer"])
    model_config = ModelConfig(
        features=config.features, backbones=config.backbones, label=config.label
    )
    extractor = load_extractor(fn_args.transform_output, model_config.model_dump_json())
    task = TASKS[config.label.task]
    classes = task.read_classes(_vocabulary(extractor, config.label), config.label)
    inputs = extractor.head_inputs
    head = build_head(config.train.head, inputs, task.units(len(classes)), seed=config.train.seed)
    label = task.label(len(classes))
    history = fit_head(
        head,
        read_features(fn_args.train_files, inputs, config.label.name, label),
        read_features(fn_args.eval_files, inputs, config.label.name, label),
        task,
        config.train,
        posixpath.join(fn_args.model_run_dir, "tensorboard"),
    )
    logging.info("Training ended: %s", {key: values[-1] for key, values in history.items()})
    tf.io.gfile.makedirs(fn_args.model_run_dir)
    with tf.io.gfile.GFile(posixpath.join(fn_args.model_run_dir, HISTORY_FILE), "w") as file:
        file.write(json.dumps(history))
    export(ServedModel(extractor, head, classes), fn_args.serving_model_dir)


def _vocabulary(extractor: FeatureExtractor, label: LabelConfig) -> list[str]:
    """The label's words in training, none for numbers."""
    if label.task == "regression":
        return []
    words = extractor.transform_output.vocabulary_by_name(LABEL_VOCABULARY)
    return [word.decode() for word in words]
