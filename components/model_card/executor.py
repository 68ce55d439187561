"""Asks for the facts of a model and writes them; the wiring only."""

import posixpath
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import import_utils

from components.model_card.markdown import to_markdown

MARKDOWN_FILE = "model_card.md"
JSON_FILE = "model_card.json"


class Executor(base_executor.BaseExecutor):
    """Writes one card."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes one card.

        Args:
            input_dict: See ModelCardSpec.
            output_dict: `model_card`.
            exec_properties: See ModelCardSpec.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        module, _, name = exec_properties["describe_fn"].rpartition(".")
        describe = import_utils.import_func_from_module(module, name)
        folders = {key: artifacts[0].uri for key, artifacts in input_dict.items() if artifacts}
        run_id = getattr(self._context, "pipeline_run_id", None) or ""
        card = describe(exec_properties["config"], folders, run_id)
        folder = artifact_utils.get_single_uri(output_dict["model_card"])
        for name, text in (
            (MARKDOWN_FILE, to_markdown(card)),
            (JSON_FILE, card.model_dump_json(indent=2) + "\n"),
        ):
            with tf.io.gfile.GFile(posixpath.join(folder, name), "w") as file:
                file.write(text)
