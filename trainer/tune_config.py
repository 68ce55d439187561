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


class Domain(Record):
    """What one value may be: one of some, or anything in a stretch of numbers."""

    values: tuple[Any, ...] | None = Field(None, min_length=1, description="to choose from")
    min: float | None = Field(None, description="the stretch's lower end, included")
    max: float | None = Field(None, description="its upper end, included")
    log: bool = Field(False, description="try each order of magnitude as often as the next")

    @model_validator(mode="after")
    def _one_kind(self) -> "Domain":
        given = [name for name in ("values", "min", "max") if getattr(self, name) is not None]
        if given not in (["values"], ["min", "max"]) or (self.values and self.log):
            received = [*given, "log"] if self.log else given
            raise ValueError(explain("give `values`, or `min` and `max` (and `log`)", received))
        if self.min is None or self.max is None:
            return self
        if self.min >= self.max:
            raise ValueError(explain("`min` must be less than `max`", [self.min, self.max]))
        if self.log and self.min <= 0:
            raise ValueError(explain("`log` needs a `min` above 0", self.min))
        return self

    @property
    def limits(self) -> tuple[Any, ...]:
        """The values, or both ends."""
        return (self.min, self.max) if self.values is None else self.values


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
    space: dict[str, Domain] = Field(
        default_factory=dict,
        examples=[{"learning_rate": {"min": 0.01, "max": 0.5, "log": True}}],
        description="keys of `train` and what they may be; empty means the head's learning rate, "
        "weight decay, dropout and hidden layers",
    )

    def space_for(self, train: TrainConfig) -> dict[str, Domain]:
        """The space, or where none is given one that suits the head."""
        if self.space:
            return dict(self.space)
        space: dict[str, Domain] = {
            "learning_rate": Domain(min=0.005, max=0.5, log=True),
            "weight_decay": Domain(min=0.001, max=10.0, log=True),
        }
        if train.head.function is None:
            space["head.dropout"] = Domain(values=(0.0, 0.2, 0.5))
            space["head.hidden"] = Domain(values=([], [128], [256]))
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
        if key in LISTS and domain.values is None:
            yield key, explain("lists have no order: give `values`", list(domain.limits))
            continue
        if key in WHOLE and any(not float(one).is_integer() for one in _numbers(domain)):
            yield key, explain("whole numbers are needed here", list(domain.limits))
            continue
        for value in domain.limits:
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


def _numbers(domain: Domain) -> list[float]:
    return [one for one in domain.limits if isinstance(one, int | float)]
