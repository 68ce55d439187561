"""A model that cannot be served is not what the next one is compared with."""

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.gate.last_blessed import LastBlessedModel

INPUT, OUTPUT = metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.OUTPUT


class Runs:
    """The metadata of some runs, and the artifacts that a resolver is given of them."""

    def __init__(self):
        config = metadata_store_pb2.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = metadata_store.MetadataStore(config)
        self.given = {"model": [], "model_blessing": []}

    def put(self, kind):
        artifact = getattr(standard_artifacts, kind)()
        type_id = self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=kind))
        made = metadata_store_pb2.Artifact(type_id=type_id, uri=f"/{kind}")
        (artifact.id,) = self.store.put_artifacts([made])
        return artifact

    def execute(self, taken, given, blessed):
        given.set_int_custom_property("blessed", int(blessed))
        (stored,) = self.store.get_artifacts_by_id([given.id])
        stored.custom_properties["blessed"].int_value = int(blessed)
        self.store.put_artifacts([stored])
        kind = metadata_store_pb2.ExecutionType(name="Any")
        execution = metadata_store_pb2.Execution(type_id=self.store.put_execution_type(kind))
        (execution_id,) = self.store.put_executions([execution])
        for artifact, event in ((taken, INPUT), (given, OUTPUT)):
            self.store.put_events(
                [
                    metadata_store_pb2.Event(
                        execution_id=execution_id, artifact_id=artifact.id, type=event
                    )
                ]
            )

    def gate(self, model, blessed=True):
        blessing = self.put("ModelBlessing")
        blessing.set_int_custom_property("current_model_id", model.id)
        self.execute(model, blessing, blessed)
        self.given["model_blessing"].append(blessing)

    def serve(self, model, blessed):
        self.execute(model, self.put("InfraBlessing"), blessed)

    def model(self):
        self.given["model"].append(self.put("Model"))
        return self.given["model"][-1]

    @property
    def baseline(self):
        strategy = LastBlessedModel()
        found = strategy.resolve_artifacts(self.store, {k: [*v] for k, v in self.given.items()})
        return [one.id for one in found["model"]]


@pytest.fixture
def runs():
    return Runs()


def test_without_serving_validation_the_gate_alone_decides(runs):
    first, second = runs.model(), runs.model()
    runs.gate(first)
    runs.gate(second, blessed=False)
    assert runs.baseline == [first.id]


def test_a_model_that_was_refused_as_served_is_passed_over(runs):
    first, second = runs.model(), runs.model()
    runs.gate(first)
    runs.serve(first, blessed=True)
    runs.gate(second)
    assert runs.baseline == [second.id]
    runs.serve(second, blessed=False)
    assert runs.baseline == [first.id]


def test_its_last_trial_counts(runs):
    """A budget was widened, and the same model tried again."""
    model = runs.model()
    runs.gate(model)
    runs.serve(model, blessed=False)
    assert runs.baseline == []
    runs.serve(model, blessed=True)
    assert runs.baseline == [model.id]
