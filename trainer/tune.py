"""What the stock Tuner calls: trials of our own training, chosen by KerasTuner.

Another way to search is another oracle in `_ORACLES`.
"""

import json
import math
import posixpath
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner
import tensorflow as tf
import tf_keras
from absl import logging
from keras_tuner import errors as tuner_errors
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from preprocessing import progress
from preprocessing.errors import DivergedError, GraftError
from trainer.checkpoints import training_key
from trainer.model_config import RunConfig
from trainer.tasks.registry import TASKS
from trainer.train import TrainedModel, find_files, train
from trainer.trials import Finished, Trials
from trainer.tune_config import LISTS, WHOLE, Domain, TuneConfig, apply_values

STAGE = "Tuner"
_ORACLES: Mapping[str, Callable[..., keras_tuner.Oracle]] = {
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "random": keras_tuner.oracles.RandomSearchOracle,
}


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Prepares the search.

    Args:
        fn_args: TFX's arguments; `custom_config["trainer"]` is a RunConfig,
            `custom_config["tuner"]` a TuneConfig, and `custom_config["checkpoints"]`
            the folder of all that is kept of searches and trainings under way.

    Returns:
        The tuner, whose `search` needs no arguments.
    """
    config = RunConfig.model_validate(fn_args.custom_config["trainer"])
    tune = TuneConfig.model_validate(fn_args.custom_config["tuner"])
    files = find_files(fn_args.transform_graph_path, fn_args.train_files, fn_args.eval_files)

    def run(values: Mapping[str, Any], callbacks: list[tf_keras.callbacks.Callback]) -> float:
        model = train(_trial_config(config, values), files, None, callbacks=callbacks)
        return _result(model, config, tune)

    space = make_space(tune.space_for(config.train))
    trials = Trials(_kept_folder(fn_args))
    return TunerFnResult(Search(run, tune, space, fn_args.working_dir, trials), {})


def _kept_folder(fn_args: FnArgs) -> str | None:
    """The folder of this very search: whatever decides its result is in the name."""
    root = fn_args.custom_config.get("checkpoints")
    if root is None:
        return None
    files = fn_args.transform_graph_path, fn_args.train_files, fn_args.eval_files
    return posixpath.join(root, training_key(fn_args.custom_config, *files))


class Search(keras_tuner.engine.base_tuner.BaseTuner):
    """Runs trials until one of the limits is reached.

    A trial that diverges, or finds no memory, counts as failed and the search
    goes on; any other error ends it.
    """

    def __init__(
        self,
        run: Callable[[Mapping[str, Any], list[tf_keras.callbacks.Callback]], float],
        tune: TuneConfig,
        space: keras_tuner.HyperParameters,
        folder: str,
        finished: Trials,
    ) -> None:
        """Prepares the search.

        Args:
            run: From a trial's values and callbacks for its training to its result.
            tune: Limits, and how to choose.
            space: From `make_space`.
            folder: For KerasTuner's own files.
            finished: Those of this search that a killed run has made.
        """
        self._run = run
        self._finished = finished
        self._seconds = 60 * tune.minutes
        self._deadline = math.inf
        self._failures: list[str] = []
        oracle = _ORACLES[tune.search](
            objective=keras_tuner.Objective(
                tune.objective, "min" if tune.objective == "loss" else "max"
            ),
            max_trials=tune.trials,
            # KerasTuner takes 0 for no seed.
            seed=tune.seed + 1,
            hyperparameters=space,
            max_consecutive_failed_trials=tune.trials + 1,
        )
        oracle.verbose = 0
        super().__init__(oracle, directory=folder, project_name="search", overwrite=True)

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Runs the trials.

        Raises:
            GraftError: If all of them failed.
        """
        self._deadline = time.monotonic() + self._seconds
        trials = self.oracle.max_trials
        progress.report(STAGE, 0, trials, "trials")
        try:
            super().search(*fit_args, **fit_kwargs)
        except tuner_errors.FatalError as error:
            raise (error.__cause__ or error) from None
        if len(self._failures) == len(self.oracle.trials):
            raise GraftError(
                f"All {len(self._failures)} trials of the tuner failed, the last one so: "
                f"{self._failures[-1]}"
            )
        logging.info("The tuner ran %d of %d trials", len(self.oracle.trials), trials)
        self._finished.clear()

    def pre_create_trial(self) -> None:
        """Asks for no further trial once the time is over."""
        if self.oracle.trials and time.monotonic() >= self._deadline:
            self.oracle.max_trials = len(self.oracle.trials)

    def run_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        """Trains once."""
        values = trial.hyperparameters.values
        try:
            result = self._train(values)
        except (DivergedError, tf.errors.ResourceExhaustedError) as error:
            self._failures.append(str(error))
            logging.warning("Trial %s with %s failed: %s", trial.trial_id, values, error)
            raise tuner_errors.FailedTrialError(str(error)) from error
        except Exception as error:
            raise tuner_errors.FatalError(str(error)) from error
        logging.info("Trial %s with %s: %g", trial.trial_id, values, result)
        return {self.oracle.objective.name: result}

    def _train(self, values: Mapping[str, Any]) -> float:
        """Trains, unless a run that was killed had done so; its time counts all the same."""
        finished = self._finished.find(values)
        if finished is not None:
            self._deadline -= finished.seconds
            return finished.result
        began = time.monotonic()
        result = self._run(values, [StopAt(self._deadline)])
        self._finished.add(values, Finished(float(result), time.monotonic() - began))
        return result

    def on_trial_end(self, trial: Any) -> None:
        """Reports one more trial."""
        super().on_trial_end(trial)
        progress.report(STAGE, len(self.oracle.end_order), self.oracle.max_trials, "trials")

    def search_space_summary(self, extended: bool = False) -> None:
        """Logs what KerasTuner would print."""
        names = [one.name for one in self.oracle.get_space().space]
        logging.info("The tuner looks for the best %s", ", ".join(names))

    def results_summary(self, num_trials: int = 10) -> None:
        """Leaves out what KerasTuner would print: each trial is in the log already."""


