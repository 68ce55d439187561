"""The node that has the last blessed model: another one for each target."""

from collections.abc import Sequence
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common import resolver
from tfx.dsl.input_resolution.strategies import latest_blessed_model_strategy
from tfx.types import standard_artifacts

from pipeline.baseline import ServingModel
from pipeline.blessed.component import LastBlessed
from pipeline.config import Config
from pipeline.place import Place

BASELINE = "Baseline"


def build_baseline(
    config: Config, place: Place, resumed: Sequence[str] = ()
) -> base_node.BaseNode | None:
    """Builds it.

    Args:
        config: The user's config, paths resolved.
        place: Where tasks run.
        resumed: The runs that this one goes on with, the last first.

    Returns:
        The node, whose outputs are `model`, `model_blessing` and, where they can be
        found, `model_run` and `infra_blessing`; None where there is no such node.
    """
    channels: dict[str, Any] = {
        "model": types.Channel(type=standard_artifacts.Model),
        "model_blessing": types.Channel(type=standard_artifacts.ModelBlessing),
    }
    if place.target == "vertex":
        # Vertex does by itself what this very strategy names, and nothing else.
        node = resolver.Resolver(
            strategy_class=latest_blessed_model_strategy.LatestBlessedModelStrategy, **channels
        )
        return node.with_id(BASELINE)
    if place.target == "kubeflow":
        push_path = config.push.path if config.push else ""
        return LastBlessed(place.blessed, push_path).with_id(BASELINE) if place.blessed else None
    node = resolver.Resolver(
        strategy_class=ServingModel,
        config={
            # Of a resolver's settings none may be None.
            "push_path": config.push.path if config.push else "",
            "as_in_runs": list(resumed),
        },
        **channels,
        model_run=types.Channel(type=standard_artifacts.ModelRun),
        infra_blessing=types.Channel(type=standard_artifacts.InfraBlessing),
    )
    return node.with_id(BASELINE)
