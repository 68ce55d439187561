"""The search: a planted best is found, limits hold, failures are survived."""

import json
import logging
import re
import time
from pathlib import Path

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner import executor
from tfx.types import standard_artifacts

from preprocessing.errors import DataError, DivergedError, GraftError
from trainer.train import find_files, train
from trainer.trials import Finished, Trials
from trainer.tune import Search, StopAt, _kept_folder, _trial_config, make_space, tuner_fn
from trainer.tune_config import Domain, TuneConfig, apply_values

RATES = {"learning_rate": Domain(min=0.001, max=1.0, log=True)}


@pytest.fixture
def search(tmp_path):
    """Searches with a function from values to a result in the place of training."""

    def search(run, space=RATES, kept=None, **tune):
        made = Search(
            lambda values, callbacks: run(values),
            TuneConfig(**tune),
            make_space(space),
            str(tmp_path / "tuner"),
            Trials(kept),
        )
        made.search()
        return made

    return search


def tried(search):
    return [trial.hyperparameters.values for trial in search.oracle.trials.values()]


@pytest.mark.slow
def test_the_rate_that_learns_is_found_and_reaches_the_trainer(world, tmp_path, capsys):
    space = {"learning_rate": {"values": [1e-9, 0.1]}, "head.hidden": {"values": [[], [3]]}}
    tune = {"trials": 4, "search": "random", "space": space}
    args = FnArgs(
        working_dir=str(tmp_path),
        train_files=world.patterns("train"),
        eval_files=world.patterns("eval"),
        transform_graph_path=world.transform_graph,
        custom_config={
            "trainer": world.config().model_dump(mode="json"),
            "tuner": TuneConfig.model_validate(tune).model_dump(mode="json"),
        },
    )
    result = tuner_fn(args)
    # As TFX's executor does.
    result.tuner.search_space_summary()
    result.tuner.search(**result.fit_kwargs)
    result.tuner.results_summary()
    best, trials = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, trials.uri = str(tmp_path / "best"), str(tmp_path / "trials")
    executor.write_best_hyperparameters(
        result.tuner, {"best_hyperparameters": [best], "tuner_results": [trials]}
    )
    found = json.loads((tmp_path / "best" / "best_hyperparameters.txt").read_text())
    assert found["values"]["learning_rate"] == 0.1
    train = apply_values(world.config().train, found["values"])
    assert train.learning_rate == 0.1
    assert train.head.hidden in ((), (3,))
    rows = json.loads((tmp_path / "trials" / "tuner_results.json").read_text())
    assert len(rows) == 4
    assert capsys.readouterr().out == ""


