"""The ServingValidator: a model is tried as a server would before it is pushed."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.serving_validator.executor import Executor


class ServingValidatorSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters of the ServingValidator."""

    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "hidden": component_spec.ExecutionParameter(type=str),
        "code_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
    }
    OUTPUTS = {
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class ServingValidator(base_component.BaseComponent):
    """Loads and calls a model in a clean process; takes InfraValidator's place before a Pusher."""

    SPEC_CLASS = ServingValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        model_run: types.BaseChannel,
        config: str,
        hidden: str,
        code_digest: str,
    ) -> None:
        """Declares one ServingValidator.

        Args:
            model: The exported model.
            examples: Raw examples with a split `eval`.
            model_run: What the Trainer left beside the model.
            config: A `ValidateConfig` as JSON.
            hidden: A JSON list of folders that the process must not read.
            code_digest: Digest of this package, which TFX's cache key does not see.
        """
        super().__init__(
            ServingValidatorSpec(
                model=model,
                examples=examples,
                model_run=model_run,
                blessing=channel_utils.as_channel([standard_artifacts.InfraBlessing()]),
                config=config,
                hidden=hidden,
                code_digest=code_digest,
            )
        )
