"""Runs the evaluation, and the gate's own rule on what it computed.

The wiring only: the evaluation is evaluate.py's, the rule verdict.py's.
"""

import itertools
import posixpath
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging
from tfx import types
from tfx.components.evaluator import constants
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils, path_utils

from components.gate.answers import read_raw
from components.gate.baseline import find_fault, find_misfit
from components.gate.config import GateConfig
from components.gate.evaluate import Artifacts
from components.gate.evaluate import Executor as Evaluation
from components.gate.report import REPORT_FILE, Baseline, GateReport
from components.gate.results import read_figures
from components.gate.verdict import judge

GATE_KEY = "gate"
# A few examples tell whether a model takes them.
_TRIED = 4


class Executor(Evaluation):
    """Evaluates, judges, and blesses or not."""

    def Do(  # noqa: N802
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes the evaluation with its report, and the blessing.

        Args:
            input_dict: `examples`, `model`, and `baseline_model` where there is one.
            output_dict: `evaluation` and `blessing`.
            exec_properties: `eval_config` without thresholds, `example_splits`,
                and `gate`: a GateConfig as JSON.
        """
        gate = GateConfig.model_validate_json(exec_properties[GATE_KEY])
        uri = artifact_utils.get_single_uri(output_dict[keys.EVALUATION_KEY])
        baseline, how = self._evaluate(gate, input_dict, output_dict, exec_properties)
        report = judge(gate.evaluate, gate.label.task, read_figures(uri), baseline)
        report = report.model_copy(update={"evaluated": how})
        with tf.io.gfile.GFile(posixpath.join(uri, REPORT_FILE), "w") as file:
            file.write(report.model_dump_json(indent=2) + "\n")
        for reason in report.reasons:
            logging.info("%s", reason)
        _bless(report, input_dict, artifact_utils.get_single_instance(output_dict["blessing"]))

    def _evaluate(
        self,
        gate: GateConfig,
        inputs: Artifacts,
        outputs: Artifacts,
        properties: dict[str, Any],
    ) -> tuple[Baseline, str]:
        """Evaluates the candidate beside the last blessed model, or alone; says how."""
        alone = {key: value for key, value in inputs.items() if key != keys.BASELINE_MODEL_KEY}
        blessed = inputs.get(keys.BASELINE_MODEL_KEY)
        if not blessed:
            return Baseline(state="none"), self.evaluate(alone, outputs, properties)
        uri = blessed[0].uri
        if gate.rebaseline:
            how = self.evaluate(alone, outputs, properties)
            return Baseline(state="set aside", model=uri), how
        model = path_utils.serving_model_path(uri, path_utils.is_old_model_artifact(blessed[0]))
        reason = find_misfit(model, gate.label)
        failure = None
        if reason is None:
            try:
                how = self.evaluate(inputs, outputs, properties)
                return Baseline(state="compared", model=uri), how
            except Exception as error:
                logging.exception("The evaluation beside the last blessed model failed")
                failure = error
            _empty(artifact_utils.get_single_uri(outputs[keys.EVALUATION_KEY]))
        try:
            how = self.evaluate(alone, outputs, properties)
        except Exception as error:
            # Then it is not the last blessed model that is at fault.
            raise (failure or error) from None
        if failure is not None:
            reason = find_fault(model, _some(inputs, properties), gate.signatures, gate.output)
            reason = reason or f"it cannot be evaluated beside this one: {_short(failure)}"
        return Baseline(state="unusable", model=uri, reason=reason), how


def _bless(report: GateReport, inputs: Artifacts, blessing: types.Artifact) -> None:
    """Marks the blessing as the stock Evaluator does, for the Pusher and the next run."""
    model = artifact_utils.get_single_instance(inputs[keys.MODEL_KEY])
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if report.baseline.state == "compared":
        (baseline,) = inputs[keys.BASELINE_MODEL_KEY]
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    name, value = (
        (constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE)
        if report.blessed
        else (constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE)
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    if report.baseline.state == "unusable":
        # Without its folder TFX does not take this result from its cache: the model
        # may be back, which is no part of the cache's key.
        _empty(blessing.uri)
        tf.io.gfile.rmtree(blessing.uri)
        return
    with tf.io.gfile.GFile(posixpath.join(blessing.uri, name), "w") as file:
        file.write("")


def _some(inputs: Artifacts, properties: dict[str, Any]) -> list[bytes]:
    """The first examples that the gate looks at."""
    examples = inputs[keys.EXAMPLES_KEY]
    found: list[bytes] = []
    for split in json_utils.loads(properties[keys.EXAMPLE_SPLITS_KEY]):
        for folder in artifact_utils.get_split_uris(examples, split):
            files = sorted(tf.io.gfile.glob(posixpath.join(folder, "*")))
            found += itertools.islice(read_raw(files), _TRIED - len(found))
    return found


def _empty(folder: str) -> None:
    """Leaves nothing of an evaluation that failed half-way."""
    if tf.io.gfile.exists(folder):
        tf.io.gfile.rmtree(folder)
    tf.io.gfile.makedirs(folder)


def _short(error: BaseException) -> str:
    lines: Sequence[str] = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
