"""The Exporter: what phones and browsers run, made of an exported model."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.artifacts import Exports
from components.exporter.config import ExportConfig
from components.exporter.executor import Executor


class ExporterSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters of the Exporter."""

    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "code_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"exports": component_spec.ChannelParameter(type=Exports)}


class Exporter(base_component.BaseComponent):
    """Makes TensorFlow Lite and TensorFlow.js models, and judges each on the eval split.

    It never stops a run: what cannot be made, or is not good enough, is left
    out with the reason in `report.json` (report.py).
    """

    SPEC_CLASS = ExporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        config: ExportConfig,
        code_digest: str,
    ) -> None:
        """Declares one Exporter.

        Args:
            model: A model of the Trainer, with the signatures that exports are
                made from.
            examples: Raw examples: `train` and `eval`.
            config: What is asked for.
            code_digest: Digest of the code, which TFX's cache key does not see.
        """
        super().__init__(
            ExporterSpec(
                model=model,
                examples=examples,
                exports=channel_utils.as_channel([Exports()]),
                config=config.model_dump_json(),
                code_digest=code_digest,
            )
        )
