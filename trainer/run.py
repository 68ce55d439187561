"""What the stock Trainer calls: train one model, export the whole.

The thin edge to TFX: training is train.py's, the exported model export.py's.
"""

import json
import posixpath
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from preprocessing.source_file import raw_patterns
from trainer.calibrate import calibrate
from trainer.checkpoints import training_key
from trainer.export import ServedModel, export
from trainer.model_config import RunConfig
from trainer.predictions import predict_split, write_predictions
from trainer.strategy import is_chief, make_strategy, place_to_write
from trainer.train import TrainFiles, find_files, train
from trainer.tune_config import apply_values
from trainer.warm_start import describe, write_origin

HISTORY_FILE = "history.json"
NOTES_FILE = "notes.json"


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports one model.

    A training that was killed goes on where it was. With several workers, the
    chief writes the result and the others theirs into nothing.

    Args:
        fn_args: TFX's arguments; `custom_config["trainer"]` is a RunConfig,
            `custom_config["checkpoints"]` the folder of all trainings' states.
            `hyperparameters`, from the tuner, replace the config's.

    Raises:
        DataError: If the training split has too few classes.
    """
    config = RunConfig.model_validate(fn_args.custom_config["trainer"])
    if fn_args.hyperparameters:
        values = fn_args.hyperparameters["values"]
        logging.info("Training with the tuner's values: %s", values)
        tuned = apply_values(config.train, values)
        config = config.model_copy(update={"train": tuned})
    files = find_files(fn_args.transform_output, fn_args.train_files, fn_args.eval_files)
    checkpoints = _checkpoint_folder(fn_args, config)
    strategy = make_strategy(config.train.strategy)
    with (
        place_to_write(strategy, fn_args.model_run_dir) as model_run,
        place_to_write(strategy, fn_args.serving_model_dir) as folder,
    ):
        logs = posixpath.join(model_run, "tensorboard")
        model = train(config, files, logs, checkpoints, fn_args.base_model)
        last = {name: values[-1] for name, values in model.history.items() if values}
        logging.info("Training ended: %s", last)
        _write_json(posixpath.join(model_run, HISTORY_FILE), model.history)
        temperature, notes = 1.0, model.notes
        if config.train.calibrate:
            calibration = calibrate(config, files, model)
            temperature, notes = calibration.temperature, [*notes, calibration.note]
        _write_json(posixpath.join(model_run, NOTES_FILE), notes)
        served = ServedModel(model.extractor, model.head, model.classes, temperature)
        export(served, folder, config.tensors, config.bulk)
        is_tuned = config.train.mode == "fine_tune"
        for split, vectors in _held_out(files).items():
            raw = raw_patterns(vectors)
            said = predict_split(served, model.extractor, vectors, raw, tuned=is_tuned)
            write_predictions(said, model_run, split)
        write_origin(describe(config, model.extractor, model.head, model.classes), folder)
    if checkpoints is not None and is_chief(strategy) and tf.io.gfile.exists(checkpoints):
        tf.io.gfile.rmtree(checkpoints)


def _held_out(files: TrainFiles) -> dict[str, Sequence[str]]:
    """The eval split, and the test split where there is one beside it."""
    splits = {"eval": files.evaluation}
    test = [one.replace("/Split-eval/", "/Split-test/") for one in files.evaluation]
    if any(tf.io.gfile.glob(pattern) for pattern in test):
        splits["test"] = test
    return splits


def _checkpoint_folder(fn_args: FnArgs, config: RunConfig) -> str | None:
    """The folder of this very training: whatever decides its result is in the name."""
    root = fn_args.custom_config.get("checkpoints")
    if root is None:
        return None
    # The seed and the code digests among them.
    others = {key: one for key, one in fn_args.custom_config.items() if key != "trainer"}
    key = training_key(
        config.model_dump(mode="json"),
        others,
        fn_args.transform_output,
        fn_args.train_files,
        fn_args.eval_files,
        fn_args.base_model,
    )
    return posixpath.join(root, key)


def _write_json(path: str, value: Any) -> None:
    tf.io.gfile.makedirs(posixpath.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(value))
