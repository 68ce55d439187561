"""The baseline is the model that was blessed last, in a real metadata store."""

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as proto
from tfx.types import standard_artifacts

from components.gate.last_blessed import LastBlessedModel


@pytest.fixture
def store():
    config = proto.ConnectionConfig()
    config.fake_database.SetInParent()
    return metadata_store.MetadataStore(config)


class History:
    """Models and blessings as runs leave them."""

    def __init__(self, store):
        self.store = store
        self.types = {
            name: store.put_artifact_type(proto.ArtifactType(name=name))
            for name in ("Model", "ModelBlessing")
        }
        self.run_type = store.put_execution_type(proto.ExecutionType(name="Evaluator"))
        self.models, self.blessings = [], []

    def model(self):
        return self._artifact(standard_artifacts.Model, self.models)

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

    def last(self, *as_in_runs):
        inputs = {"model": list(self.models), "model_blessing": list(self.blessings)}
        return LastBlessedModel(as_in_runs).resolve_artifacts(self.store, inputs)

    def _artifact(self, kind, among, **properties):
        made = kind()
        for name, value in properties.items():
            made.set_int_custom_property(name, value)
        record = proto.Artifact(type_id=self.types[kind.TYPE_NAME])
        record.custom_properties["blessed"].int_value = 1
        (made.id,) = self.store.put_artifacts([record])
        among.append(made)
        return made


def test_without_a_blessed_model_there_is_no_baseline(store):
    history = History(store)
    assert history.last() == {"model": [], "model_blessing": []}
    history.bless(history.model(), blessed=0)
    assert history.last() == {"model": [], "model_blessing": []}


def test_a_refused_model_does_not_become_the_baseline(store):
    history = History(store)
    first = history.model()
    blessing = history.bless(first)
    history.bless(history.model(), blessed=0)
    assert history.last() == {"model": [first], "model_blessing": [blessing]}


def test_an_older_model_that_is_blessed_again_becomes_the_baseline(store):
    history = History(store)
    older, newer = history.model(), history.model()
    first = history.bless(older)
    history.bless(newer)
    assert history.last()["model"] == [newer]
    again = history.bless(older)
    assert history.last() == {"model": [older], "model_blessing": [again]}
    # The same verdict, taken from the cache of its first run.
    history.bless(newer)
    history.give(first)
    assert history.last() == {"model": [older], "model_blessing": [first]}


def test_a_run_that_is_gone_on_with_keeps_its_baseline(store):
    history = History(store)
    first = history.model()
    blessing = history.bless(first)
    history.resolve("killed", first, blessing)
    # Blessed by the run itself before it was killed.
    history.bless(history.model())
    assert history.last("killed") == {"model": [first], "model_blessing": [blessing]}
    assert history.last() != history.last("killed")


def test_a_run_that_began_without_a_baseline_goes_on_without(store):
    history = History(store)
    history.resolve("killed")
    history.bless(history.model())
    assert history.last("killed") == {"model": [], "model_blessing": []}


def test_the_baseline_is_that_of_the_last_run_that_had_come_to_it(store):
    history = History(store)
    first = history.model()
    blessing = history.bless(first)
    history.resolve("first", first, blessing)
    history.bless(history.model())
    history.resolve("third", state=proto.Execution.RUNNING)
    assert history.last("third", "second", "first")["model"] == [first]
    assert history.last("third", "second")["model"] != [first]


def test_what_lies_beside_the_baseline_comes_with_it(store):
    """What the Trainer left beside the model, and the last report of who tried it."""
    history = History(store)
    kinds = (standard_artifacts.ModelRun, standard_artifacts.InfraBlessing)
    for kind in kinds:
        history.types[kind.TYPE_NAME] = store.put_artifact_type(
            proto.ArtifactType(name=kind.TYPE_NAME)
        )
    found = {"model_run": [], "infra_blessing": []}

    def execute(**artifacts):
        (execution,) = store.put_executions([proto.Execution(type_id=history.run_type)])
        for event, one in artifacts.items():
            for artifact in one:
                kind = proto.Event.Type.Value(event)
                store.put_events(
                    [proto.Event(artifact_id=artifact.id, execution_id=execution, type=kind)]
                )

    def train():
        model = history.model()
        run = history._artifact(standard_artifacts.ModelRun, found["model_run"])
        execute(OUTPUT=[model, run])
        return model, run

    def validate(model):
        report = history._artifact(standard_artifacts.InfraBlessing, found["infra_blessing"])
        execute(INPUT=[model], OUTPUT=[report])
        return report

    def last():
        inputs = {"model": history.models, "model_blessing": history.blessings, **found}
        return LastBlessedModel().resolve_artifacts(
            store, {name: list(one) for name, one in inputs.items()}
        )

    assert last() == {"model": [], "model_blessing": [], "model_run": [], "infra_blessing": []}
    first, run = train()
    blessing = history.bless(first)
    beside = {"model": [first], "model_blessing": [blessing], "model_run": [run]}
    assert last() == {**beside, "infra_blessing": []}
    validate(first)
    report = validate(first)
    refused, _ = train()
    validate(refused)
    history.bless(refused, blessed=0)
    assert last() == {**beside, "infra_blessing": [report]}
