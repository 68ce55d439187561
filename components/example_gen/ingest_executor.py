"""What all executors here do: what they are told is read, and what came of the data is written.

Each says in `_ingest` how its source becomes files of tf.Examples.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.example_gen import outcome
from components.example_gen.config import DataConfig, PredictConfig
from components.example_gen.rows import Quarantined
from components.example_gen.sources.columns import Columns

# What was set aside, and what becomes of ingest.json.
Found = tuple[Sequence[Quarantined], Mapping[str, Any]]


class Task(NamedTuple):
    """What an executor is told.

    Attributes:
        config: The source and its limits: `CONFIG` of the executor.
        columns: What is asked of the source.
        artifact: Examples; its splits are written below its uri.
        work: A folder of the executor's own, which goes when it is through.
        inputs: What comes from other components.
        properties: All that the component declares.
    """

    config: Any
    columns: Columns
    artifact: types.Artifact
    work: str
    inputs: dict[str, list[types.Artifact]]
    properties: dict[str, Any]

    @property
    def uri(self) -> str:
        """Folder of the Examples artifact."""
        return str(self.artifact.uri)


class IngestExecutor(base_beam_executor.BaseBeamExecutor):
    """Writes an Examples artifact, whichever way its rows come."""

    CONFIG: type[DataConfig] | type[PredictConfig] = DataConfig

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes tf.Examples, quarantine.jsonl and ingest.json.

        Args:
            input_dict: See the component.
            output_dict: `examples`, one Examples artifact.
            exec_properties: See the component.

        Raises:
            ConfigError: If the source cannot have the configured columns.
            DataError: If the data cannot be used.
            QuarantineError: If more than the tolerated share is unusable; the
                list is then kept outside the artifact, which TFX deletes.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict["examples"])
        work = os.path.join(artifact.uri, ".work")
        tf.io.gfile.makedirs(work)
        config = self.CONFIG.model_validate_json(exec_properties["config"])
        columns = Columns.model_validate_json(exec_properties["columns"])
        task = Task(config, columns, artifact, work, input_dict, exec_properties)
        quarantined, summary = self._ingest(task)
        tf.io.gfile.rmtree(work)
        outcome.write_quarantine(os.path.join(artifact.uri, outcome.QUARANTINE), quarantined)
        outcome.write_summary(os.path.join(artifact.uri, outcome.INGEST), summary)
        artifact.split_names = artifact_utils.encode_split_names(list(summary["examples"]))
        tf_example = example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE  # type: ignore[attr-defined]
        examples_utils.set_payload_format(artifact, tf_example)

    def _ingest(self, task: Task) -> Found:
        """Writes `Split-…` below the artifact's uri; its summary has `examples` by split."""
        raise NotImplementedError
