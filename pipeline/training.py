"""The nodes that make a model: the Trainer, and before it the Tuner where it is asked for."""

from typing import Any

from tfx import types
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.proto import trainer_pb2

from pipeline.code_digest import digest_code
from pipeline.config import Config
from pipeline.user_code import digest_function
from trainer.model_config import ModelConfig, RunConfig

TUNER = "Tuner"


def build_training(
    config: Config,
    model: ModelConfig,
    embeddings: types.BaseChannel,
    transform_graph: types.BaseChannel,
    blessed_model: types.BaseChannel | None,
    checkpoints: str | None,
) -> tuple[Trainer, list[base_node.BaseNode]]:
    """Builds the Trainer and what it waits for.

    Args:
        config: The user's config, paths resolved.
        model: What model is made.
        embeddings: The Embedder's feature vectors.
        transform_graph: Transform's graph.
        blessed_model: The last blessed one; looked at only for a warm start,
            as the Trainer would have to train anew after each blessing.
        checkpoints: Folder or address of the states of trainings; None keeps none.

    Returns:
        The Trainer, and the Tuner if there is one.
    """
    run = RunConfig(**dict(model), train=config.train)
    what: dict[str, Any] = {
        "trainer": run.model_dump(mode="json"),
        "code_digest": digest_code("Trainer"),
        "head_digest": digest_function(config.train.head.function, config.base),
    }
    common: dict[str, Any] = {
        "examples": embeddings,
        "transform_graph": transform_graph,
        "train_args": trainer_pb2.TrainArgs(splits=["train"]),
        "eval_args": trainer_pb2.EvalArgs(splits=["eval"]),
    }
    tuners: list[base_node.BaseNode] = []
    if config.tune is not None:
        # It brings a second Keras, and is seldom wanted.
        from tfx.components.tuner.component import Tuner

        tuner = Tuner(
            tuner_fn="trainer.tune.tuner_fn",
            custom_config={
                **what,
                "tuner": config.tune.model_dump(mode="json"),
                "checkpoints": checkpoints,
            },
            **common,
        ).with_id(TUNER)
        tuners.append(tuner)
    trainer = Trainer(
        run_fn="trainer.run.run_fn",
        base_model=blessed_model if config.train.warm_start else None,
        hyperparameters=tuners[0].outputs["best_hyperparameters"] if tuners else None,
        custom_config={
            **what,
            # Of no concern to the tuner, which would search anew.
            "trainer": {
                **what["trainer"],
                "tensors": config.exports is not None,
                "bulk": config.predict is not None,
            },
            "checkpoints": checkpoints,
        },
        **common,
    )
    return trainer, tuners