def test_a_training_whose_time_is_over_ends_with_its_epoch(world):
    files = find_files(world.transform_graph, world.patterns("train"), world.patterns("eval"))
    stop = StopAt(time.monotonic())
    model = train(world.config(epochs=50), files, None, callbacks=[stop])
    assert len(model.history["loss"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["random", "bayesian"])
def test_the_same_seed_tries_the_same_values(search, how):
    first, same, other = (
        tried(search(lambda values: values["learning_rate"], trials=5, search=how, seed=seed))
        for seed in (0, 0, 1)
    )
    assert len(first) == 5
    assert first == same != other


@pytest.mark.parametrize(("objective", "best"), [("loss", min), ("score", max)])
def test_the_loss_is_best_low_and_the_score_high(search, objective, best):
    done = search(lambda values: values["learning_rate"], trials=4, objective=objective)
    found = done.get_best_hyperparameters()[0].values["learning_rate"]
    assert found == best(values["learning_rate"] for values in tried(done))


def test_no_trial_begins_after_the_time_is_over(search):
    assert len(tried(search(lambda values: time.sleep(0.1) or 1.0, trials=9, minutes=0.001))) == 1


def test_a_space_of_few_values_ends_the_search_early(search):
    space = {"epochs": Domain(values=(1, 2))}
    assert len(tried(search(lambda values: values["epochs"], space, trials=9))) == 2


def test_trials_that_diverge_are_left_behind(search, caplog):
    def run(values):
        if values["learning_rate"] < 0.1:
            raise DivergedError("Training diverged.")
        return values["learning_rate"]

    with caplog.at_level(logging.INFO):
        done = search(run, trials=8, search="random")
    assert done.get_best_hyperparameters()[0].values["learning_rate"] >= 0.1
    statuses = [trial.status for trial in done.oracle.trials.values()]
    assert len(statuses) == 8
    assert set(statuses) == {"COMPLETED", "FAILED"}
    reports = [one.getMessage() for one in caplog.records if one.name == "graft.progress"]
    assert reports == [f"Tuner {number}/8 trials" for number in range(9)]


def test_when_all_trials_fail_the_last_one_says_why(search):
    def run(values):
        raise DivergedError("Training diverged.")

    with pytest.raises(GraftError) as caught:
        search(run, trials=4)
    assert str(caught.value) == (
        "All 4 trials of the tuner failed, the last one so: Training diverged."
    )


def test_what_no_other_values_would_mend_ends_the_search(search):
    def run(values):
        raise DataError("No file with feature vectors matches x.")

    with pytest.raises(DataError, match=r"^No file with feature vectors matches x\.$"):
        search(run, trials=4)


def test_a_trial_fine_tunes_only_for_the_sake_of_fine_tunings_values(world):
    config = world.config(mode="fine_tune", warm_start=True)
    trial = _trial_config(config, {"learning_rate": 0.1}).train
    assert (trial.mode, trial.learning_rate, trial.warm_start) == ("frozen", 0.1, False)
    trial = _trial_config(config, {"fine_tune.learning_rate": 0.1}).train
    assert (trial.mode, trial.fine_tune.learning_rate) == ("fine_tune", 0.1)


@pytest.mark.parametrize("how", ["random", pytest.param("bayesian", marks=pytest.mark.slow)])
def test_a_search_that_was_killed_goes_on_with_the_trials_that_had_finished(search, tmp_path, how):
    trained = []

    def run(values):
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(values["learning_rate"])
        return values["learning_rate"]

    folder = tmp_path / "checkpoints" / "search"
    with pytest.raises(KeyboardInterrupt):
        search(run, kept=str(folder), trials=6, search=how)
    assert len(list(folder.iterdir())) == 1
    before = trained.copy()
    trained.clear()
    done = search(run, kept=str(folder), trials=6, search=how)
    # What an undisturbed search tries, of which the first four are not trained again.
    undisturbed = search(lambda values: values["learning_rate"], trials=6, search=how)
    assert tried(done) == tried(undisturbed)
    assert before + trained == [values["learning_rate"] for values in tried(done)]
    assert not folder.exists()


def test_the_time_of_trials_that_had_finished_counts(search, tmp_path):
    kept = Trials(str(tmp_path / "search"))
    for epochs in (1, 2):
        kept.add({"epochs": epochs}, Finished(0.5, 3600.0))
    space = {"epochs": Domain(values=(1, 2))}
    done = search(lambda values: 1.0, space, str(tmp_path / "search"), trials=9, minutes=10)
    assert len(tried(done)) == 1


def test_what_a_search_keeps_is_named_by_what_decides_its_result(tmp_path):
    def folder(**other):
        custom = {"trainer": {"seed": 1}, "tuner": {"trials": 3}, "checkpoints": str(tmp_path)}
        files = {"transform_graph_path": "t", "train_files": ["a"], "eval_files": ["b"]}
        return _kept_folder(FnArgs(**{"custom_config": custom, **files, **other}))

    assert folder() == folder()
    assert re.fullmatch("[0-9a-f]{24}", Path(folder()).name)
    assert folder(train_files=["c"]) != folder()
    assert folder(custom_config={}) is None
