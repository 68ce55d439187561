"""The stock Pusher with an executor that publishes whole versions only."""

from typing import Any

from tfx import types
from tfx.components.pusher import component as stock
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import (
    component_spec,
    standard_artifacts,
    standard_component_specs,
)
from tfx.utils import json_utils

from components.artifacts import Exports, ModelCard
from components.pusher.executor import Executor


class PusherSpec(component_spec.ComponentSpec):
    """The stock Pusher's, with what may come along with a model.

    Inputs beside the stock ones, none of which is needed:
        examples: Raw examples, whose eval split gives the warm-up requests.
        model_card: Its files come to the version's root, its facts to the manifest.
        exports: Its files come below `exports/`.
    """

    PARAMETERS = standard_component_specs.PusherSpec.PARAMETERS
    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        "examples": component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
        "model_card": component_spec.ChannelParameter(type=ModelCard, optional=True),
        "exports": component_spec.ChannelParameter(type=Exports, optional=True),
    }
    OUTPUTS = standard_component_specs.PusherSpec.OUTPUTS
    TYPE_ANNOTATION = standard_component_specs.PusherSpec.TYPE_ANNOTATION


class Pusher(stock.Pusher):
    """Takes what the stock Pusher takes, and what may come along with a model."""

    SPEC_CLASS = PusherSpec  # type: ignore[assignment]
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        push_destination: pusher_pb2.PushDestination,
        custom_config: dict[str, Any],
        **artifacts: types.BaseChannel | None,
    ) -> None:
        """Declares one Pusher.

        Args:
            push_destination: The folder or address that a server watches.
            custom_config: `keep`, versions that stay; `warmup`, how many
                examples become requests of a server to itself; `again`, whether
                a model that was rolled back from is pushed all the same;
                `examples_signature`, the signature that takes serialized
                tf.Examples.
            artifacts: Channels by the keys of `PusherSpec.INPUTS`; None leaves
                one out.
        """
        given = {key: channel for key, channel in artifacts.items() if channel is not None}
        base_component.BaseComponent.__init__(
            self,
            PusherSpec(
                push_destination=push_destination,
                custom_config=json_utils.dumps(custom_config),
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
                **given,
            ),
        )
