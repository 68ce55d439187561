"""The stock Evaluator's evaluation, of noted answers where they are proved, else of the model."""

import itertools
import posixpath
from typing import Any

import tensorflow as tf
from absl import logging
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.components.evaluator import executor as stock
from tfx.types import artifact_utils, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils, path_utils, proto_utils

from components.gate.answers import Answers, Proved, read_answers, read_keys, write_answers
from components.gate.ask import complete
from components.gate.eval_config import BASELINE, CANDIDATE, of_answers

# Beside the stock Evaluator's own inputs; each may be missing.
MODEL_RUN_KEY = "model_run"
INFRA_KEY = "infra_blessing"
BASELINE_RUN_KEY = "baseline_run"
BASELINE_INFRA_KEY = "baseline_infra"

Artifacts = dict[str, list[types.Artifact]]

NOTED = "the training path's answers, which the exported model gave, too"
_MODEL_KEYS = {CANDIDATE: keys.MODEL_KEY, BASELINE: keys.BASELINE_MODEL_KEY}


class Executor(stock.Executor):
    """Evaluates without a second pass through the backbones where there is proof for it."""

    def Do(  # noqa: N802
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes the evaluation.

        Args:
            input_dict: As the stock Evaluator's; `model_run` and `infra_blessing`
                of the candidate, `baseline_run` and `baseline_infra` of the
                baseline where they are.
            output_dict: `evaluation`.
            exec_properties: `eval_config`, and `example_splits`: one of them.
        """
        self.evaluate(input_dict, output_dict, exec_properties)

    def evaluate(self, inputs: Artifacts, outputs: Artifacts, properties: dict[str, Any]) -> str:
        """Does what `Do` does.

        Returns:
            How, a clause for people.
        """
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(properties[keys.EVAL_CONFIG_KEY], config)
        (split,) = json_utils.loads(properties[keys.EXAMPLE_SPLITS_KEY])
        models = _read_models(inputs, config, split)
        folder = posixpath.join(
            artifact_utils.get_single_uri(outputs[keys.EVALUATION_KEY]), "answers"
        )
        try:
            how = _write(inputs, split, folder, models, config) if models else ""
            if how:
                logging.info("Evaluating %s of %s", how, split)
                noted = standard_artifacts.Examples()
                noted.uri, noted.split_names = folder, artifact_utils.encode_split_names([split])
                given: Artifacts = {keys.EXAMPLES_KEY: [noted]}
                if BASELINE in models:
                    given[keys.BASELINE_MODEL_KEY] = inputs[keys.BASELINE_MODEL_KEY]
                changed = {keys.EVAL_CONFIG_KEY: json_format.MessageToJson(of_answers(config))}
                super().Do(given, outputs, {**properties, **changed})
                return how
        finally:
            if tf.io.gfile.exists(folder):
                tf.io.gfile.rmtree(folder)
        super().Do(inputs, outputs, properties)
        return "the exported model"


def _read_models(
    inputs: Artifacts, config: config_pb2.EvalConfig, split: str
) -> dict[str, Answers]:
    """The answers of each model that is evaluated; none unless they all have some."""
    wanted = {CANDIDATE: (MODEL_RUN_KEY, INFRA_KEY)}
    if inputs.get(keys.BASELINE_MODEL_KEY):
        wanted[BASELINE] = (BASELINE_RUN_KEY, BASELINE_INFRA_KEY)
    spec = config.model_specs[0]
    found: dict[str, Answers] = {}
    for name, places in wanted.items():
        if not all(inputs.get(place) for place in places):
            return {}
        model = Proved(*(artifact_utils.get_single_uri(inputs[place]) for place in places))
        answers = read_answers(model, split, spec.prediction_key, spec.signature_name)
        if answers is None:
            return {}
        found[name] = answers
    return found


def _write(
    inputs: Artifacts,
    split: str,
    folder: str,
    models: dict[str, Answers],
    config: config_pb2.EvalConfig,
) -> str:
    """Writes what the models say of a split; tells how it is known, "" if too little is."""
    folders = artifact_utils.get_split_uris(inputs[keys.EXAMPLES_KEY], split)
    globs = [sorted(tf.io.gfile.glob(posixpath.join(one, "*"))) for one in folders]
    files = [*itertools.chain.from_iterable(globs)]
    how, examples = NOTED, read_keys(files)
    for spec in config.model_specs:
        if spec.name not in models:
            continue
        model = _serving_model(inputs[_MODEL_KEYS[spec.name]])
        of_model = (spec.signature_name, spec.prediction_key, spec.label_key)
        completed = complete(models[spec.name], files, examples, model, *of_model)
        if completed is None:
            return ""
        models[spec.name], asked = completed
        how += f"; the {spec.name} itself was asked for {asked:,} that were not noted" * bool(asked)
    columns = {key for slicing in config.slicing_specs for key in slicing.feature_keys}
    target = posixpath.join(folder, f"Split-{split}")
    tf.io.gfile.makedirs(target)
    write_answers(files, examples, posixpath.join(target, "answers"), models, sorted(columns))
    return how


def _serving_model(models: list[types.Artifact]) -> str:
    (model,) = models
    return path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