class StopAt(tf_keras.callbacks.Callback):
    """Ends a training after the epoch in which its time is over."""

    def __init__(self, deadline: float) -> None:
        """Remembers the end, a value of `time.monotonic`."""
        super().__init__()
        self._deadline = deadline

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the clock."""
        if time.monotonic() >= self._deadline:
            self.model.stop_training = True


def make_space(space: Mapping[str, Domain]) -> keras_tuner.HyperParameters:
    """Says to KerasTuner what may be tried.

    Args:
        space: By key of `train`.

    Returns:
        The same, with lists as JSON, for it knows none.
    """
    made = keras_tuner.HyperParameters()
    for key, domain in space.items():
        if domain.values is not None:
            made.Choice(key, [_plain(key, value) for value in domain.values])
            continue
        least, most = domain.limits
        sampling = "log" if domain.log else "linear"
        if key in WHOLE:
            made.Int(key, int(least), int(most), sampling=sampling)
        else:
            made.Float(key, least, most, sampling=sampling)
    return made


def _plain(key: str, value: Any) -> int | float | str:
    if key in LISTS:
        return json.dumps(value)
    return int(value) if key in WHOLE else float(value)


def _trial_config(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Puts the values in; a trial that tunes nothing of fine-tuning leaves it out."""
    changed = apply_values(config.train, values).model_copy(update={"warm_start": False})
    if not any(key.startswith("fine_tune.") for key in values):
        changed = changed.model_copy(update={"mode": "frozen"})
    return config.model_copy(update={"train": changed})


def _result(model: TrainedModel, config: RunConfig, tune: TuneConfig) -> float:
    """The objective in the epoch with the lowest eval loss."""
    losses = model.history["eval_loss"]
    if tune.objective == "loss":
        return min(losses)
    scores = model.history[f"eval_{TASKS[config.label.task].score_name}"]
    return scores[losses.index(min(losses))]
