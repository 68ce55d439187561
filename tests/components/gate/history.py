"""Models and their blessings, for tests of what is the baseline."""

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as proto
from tfx.types import standard_artifacts

from components.gate.last_blessed import LastBlessedModel


class History:
    """Models and blessings as runs leave them, in a real metadata store."""

    def __init__(self):
        config = proto.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = store = metadata_store.MetadataStore(config)
        self.types = {
            name: store.put_artifact_type(proto.ArtifactType(name=name))
            for name in ("Model", "ModelBlessing")
        }
        self.run_type = store.put_execution_type(proto.ExecutionType(name="Evaluator"))
        self.models, self.blessings = [], []

    def model(self, uri=""):
        made = self._artifact(standard_artifacts.Model, self.models)
        made.uri = uri
        return made

    def bless(self, model, blessed=1):
        made = self._artifact(
            standard_artifacts.ModelBlessing,
            self.blessings,
            blessed=blessed,
            current_model_id=model.id,
        )
        self.give(made)
        return made

    def give(self, blessing):
        """A run gives a blessing, for the first time or from the cache."""
        (execution,) = self.store.put_executions([proto.Execution(type_id=self.run_type)])
        event = proto.Event(
            artifact_id=blessing.id, execution_id=execution, type=proto.Event.OUTPUT
        )
        self.store.put_events([event])

    def resolve(self, run, *given, state=proto.Execution.COMPLETE):
        """The Resolver of a run gives these."""
        kind = proto.ExecutionType(name="tfx.dsl.components.common.resolver.Resolver")
        resolver = self.store.put_execution_type(kind)
        of_run = self.store.put_context_type(proto.ContextType(name="pipeline_run"))
        execution, _, _ = self.store.put_execution(
            proto.Execution(type_id=resolver, last_known_state=state),
            [],
            [proto.Context(type_id=of_run, name=run)],
        )
        for one in given:
            self.store.put_events(
                [
                    proto.Event(
                        artifact_id=one.id,
                        execution_id=execution,
                        type=proto.Event.INTERNAL_OUTPUT,
                    )
                ]
            )

    def given_by(self, strategy):
        """What a Resolver with this strategy would give now."""
        inputs = {"model": list(self.models), "model_blessing": list(self.blessings)}
        return strategy.resolve_artifacts(self.store, inputs)

    def last(self, *as_in_runs):
        return self.given_by(LastBlessedModel(as_in_runs))

    def _artifact(self, kind, among, **properties):
        made = kind()
        for name, value in properties.items():
            made.set_int_custom_property(name, value)
        record = proto.Artifact(type_id=self.types[kind.TYPE_NAME])
        record.custom_properties["blessed"].int_value = 1
        (made.id,) = self.store.put_artifacts([record])
        among.append(made)
        return made
