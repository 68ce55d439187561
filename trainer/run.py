"""What the stock Trainer calls: train one model, export the whole.

The thin edge to TFX: training is train.py's, the exported model export.py's.
"""

import json
import posixpath

import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from preprocessing.source_file import raw_patterns
from trainer.export import ServedModel, export
from trainer.model_config import RunConfig
from trainer.train import TrainFiles, train

HISTORY_FILE = "history.json"


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports one model.

    Args:
        fn_args: TFX's arguments; `custom_config["trainer"]` is a RunConfig.

    Raises:
        DataError: If the training split has too few classes.
    """
    config = RunConfig.model_validate(fn_args.custom_config["trainer"])
    files = TrainFiles(
        fn_args.transform_output,
        fn_args.train_files,
        fn_args.eval_files,
        raw_patterns(fn_args.train_files),
        raw_patterns(fn_args.eval_files),
    )
    model = train(config, files, posixpath.join(fn_args.model_run_dir, "tensorboard"))
    logging.info("Training ended: %s", {key: values[-1] for key, values in model.history.items()})
    tf.io.gfile.makedirs(fn_args.model_run_dir)
    with tf.io.gfile.GFile(posixpath.join(fn_args.model_run_dir, HISTORY_FILE), "w") as file:
        file.write(json.dumps(model.history))
    export(ServedModel(model.extractor, model.head, model.classes), fn_args.serving_model_dir)
