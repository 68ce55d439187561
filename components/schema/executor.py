"""Writes a schema where other components look for one."""

import posixpath
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

# As SchemaGen calls it.
FILE = "schema.pbtxt"


class Executor(base_executor.BaseExecutor):
    """Writes one file."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `schema.pbtxt`.

        Args:
            input_dict: Nothing.
            output_dict: `schema`.
            exec_properties: `text`, the file's content.
        """
        folder = artifact_utils.get_single_uri(output_dict["schema"])
        with tf.io.gfile.GFile(posixpath.join(folder, FILE), "w") as file:
            file.write(exec_properties["text"])
