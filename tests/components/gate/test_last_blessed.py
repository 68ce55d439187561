"""The baseline is the model that was blessed last, in a real metadata store."""

import pytest
from ml_metadata.proto import metadata_store_pb2 as proto
from tfx.types import standard_artifacts

from components.gate.last_blessed import LastBlessedModel
from tests.components.gate.history import History


@pytest.fixture
def history():
    return History()


def test_without_a_blessed_model_there_is_no_baseline(history):
    assert history.last() == {"model": [], "model_blessing": []}
    history.bless(history.model(), blessed=0)
    assert history.last() == {"model": [], "model_blessing": []}


def test_a_refused_model_does_not_become_the_baseline(history):
    first = history.model()
    blessing = history.bless(first)
    history.bless(history.model(), blessed=0)
    assert history.last() == {"model": [first], "model_blessing": [blessing]}


def test_an_older_model_that_is_blessed_again_becomes_the_baseline(history):
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


def test_a_run_that_is_gone_on_with_keeps_its_baseline(history):
    first = history.model()
    blessing = history.bless(first)
    history.resolve("killed", first, blessing)
    # Blessed by the run itself before it was killed.
    history.bless(history.model())
    assert history.last("killed") == {"model": [first], "model_blessing": [blessing]}
    assert history.last() != history.last("killed")


def test_a_run_that_began_without_a_baseline_goes_on_without(history):
    history.resolve("killed")
    history.bless(history.model())
    assert history.last("killed") == {"model": [], "model_blessing": []}


def test_the_baseline_is_that_of_the_last_run_that_had_come_to_it(history):
    first = history.model()
    blessing = history.bless(first)
    history.resolve("first", first, blessing)
    history.bless(history.model())
    history.resolve("third", state=proto.Execution.RUNNING)
    assert history.last("third", "second", "first")["model"] == [first]
    assert history.last("third", "second")["model"] != [first]


def test_what_lies_beside_the_baseline_comes_with_it(history):
    """What the Trainer left beside the model, and the last report of who tried it."""
    kinds = (standard_artifacts.ModelRun, standard_artifacts.InfraBlessing)
    for kind in kinds:
        history.types[kind.TYPE_NAME] = history.store.put_artifact_type(
            proto.ArtifactType(name=kind.TYPE_NAME)
        )
    found = {"model_run": [], "infra_blessing": []}

    def execute(**artifacts):
        (execution,) = history.store.put_executions([proto.Execution(type_id=history.run_type)])
        for event, one in artifacts.items():
            for artifact in one:
                kind = proto.Event.Type.Value(event)
                history.store.put_events(
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
            history.store, {name: list(one) for name, one in inputs.items()}
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
