"""The Exporter's wiring to TFX; what is done is in exports.py."""

import posixpath
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.exporter.config import ExportConfig
from components.exporter.exports import make_exports, refuse_all
from components.exporter.report import REPORT_FILE, Measured


class Executor(base_executor.BaseExecutor):
    """Makes the exports of one model; never fails because of them."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes a folder for each format that may be used, and report.json.

        Args:
            input_dict: `model` and `examples`.
            output_dict: `exports`.
            exec_properties: `config`, an ExportConfig as JSON.
        """
        config = ExportConfig.model_validate_json(exec_properties["config"])
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        splits = {
            split: artifact_utils.get_split_uri(input_dict["examples"], split)
            for split in ("train", "eval")
        }
        folder = artifact_utils.get_single_uri(output_dict["exports"])
        try:
            report = make_exports(model, splits, folder, config)
        except Exception:  # The model itself is judged elsewhere, and may well be pushed.
            logging.exception("The exports could not be prepared")
            reason = "an error that was not foreseen; the log has it"
            report = refuse_all(config, reason, "", Measured())
        tf.io.gfile.makedirs(folder)
        with tf.io.gfile.GFile(posixpath.join(folder, REPORT_FILE), "w") as file:
            file.write(report.model_dump_json(indent=2) + "\n")
