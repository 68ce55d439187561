"""The Exporter on TFX's artifacts: whatever goes wrong, the run goes on and the report says so."""

import pytest
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import Exports
from components.exporter.config import ExportConfig
from components.exporter.executor import Executor
from components.exporter.report import REPORT_FILE, ExportReport


@pytest.mark.slow
def test_a_model_that_cannot_be_read_refuses_every_export_and_fails_nothing(tmp_path):
    model, examples, exports = standard_artifacts.Model(), standard_artifacts.Examples(), Exports()
    model.uri, examples.uri, exports.uri = (str(tmp_path / one) for one in ("m", "e", "x"))
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    config = ExportConfig(formats=("tflite", "tflite_int8"))
    Executor().Do(
        {"model": [model], "examples": [examples]},
        {"exports": [exports]},
        {"config": config.model_dump_json()},
    )
    written = (tmp_path / "x" / REPORT_FILE).read_text()
    report = ExportReport.model_validate_json(written)
    assert [(one.format, one.state, one.reason) for one in report.exports] == [
        (name, "refused", "an error that was not foreseen; the log has it")
        for name in ("tflite", "tflite_int8")
    ]
