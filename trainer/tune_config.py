"""What the tuner may try, as the user writes it; imports no TensorFlow.

A hyperparameter that may be tuned is a key in `WHOLE` or `REAL`, or in `LISTS`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from preprocessing.config import Record
from preprocessing.errors import explain
from trainer.config import TrainConfig

# Keys of `train`, by what their values are.
WHOLE = (
    "epochs",
    "batch_size",
    "patience",
    "fine_tune.epochs",
    "fine_tune.batch_size",
    "fine_tune.patience",
    "fine_tune.unfreeze.last",
)
REAL = (
    "learning_rate",
    "weight_decay",
    "head.dropout",
    "loss.label_smoothing",
    "loss.focal_gamma",
    "fine_tune.learning_rate",
    "fine_tune.head_learning_rate",
    "fine_tune.warmup",
    "fine_tune.weight_decay",
    "fine_tune.clip_norm",
)
LISTS = ("head.hidden",)
TUNABLE = (*WHOLE, *REAL, *LISTS)

Value = int | float | str


class Choices(Record):
    """Some values to choose from."""

    values: tuple[Any, ...] = Field(min_length=1, description="one is taken for each trial")

    def check(self) -> None:
        """Any values will do."""


class Between(Record):
    """A stretch of numbers, both ends included."""

    min: float
    max: float
    log: bool = Field(False, description="try each order of magnitude as often as the next")

    @model_validator(mode="after")
    def _is_a_stretch(self) -> "Between":
        if self.min >= self.max:
            raise ValueError(explain("`min` must be less than `max`", [self.min, self.max]))
        if self.log and self.min <= 0:
            raise ValueError(explain("`log` needs a `min` above 0", self.min))
        return self

    @property
    def values(self) -> tuple[float, float]:
        """Both ends."""
        return self.min, self.max


class TuneConfig(Record):
    """A search for better values of `train`; the Trainer takes the best."""

    trials: int = Field(20, gt=0, description="trainings at most")
    minutes: float = Field(
        30.0, gt=0, description="for all trials together; the one under way ends with its epoch"
    )
    objective: Literal["loss", "score"] = Field(
        "loss", description="what counts on the eval split: the loss, or the task's score"
    )
    search: Literal["bayesian", "random"] = Field(
        "bayesian", description="bayesian: a model of the trials so far chooses the next"
    )
    seed: int = Field(0, ge=0, description="same seed, data and machine: the same trials")
    space: dict[str, Choices | Between] = Field(
        default_factory=dict,
        examples=[{"learning_rate": {"min": 0.01, "max": 0.5, "log": True}}],
        description="keys of `train` and what they may be; empty means the head's learning rate, "
        "weight decay, dropout and hidden layers",
    )

    def space_for(self, train: TrainConfig) -> dict[str, Choices | Between]:
        """The space, or where none is given one that suits the head."""
        if self.space:
            return dict(self.space)
        space: dict[str, Choices | Between] = {
            "learning_rate": Between(min=0.005, max=0.5, log=True),
            "weight_decay": Between(min=0.001, max=10.0, log=True),
        }
        if train.head.function is None:
            space["head.dropout"] = Choices(values=(0.0, 0.2, 0.5))
            space["head.hidden"] = Choices(values=([], [128], [256]))
        return space


def find_mistakes(tune: TuneConfig, train: TrainConfig) -> Iterator[tuple[str, str]]:
    """Checks the space against what is to be tuned.

    Args:
        tune: Valid by itself.
        train: Whose values the space is about.

    Yields:
        A key of the space, or "" for `objective`, and what is wrong in the form
        of `explain`.
    """
    for key, domain in tune.space.items():
        if key not in TUNABLE:
            yield key, explain("the tuner knows no such key of `train`", key, TUNABLE)
            continue
        if key.startswith("fine_tune.") and train.mode != "fine_tune":
            what = "fine-tuning has no values to tune in mode: frozen"
            yield key, explain(what, key, ["train.mode: fine_tune"])
        if key in LISTS and isinstance(domain, Between):
            yield key, explain("lists have no order: give `values`", [domain.min, domain.max])
            continue
        if key in WHOLE and any(not float(one).is_integer() for one in _numbers(domain)):
            yield key, explain("whole numbers are needed here", list(domain.values))
            continue
        for value in domain.values:
            try:
                apply_values(train, {key: value})
            except ValidationError as error:
                yield key, explain(f"train.{key} cannot be this: {error.errors()[0]['msg']}", value)
                break
    compared = [key for key in tune.space if key.startswith("loss.")]
    if compared and tune.objective == "loss":
        what = f"the losses of trials with another {compared[0]} cannot be compared"
        yield "", explain(what, tune.objective, ["score"])


def apply_values(train: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Puts values in their places.

    Args:
        train: The rest of the values.
        values: By key; a text is JSON, as KerasTuner knows no lists.

    Returns:
        The changed config.
    """
    changed: dict[str, Any] = train.model_dump(mode="json")
    for key, value in values.items():
        place = changed
        *path, last = key.split(".")
        for name in path:
            if not isinstance(place[name], dict):
                place[name] = {}
            place = place[name]
        place[last] = json.loads(value) if isinstance(value, str) else value
    return TrainConfig.model_validate_json(json.dumps(changed))


def _numbers(domain: Choices | Between) -> list[float]:
    return [one for one in domain.values if isinstance(one, int | float)]
