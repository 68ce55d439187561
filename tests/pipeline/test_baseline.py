"""After a rollback the next model is held against what serves."""

import pytest

from components.pusher.load_check import Loaded
from components.pusher.local_target import list_versions
from components.pusher.publish import Delivery, publish
from components.pusher.rollback import rollback
from pipeline.baseline import ServingModel
from tests.components.gate.history import History


def unchecked(folder):
    return Loaded(0, 0.0)


@pytest.fixture
def serving(tmp_path):
    return tmp_path / "serving"


@pytest.fixture
def history():
    return History()


@pytest.fixture
def deliver(history, tmp_path, serving):
    """Blesses and pushes a model of that content; gives its artifact."""

    def run(content):
        folder = tmp_path / content / "Format-Serving"
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(content)
        model = history.model(str(folder.parent))
        history.bless(model)
        publish(Delivery(str(folder)), str(serving), 5, unchecked)
        return model

    return run


@pytest.fixture
def baseline(history, serving):
    def resolve(path=serving):
        return history.given_by(ServingModel(push_path=path and str(path)))["model"]

    return resolve


def test_without_a_rollback_it_is_the_last_blessed_model(deliver, baseline, tmp_path):
    models = [deliver(one) for one in "AB"]
    assert baseline() == baseline(None) == baseline(tmp_path / "nothing") == [models[-1]]


def test_after_a_rollback_it_is_the_model_that_serves(deliver, baseline, serving, history):
    first, second, third = (deliver(one) for one in "ABC")
    rollback(str(serving), check=unchecked)
    assert baseline() == [second]
    history.bless(third)
    assert baseline() == [second]
    rollback(str(serving), list_versions(serving)[0], unchecked)
    assert baseline() == [first]


def test_a_run_that_is_gone_on_with_keeps_its_baseline(deliver, serving, history):
    deliver("A")
    model = deliver("B")
    history.resolve("killed", model, history.blessings[-1])
    rollback(str(serving), check=unchecked)
    strategy = ServingModel(str(serving), ["killed"])
    assert history.given_by(strategy)["model"] == [model]


def test_a_model_that_is_pushed_after_a_rollback_takes_its_place(deliver, baseline, serving):
    for one in "AB":
        deliver(one)
    rollback(str(serving), check=unchecked)
    last = deliver("C")
    assert baseline() == [last]


def test_where_nobody_knows_the_serving_model_it_is_not_what_was_rolled_back_from(
    deliver, baseline, serving, tmp_path
):
    _, second, third = (deliver(one) for one in "ABC")
    rollback(str(serving), check=unchecked)
    (tmp_path / "B" / "Format-Serving" / "saved_model.pb").write_text("another by now")
    assert baseline() == [second]
    assert baseline(None) == [third]


def test_a_manifest_that_cannot_be_read_leaves_the_last_blessed_one(deliver, baseline, serving):
    deliver("A")
    last = deliver("B")
    newest = rollback(str(serving), check=unchecked).version
    (serving / str(newest) / "manifest.json").write_text("{")
    assert baseline() == [last]
