"""What the stock Trainer calls: fit the head on cached vectors, export the whole.

The head is heads.py's, its training fit.py's, the exported model export.py's.
"""

import json
import posixpath

import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from preprocessing.config import Record
from preprocessing.errors import DataError
from preprocessing.transform import LABEL_VOCABULARY
from trainer.backbones.record import Backbone
from trainer.config import TrainConfig
from trainer.datasets import read_features
from trainer.export import ServedModel, export
from trainer.features import Backbones, load_extractor
from trainer.fit import fit_head
from trainer.heads import build_head

HISTORY_FILE = "history.json"


class RunConfig(Record):
    """What the Trainer must know of the run; crosses TFX as JSON."""

    backbones: dict[str, Backbone]
    label: str
    train: TrainConfig


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports one model.

    Args:
        fn_args: TFX's arguments; `custom_config["trainer"]` is a RunConfig.

    Raises:
        DataError: If training has fewer than two classes.
    """
    config = RunConfig.model_validate(fn_args.custom_config["trainer"])
    extractor = load_extractor(
        fn_args.transform_output, Backbones(config.backbones).model_dump_json()
    )
    classes = [
        name.decode() for name in extractor.transform_output.vocabulary_by_name(LABEL_VOCABULARY)
    ]
    if len(classes) < 2:
        raise DataError(
            f"A classifier needs two classes or more; the training split has {classes}."
        )
    widths = {name: backbone.feature_width for name, backbone in config.backbones.items()}
    head = build_head(config.train.head, widths, len(classes), seed=config.train.seed)
    history = fit_head(
        head,
        read_features(fn_args.train_files, widths, config.label),
        read_features(fn_args.eval_files, widths, config.label),
        config.train,
        posixpath.join(fn_args.model_run_dir, "tensorboard"),
    )
    logging.info("Training ended: %s", {key: values[-1] for key, values in history.items()})
    tf.io.gfile.makedirs(fn_args.model_run_dir)
    with tf.io.gfile.GFile(posixpath.join(fn_args.model_run_dir, HISTORY_FILE), "w") as file:
        file.write(json.dumps(history))
    model = ServedModel(extractor, head, sorted(widths), config.label, classes)
    export(model, fn_args.serving_model_dir)
