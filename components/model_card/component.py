"""The ModelCard: what is known of a model, gathered and written down before the push."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.artifacts import Exports
from components.artifacts import ModelCard as Card
from components.model_card.executor import Executor


class ModelCardSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters of the ModelCard."""

    PARAMETERS = {
        "describe_fn": component_spec.ExecutionParameter(type=str),
        "config": component_spec.ExecutionParameter(type=str),
        "code_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "embeddings": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "test_evaluation": component_spec.ChannelParameter(
            type=standard_artifacts.ModelEvaluation, optional=True
        ),
        "infra_blessing": component_spec.ChannelParameter(
            type=standard_artifacts.InfraBlessing, optional=True
        ),
        "exports": component_spec.ChannelParameter(type=Exports, optional=True),
    }
    OUTPUTS = {"model_card": component_spec.ChannelParameter(type=Card)}


class ModelCard(base_component.BaseComponent):
    """Writes `model_card.md` for people and `model_card.json` for machines."""

    SPEC_CLASS = ModelCardSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        describe_fn: str,
        config: str,
        code_digest: str,
        **artifacts: types.BaseChannel | None,
    ) -> None:
        """Declares one ModelCard.

        Args:
            describe_fn: Dotted name of the function that gathers the facts; takes
                `config`, the folder of each input by its key, and the run's id.
            config: What it must know of the run, as JSON.
            code_digest: Digest of the code behind `describe_fn`.
            artifacts: Channels by the keys of `ModelCardSpec.INPUTS`; None
                leaves an optional one out.
        """
        given = {key: channel for key, channel in artifacts.items() if channel is not None}
        super().__init__(
            ModelCardSpec(
                describe_fn=describe_fn,
                config=config,
                code_digest=code_digest,
                model_card=channel_utils.as_channel([Card()]),
                **given,
            )
        )
