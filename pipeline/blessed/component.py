"""LastBlessed in the place of a Resolver, and Remember, which it lives on."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from pipeline.blessed import executor

_BESIDE = {
    "model": standard_artifacts.Model,
    "model_blessing": standard_artifacts.ModelBlessing,
    "model_run": standard_artifacts.ModelRun,
    "infra_blessing": standard_artifacts.InfraBlessing,
}


class LastBlessedSpec(ComponentSpec):
    """Outputs and parameters of LastBlessed."""

    PARAMETERS = {
        "folder": ExecutionParameter(type=str),
        "push_path": ExecutionParameter(type=str),
    }
    INPUTS: dict = {}
    OUTPUTS = {name: ChannelParameter(type=kind) for name, kind in _BESIDE.items()}


class LastBlessed(base_component.BaseComponent):
    """Gives the baseline; with our entry point, nothing where there is none.

    It must not be cached: it has no inputs.
    """

    SPEC_CLASS = LastBlessedSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.LastBlessed)

    def __init__(self, folder: str, push_path: str = "") -> None:
        """Declares one.

        Args:
            folder: Of the pipeline's notes; see places.py.
            push_path: What the server watches; empty where nothing is pushed.
        """
        made = {name: channel_utils.as_channel([kind()]) for name, kind in _BESIDE.items()}
        super().__init__(LastBlessedSpec(folder=folder, push_path=push_path, **made))


class RememberSpec(ComponentSpec):
    """Inputs and parameters of Remember."""

    PARAMETERS = {"folder": ExecutionParameter(type=str)}
    INPUTS = {
        **{
            name: ChannelParameter(type=kind, optional=name == "infra_blessing")
            for name, kind in _BESIDE.items()
        },
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel, optional=True),
    }
    OUTPUTS: dict = {}


class Remember(base_component.BaseComponent):
    """Notes a blessed model for the next run's LastBlessed. It must not be cached."""

    SPEC_CLASS = RememberSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Remember)

    def __init__(
        self,
        folder: str,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel | None = None,
        pushed_model: types.BaseChannel | None = None,
    ) -> None:
        """Declares one.

        Args:
            folder: Of the pipeline's notes; see places.py.
            model: The candidate.
            model_run: What the Trainer left beside it.
            blessing: What the gate said.
            infra_blessing: What serving validation said, if it was asked.
            pushed_model: The Pusher's, if there is one: what could not be pushed
                is not remembered.
        """
        given = {"infra_blessing": infra_blessing, "pushed_model": pushed_model}
        super().__init__(
            RememberSpec(
                folder=folder,
                model=model,
                model_run=model_run,
                model_blessing=blessing,
                **{name: channel for name, channel in given.items() if channel is not None},
            )
        )
