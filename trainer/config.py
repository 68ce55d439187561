"""How the model is trained, as the user writes it; imports no TensorFlow.

The defaults are one recipe for any number of examples, chosen by
cross-validation and held against tuned logistic regressions (see fit.py).
"""

from typing import Annotated, Literal

from pydantic import Field

from preprocessing.config import Record


class HeadConfig(Record):
    """What stands on top of the backbones: linear when `hidden` is empty."""

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        (), description="units of each hidden layer"
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the feature vector, and of each hidden layer, dropped in training",
    )


class TrainConfig(Record):
    """Training of the head on cached feature vectors."""

    mode: Literal["frozen"] = "frozen"
    epochs: int = Field(40, gt=0, description="at most; early stopping may end sooner")
    batch_size: int = Field(64, gt=0, description="examples in one step")
    learning_rate: float = Field(
        0.05, gt=0, description="at the start; falls to zero over the epochs along a cosine"
    )
    weight_decay: float = Field(
        0.1,
        ge=0,
        description="L2 penalty, shared among the training examples as a logistic regression's 1/C",
    )
    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="share of each label spread over all classes"
    )
    patience: int = Field(10, gt=0, description="epochs without a better eval loss before stopping")
    seed: int = Field(0, ge=0, description="same seed, data and machine: the same weights")
    head: HeadConfig = HeadConfig()
