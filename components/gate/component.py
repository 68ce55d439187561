"""The stock Evaluator with the gate's own verdict."""

from collections.abc import Mapping

from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils

from components.gate.config import GateConfig
from components.gate.evaluate import (
    BASELINE_INFRA_KEY,
    BASELINE_RUN_KEY,
    INFRA_KEY,
    MODEL_RUN_KEY,
)
from components.gate.executor import GATE_KEY, Executor


def _optional(kind: type[types.Artifact]) -> component_spec.ChannelParameter:
    return component_spec.ChannelParameter(type=kind, optional=True)


# What stands for a model's answers; see answers.py.
NOTED = {
    MODEL_RUN_KEY: _optional(standard_artifacts.ModelRun),
    INFRA_KEY: _optional(standard_artifacts.InfraBlessing),
}


class GateSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters of the gate."""

    PARAMETERS = {
        keys.EVAL_CONFIG_KEY: component_spec.ExecutionParameter(type=config_pb2.EvalConfig),
        keys.EXAMPLE_SPLITS_KEY: component_spec.ExecutionParameter(type=str),
        GATE_KEY: component_spec.ExecutionParameter(type=str),
        "code_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        keys.EXAMPLES_KEY: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        keys.MODEL_KEY: component_spec.ChannelParameter(type=standard_artifacts.Model),
        keys.BASELINE_MODEL_KEY: _optional(standard_artifacts.Model),
        **NOTED,
        BASELINE_RUN_KEY: _optional(standard_artifacts.ModelRun),
        BASELINE_INFRA_KEY: _optional(standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {
        keys.EVALUATION_KEY: component_spec.ChannelParameter(
            type=standard_artifacts.ModelEvaluation
        ),
        keys.BLESSING_KEY: component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Evaluates a model as the stock Evaluator does; judges it by verdict.py."""

    SPEC_CLASS = GateSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline: Mapping[str, types.BaseChannel],
        noted: Mapping[str, types.BaseChannel],
        eval_config: config_pb2.EvalConfig,
        gate: GateConfig,
        code_digest: str,
    ) -> None:
        """Declares one gate.

        Args:
            examples: Raw examples; the eval split is looked at.
            model: The candidate.
            baseline: What LastBlessedModel resolves: `model`, and where they are
                resolved, too, `model_run` and `infra_blessing` of the last blessed
                model, if there is one.
            noted: What stands for the candidate's answers where it is proved:
                the Trainer's `model_run`, the ServingValidator's `infra_blessing`.
            eval_config: From `build_eval_config`.
            gate: What is demanded.
            code_digest: Digest of the gate's code, which TFX's cache key does not see.
        """
        super().__init__(
            GateSpec(
                **{
                    keys.EXAMPLES_KEY: examples,
                    keys.MODEL_KEY: model,
                    **noted,
                    keys.BASELINE_MODEL_KEY: baseline.get("model"),
                    BASELINE_RUN_KEY: baseline.get("model_run"),
                    BASELINE_INFRA_KEY: baseline.get("infra_blessing"),
                    keys.EVAL_CONFIG_KEY: eval_config,
                    keys.EXAMPLE_SPLITS_KEY: json_utils.dumps(["eval"]),
                    GATE_KEY: gate.model_dump_json(),
                    "code_digest": code_digest,
                    keys.EVALUATION_KEY: channel_utils.as_channel(
                        [standard_artifacts.ModelEvaluation()]
                    ),
                    keys.BLESSING_KEY: channel_utils.as_channel(
                        [standard_artifacts.ModelBlessing()]
                    ),
                }
            )
        )
