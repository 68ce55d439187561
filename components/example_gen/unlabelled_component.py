"""Declares UnlabelledExampleGen: rows that are only to be predicted, as tf.Examples."""

import tempfile
from collections.abc import Mapping

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.example_gen import unlabelled_executor
from components.example_gen.config import PredictConfig
from components.example_gen.slices import plan_slices
from components.example_gen.sources.columns import Columns
from preprocessing.config import Feature, LabelConfig


class UnlabelledExampleGenSpec(ComponentSpec):
    """What UnlabelledExampleGen takes and gives; texts are JSON where not plain."""

    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "columns": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS: dict = {}
    OUTPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class UnlabelledExampleGen(base_beam_component.BaseBeamComponent):
    """Reads a source of any kind into one split of tf.Examples, in its order.

    Labels are taken along where there are some. Unreadable rows are set aside in
    the artifact's quarantine.jsonl, as RowExampleGen does.
    """

    SPEC_CLASS = UnlabelledExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(unlabelled_executor.Executor)

    def __init__(
        self,
        config: PredictConfig,
        features: Mapping[str, Feature],
        label: LabelConfig,
        code_digest: str = "",
        listed: bool = True,
    ) -> None:
        """Reads the source once, so that its mistakes show before anything runs.

        Args:
            config: The source, and how much may be unreadable.
            features: Each feature by name; says which column holds it.
            label: Its column and task.
            code_digest: Digest of our own code, so that a changed line is not
                answered from TFX's cache.
            listed: Whether the source is read now.

        Raises:
            DataError: If the source is absent or malformed.
        """
        columns = Columns.of(features, label).model_copy(update={"labelled": False})
        fingerprint = ""
        if listed:
            with tempfile.TemporaryDirectory() as folder:
                plan = plan_slices(config.source, columns, folder, config.shard_examples)
                fingerprint = plan.digest
        super().__init__(
            UnlabelledExampleGenSpec(
                config=config.model_dump_json(),
                columns=columns.model_dump_json(),
                fingerprint=fingerprint,
                code_digest=code_digest,
                examples=channel.Channel(type=standard_artifacts.Examples),
            )
        )
