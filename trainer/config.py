"""How the model is trained, as the user writes it; imports no TensorFlow."""

from typing import Annotated, Literal

from pydantic import Field

from preprocessing.config import Record


class HeadConfig(Record):
    """What stands on top of the backbones: linear when `hidden` is empty."""

    hidden: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        (), description="units of each hidden layer"
    )
    dropout: float = Field(0.0, ge=0, lt=1)


class TrainConfig(Record):
    """Training of the head on cached feature vectors."""

    mode: Literal["frozen"] = "frozen"
    epochs: int = Field(40, gt=0, description="at most; early stopping may end sooner")
    batch_size: int = Field(128, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    patience: int = Field(10, gt=0, description="epochs without a better eval loss before stopping")
    seed: int = Field(0, ge=0)
    head: HeadConfig = HeadConfig()
