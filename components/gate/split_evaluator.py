"""The stock Evaluator for a split that is reported and judges nothing."""

from collections.abc import Mapping

from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils

from components.gate.component import NOTED
from components.gate.evaluate import Executor


class SplitEvaluatorSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters."""

    PARAMETERS = {
        keys.EVAL_CONFIG_KEY: component_spec.ExecutionParameter(type=config_pb2.EvalConfig),
        keys.EXAMPLE_SPLITS_KEY: component_spec.ExecutionParameter(type=str),
        "code_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        keys.EXAMPLES_KEY: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        keys.MODEL_KEY: component_spec.ChannelParameter(type=standard_artifacts.Model),
        **NOTED,
    }
    OUTPUTS = {
        keys.EVALUATION_KEY: component_spec.ChannelParameter(
            type=standard_artifacts.ModelEvaluation
        ),
    }


class SplitEvaluator(base_beam_component.BaseBeamComponent):
    """Evaluates a model on one split, of noted answers where they are proved."""

    SPEC_CLASS = SplitEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        split: str,
        model: types.BaseChannel,
        noted: Mapping[str, types.BaseChannel],
        eval_config: config_pb2.EvalConfig,
        code_digest: str,
    ) -> None:
        """Declares one.

        Args:
            examples: Raw examples.
            split: The one of them that is looked at.
            model: The model.
            noted: As the gate's `Evaluator` takes it.
            eval_config: From `build_eval_config`, without a gate.
            code_digest: Digest of this package, which TFX's cache key does not see.
        """
        super().__init__(
            SplitEvaluatorSpec(
                **{
                    keys.EXAMPLES_KEY: examples,
                    keys.MODEL_KEY: model,
                    **noted,
                    keys.EVAL_CONFIG_KEY: eval_config,
                    keys.EXAMPLE_SPLITS_KEY: json_utils.dumps([split]),
                    "code_digest": code_digest,
                    keys.EVALUATION_KEY: channel_utils.as_channel(
                        [standard_artifacts.ModelEvaluation()]
                    ),
                }
            )
        )
