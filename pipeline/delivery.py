"""The nodes between a trained model and a pushed one: each may refuse it.

A new one gets its node here and its line in code_digest.CODE_OF.
"""

import json
from collections.abc import Mapping

from tfx import types
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.proto import pusher_pb2

from components.embedder.component import Embedder
from components.example_gen.component import RowExampleGen
from components.example_gen.screen_component import ExampleScreen
from components.example_gen.span_component import SpanExampleGen
from components.exporter.component import Exporter
from components.gate.component import Evaluator
from components.gate.config import GateConfig
from components.gate.eval_config import build_eval_config
from components.gate.split_evaluator import SplitEvaluator
from components.model_card.component import ModelCard
from components.pusher.component import Pusher
from components.pusher.target import check_address
from components.serving_validator.component import ServingValidator
from components.serving_validator.executor import SPLIT
from components.serving_validator.infra import build_infra_validator
from pipeline.blessed.component import Remember
from pipeline.card import card_config
from pipeline.code_digest import digest_code
from pipeline.config import Config
from pipeline.place import Place
from pipeline.predictions import build_predictions
from trainer.backbones.record import Backbone
from trainer.export import EXAMPLES_SIGNATURE, LABEL_ID, LABEL_SIGNATURE

GATE = "Evaluator"
TEST = "TestEvaluator"
PUSHER = "Pusher"
EXPORTER = "Exporter"
VALIDATOR = "ServingValidator"
INFRA_VALIDATOR = "InfraValidator"


def build_delivery(
    config: Config,
    backbones: Mapping[str, Backbone],
    examples: RowExampleGen | ExampleScreen | SpanExampleGen,
    embedder: Embedder,
    trainer: Trainer,
    baseline: Mapping[str, types.BaseChannel],
    rebaseline: bool,
    place: Place,
) -> list[base_node.BaseNode]:
    """Builds what judges a model and delivers it.

    Args:
        config: The user's config, paths resolved.
        backbones: The vendored backbone of each feature.
        examples: The node that has the examples.
        embedder: The node that has their vectors.
        trainer: The node that has the model.
        baseline: What is known of the last blessed model, by `model`, `model_run`
            and `infra_blessing`, as far as there is a node that knows.
        rebaseline: Whether that one is set aside.
        place: Where tasks run.

    Returns:
        The nodes, in the order in which they run.
    """
    nodes: list[base_node.BaseNode] = []
    validator = _build_validator(config, examples, trainer, place)
    nodes += [validator] if validator else []
    # Where the clean process found the exported model to say what the Trainer
    # noted, the Evaluators need not call it again.
    noted = {"model_run": trainer.outputs["model_run"]}
    if validator:
        noted["infra_blessing"] = validator.outputs["blessing"]
    evaluator = Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline=baseline,
        noted=noted,
        eval_config=build_eval_config(
            config.evaluate, config.label, LABEL_ID, EXAMPLES_SIGNATURE, gate=True
        ),
        gate=GateConfig(
            evaluate=config.evaluate,
            label=config.label,
            signatures=(EXAMPLES_SIGNATURE, LABEL_SIGNATURE),
            rebaseline=rebaseline,
        ),
        code_digest=digest_code(GATE),
    )
    nodes.append(evaluator)
    test = None
    if "test" in examples.split_names:
        test = SplitEvaluator(
            examples=examples.outputs["examples"],
            split="test",
            model=trainer.outputs["model"],
            noted=noted,
            eval_config=build_eval_config(
                config.evaluate, config.label, LABEL_ID, EXAMPLES_SIGNATURE, gate=False
            ),
            code_digest=digest_code(GATE),
        ).with_id(TEST)
        nodes.append(test)
    exports = None
    if config.exports:
        exporter = Exporter(
            trainer.outputs["model"],
            examples.outputs["examples"],
            config.exports,
            digest_code(EXPORTER),
        )
        exports = exporter.outputs["exports"]
        nodes.append(exporter)
    card = ModelCard(
        describe_fn="pipeline.card.describe",
        config=card_config(
            config, backbones, examples.exec_properties.get("fingerprint") or None
        ).model_dump_json(),
        code_digest=digest_code("ModelCard"),
        examples=examples.outputs["examples"],
        embeddings=embedder.outputs["embeddings"],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        test_evaluation=test.outputs["evaluation"] if test else None,
        infra_blessing=validator.outputs["blessing"] if validator else None,
        exports=exports,
    )
    nodes.append(card)
    if config.predict:
        blessing = evaluator.outputs["blessing"]
        nodes += build_predictions(config.predict, config, trainer, blessing, place.here)
    if config.push:
        check_address(config.push.path)
        nodes.append(
            Pusher(
                model=trainer.outputs["model"],
                model_blessing=evaluator.outputs["blessing"],
                infra_blessing=validator.outputs["blessing"] if validator else None,
                examples=examples.outputs["examples"],
                model_card=card.outputs["model_card"],
                exports=exports,
                push_destination=pusher_pb2.PushDestination(
                    filesystem=pusher_pb2.PushDestination.Filesystem(
                        base_directory=config.push.path
                    )
                ),
                custom_config={
                    "keep": config.push.keep,
                    "warmup": config.push.warmup,
                    "again": config.push.again,
                    "examples_signature": EXAMPLES_SIGNATURE,
                },
            )
        )
    if place.blessed:
        remember = Remember(
            folder=place.blessed,
            model=trainer.outputs["model"],
            model_run=trainer.outputs["model_run"],
            blessing=evaluator.outputs["blessing"],
            infra_blessing=validator.outputs["blessing"] if validator else None,
            pushed_model=nodes[-1].outputs["pushed_model"] if config.push else None,
        )
        nodes.append(remember)
    return nodes


def _build_validator(
    config: Config,
    examples: RowExampleGen | ExampleScreen | SpanExampleGen,
    trainer: Trainer,
    place: Place,
) -> base_node.BaseNode | None:
    """Builds what tries the model as a server would, as the config chooses."""
    validation = config.validation
    if validation.validator == "none":
        return None
    if validation.validator == "infra_validator":
        return build_infra_validator(
            trainer.outputs["model"],
            examples.outputs["examples"],
            validation.infra,
            EXAMPLES_SIGNATURE,
            SPLIT,
        )
    return ServingValidator(
        model=trainer.outputs["model"],
        examples=examples.outputs["examples"],
        model_run=trainer.outputs["model_run"],
        config=validation.model_dump_json(),
        hidden=json.dumps(place.hidden),
        code_digest=digest_code(VALIDATOR),
    )
