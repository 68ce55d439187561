"""How the model is trained, as the user writes it; imports no TensorFlow.

The defaults are one recipe for any number of examples, chosen by
cross-validation and held against tuned logistic regressions (see fit.py).
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from preprocessing.config import Record
from preprocessing.errors import explain


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
    function: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        examples=["heads:build"],
        description="a head of your own, package.module:function, found beside the config file",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="handed to `function` by name"
    )

    @model_validator(mode="after")
    def _one_head(self) -> "HeadConfig":
        if self.function is None and self.arguments:
            raise ValueError(explain("`arguments` are for a `function`", self.arguments))
        if self.function is not None and self.hidden:
            what = "`function` builds the whole head, so `hidden` has no meaning beside it"
            raise ValueError(explain(what, self.hidden))
        return self


class LossConfig(Record):
    """What counts as an error, and how much."""

    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="share of each label spread over all classes"
    )
    focal_gamma: float = Field(
        0.0, ge=0, description="focal loss: how much less an example counts that is known well"
    )
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None, description="balanced: each class counts the same in sum; or a weight for each"
    )


class AugmentConfig(Record):
    """Random changes of pictures in training; the same seed gives the same ones."""

    flip: bool = Field(True, description="mirror left and right, half of the time")
    crop: float = Field(
        0.6, gt=0, le=1, description="least share of a picture's area that is kept; 1 keeps all"
    )
    colour: float = Field(
        0.2, ge=0, lt=1, description="how far brightness, contrast and saturation may go"
    )
    mixup: float = Field(0.0, ge=0, description="fine_tune: alpha of mixup; 0 is off")
    cutmix: float = Field(0.0, ge=0, description="fine_tune: alpha of cutmix; 0 is off")


class LastLayers(Record):
    """The layers nearest to the head."""

    last: int = Field(gt=0, description="how many layers, or blocks of a transformer")


class FineTuneConfig(Record):
    """Training of the backbones, after the head."""

    unfreeze: Literal["all"] | LastLayers = Field(
        "all", description="all, or {last: N} layers (of a transformer: blocks)"
    )
    epochs: int = Field(10, gt=0, description="at most; early stopping may end sooner")
    batch_size: int = Field(32, gt=0, description="examples in one step")
    learning_rate: float = Field(
        1e-4,
        gt=0,
        description="of the backbones, at its highest; MobileNetV2 0.35 does better with 5e-4",
    )
    head_learning_rate: float = Field(1e-3, gt=0, description="of the head, at its highest")
    warmup: float = Field(
        0.1, ge=0, lt=1, description="share of the steps in which both rates rise from zero"
    )
    weight_decay: float = Field(0.01, ge=0, description="decoupled from the gradient (AdamW)")
    clip_norm: float = Field(1.0, gt=0, description="largest norm of all gradients together")
    patience: int = Field(6, gt=0, description="epochs without a better eval loss before stopping")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="of the backbone's arithmetic; weights and outputs stay float32"
    )
    augment: AugmentConfig | None = Field(AugmentConfig(), description="null: none")


class TrainConfig(Record):
    """Training of the head on cached feature vectors, and of the backbones after it."""

    mode: Literal["frozen", "fine_tune"] = "frozen"
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
    patience: int = Field(10, gt=0, description="epochs without a better eval loss before stopping")
    seed: int = Field(0, ge=0, description="same seed, data and machine: the same weights")
    head: HeadConfig = HeadConfig()
    loss: LossConfig = LossConfig()
    views: int = Field(
        0, ge=0, le=32, description="frozen: cached augmented views of each training example"
    )
    augment: AugmentConfig = Field(AugmentConfig(), description="how the views are made")
    fine_tune: FineTuneConfig = FineTuneConfig()
    strategy: Literal["one_device", "mirrored", "multi_worker", "tpu"] = Field(
        "one_device",
        description="mirrored: all GPUs of this machine; multi_worker: TF_CONFIG says which",
    )
    warm_start: bool = Field(
        False, description="start from the head of the last blessed model where it fits"
    )
    calibrate: Literal["temperature"] | None = Field(
        None,
        description="temperature: divide the logits by what makes the probabilities of the eval "
        "split as likely as can be; not of a regression",
    )
