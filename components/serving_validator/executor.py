"""The wiring of the ServingValidator; what it demands is in validate.py."""

import json
import posixpath
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.serving_validator.config import ValidateConfig
from components.serving_validator.examples import read_trial
from components.serving_validator.report import REPORT_FILE
from components.serving_validator.validate import validate

SPLIT = "eval"
# As TFX's InfraValidator does, which the Pusher reads.
_FILES = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}


class Executor(base_executor.BaseExecutor):
    """Tries a model and blesses it, or says why not."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Tries one model.

        Args:
            input_dict: `model`, `examples`, and the Trainer's `model_run` with
                the training path's answers.
            output_dict: `blessing`, an InfraBlessing, with report.json in it.
            exec_properties: `config`, a ValidateConfig as JSON; `hidden`, a
                JSON list of folders that the process must not read.
        """
        model = artifact_utils.get_single_instance(input_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        config = ValidateConfig.model_validate_json(exec_properties["config"])
        trial = read_trial(
            artifact_utils.get_split_uri(input_dict["examples"], SPLIT),
            artifact_utils.get_single_uri(input_dict["model_run"]),
            config.examples,
        )
        report = validate(
            path_utils.serving_model_path(model.uri),
            trial,
            config,
            json.loads(exec_properties["hidden"]),
        )
        for reason in report.reasons:
            logging.info("Serving validation: %s", reason)
        blessing.set_int_custom_property("blessed", int(report.blessed))
        blessing.set_int_custom_property("has_model", 0)
        tf.io.gfile.makedirs(blessing.uri)
        texts = {REPORT_FILE: report.model_dump_json(indent=2) + "\n", _FILES[report.blessed]: ""}
        for name, text in texts.items():
            with tf.io.gfile.GFile(posixpath.join(blessing.uri, name), "w") as file:
                file.write(text)
