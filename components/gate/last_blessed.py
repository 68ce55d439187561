"""Which model is the baseline: the one that was blessed last."""

from collections.abc import Sequence

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.input_resolution.strategies import latest_blessed_model_strategy

# What an execution did with the model that these artifacts come from.
_BESIDE = {
    "model_run": metadata_store_pb2.Event.OUTPUT,
    "infra_blessing": metadata_store_pb2.Event.INPUT,
}
_OUTPUT_EVENTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


class LastBlessedModel(latest_blessed_model_strategy.LatestBlessedModelStrategy):
    """Resolves the model that was blessed last.

    The stock strategy gives the newest model that was ever blessed. That is
    another one where an older model, taken from the cache, is blessed again: by
    --rebaseline, or because the config went back to what it was. And it gives
    one that the gate blessed and serving validation refused, which was never
    pushed: the next model would have to be as good as what cannot be served.

    Args:
        as_in_runs: Runs that were ended early and are gone on with, the last
            first. Their baseline stays the baseline: they may have blessed their
            own model since, which is not to be compared with itself.
    """

    def __init__(self, as_in_runs: Sequence[str] = ()) -> None:
        self._as_in_runs = as_in_runs

    def resolve_artifacts(
        self, store: metadata_store.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Leaves one model and its blessing, or nothing.

        Args:
            store: Knows when each blessing was given, from the cache or not.
            input_dict: All models, and all blessings; `model_run` and
                `infra_blessing`, all there are, where those of the model that
                is given are wanted, too.
        """
        for run_id in self._as_in_runs:
            before = _resolved_in(store, run_id, input_dict)
            if before is not None:
                return before
        return self.resolve_now(store, input_dict)

    def resolve_now(
        self, store: metadata_store.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Leaves what a run that goes on with no other has; see `resolve_artifacts`."""
        refused = _refused_as_served(store)
        models = {one.id: one for one in input_dict["model"] if one.id not in refused}
        blessings = {
            one.id: one
            for one in input_dict["model_blessing"]
            if one.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
            == constants.BLESSED_VALUE
            and one.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY)
            in models
        }
        given = [
            event
            for event in store.get_events_by_artifact_ids(list(blessings))
            if event.type in _OUTPUT_EVENTS
        ]
        if not given:
            return {key: [] for key in input_dict}
        last = blessings[max(given, key=lambda event: event.execution_id).artifact_id]
        key = constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
        model = models[last.get_int_custom_property(key)]
        beside = {
            name: _beside(store, model.id, input_dict[name], kind)
            for name, kind in _BESIDE.items()
            if name in input_dict
        }
        return {"model": [model], "model_blessing": [last], **beside}


def _beside(
    store: metadata_store.MetadataStore, model: int, among: list[types.Artifact], kind: int
) -> list[types.Artifact]:
    """The last of some artifacts that came out of what made the model, or of what took it."""
    events = store.get_events_by_artifact_ids([model])
    wanted = _OUTPUT_EVENTS if kind == metadata_store_pb2.Event.OUTPUT else (kind,)
    executions = {event.execution_id for event in events if event.type in wanted}
    made = [
        event
        for event in store.get_events_by_artifact_ids([one.id for one in among])
        if event.type in _OUTPUT_EVENTS and event.execution_id in executions
    ]
    if not made:
        return []
    last = max(made, key=lambda event: event.execution_id).artifact_id
    return [one for one in among if one.id == last]


def _resolved_in(
    store: metadata_store.MetadataStore, run_id: str, input_dict: dict[str, list[types.Artifact]]
) -> dict[str, list[types.Artifact]] | None:
    """What the Resolver of an earlier run gave; None if it had not come to that."""
    run = store.get_context_by_type_and_name("pipeline_run", run_id)
    executions = store.get_executions_by_context(run.id) if run else []
    names = {one.id: one.name for one in store.get_execution_types()}
    done = [
        one.id
        for one in executions
        if names[one.type_id].endswith(".Resolver")
        and one.last_known_state == metadata_store_pb2.Execution.COMPLETE
    ]
    if not done:
        return None
    given = {event.artifact_id for event in store.get_events_by_execution_ids(done)}
    if given and not any(one.id in given for one in input_dict["model"]):
        # Of another pipeline, whose models these are not.
        return None
    return {key: [one for one in many if one.id in given] for key, many in input_dict.items()}


def _refused_as_served(store: metadata_store.MetadataStore) -> set[int]:
    """Ids of the models that were refused when they were last tried as a server would."""
    tried = {one.id: one for one in store.get_artifacts_by_type("InfraBlessing")}
    made = {
        event.execution_id: tried[event.artifact_id]
        for event in store.get_events_by_artifact_ids(list(tried))
        if event.type in _OUTPUT_EVENTS
    }
    passed: dict[int, bool] = {}
    taken = store.get_events_by_execution_ids(list(made))
    for event in sorted(taken, key=lambda one: one.execution_id):
        if event.type == metadata_store_pb2.Event.INPUT:
            properties = made[event.execution_id].custom_properties
            passed[event.artifact_id] = properties["blessed"].int_value == 1
    return {one for one, well in passed.items() if not well}
