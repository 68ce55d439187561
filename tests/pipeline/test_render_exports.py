"""What a person sees of exports."""

import io

from rich.console import Console

from components.exporter.report import Export, ExportReport, Latency, Measured
from pipeline.render import render_summary
from pipeline.summary import Summary

REPORT = ExportReport(
    metric="accuracy",
    examples=111,
    saved_model=Measured(bytes=10_388_948, value=0.7027, latency=Latency(p50=24.69, p95=50.01)),
    exports=(
        Export(
            format="tflite_int8",
            state="made",
            bytes=2_728_208,
            value=0.7117,
            difference=0.009,
            latency=Latency(p50=61.1, p95=81.7),
        ),
        Export(format="tfjs", state="refused", reason="it took longer than it may"),
    ),
)


def test_each_export_has_a_row_and_a_refused_one_its_reason():
    summary = Summary(
        run_id="one",
        name="groceries",
        config_digest="sha256:0",
        stack={},
        seconds=1,
        components=(),
        examples={"eval": 111},
        blessed=True,
        reasons=(),
        exports=REPORT,
        log="log",
    )
    out = io.StringIO()
    render_summary(summary, Console(file=out, width=80))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "Export MB eval: Accuracy Difference ms (p50) p95" in lines
    assert "SavedModel 10.4 0.703 - 24.7 50.0" in lines
    assert "tflite_int8 made 2.7 0.712 +0.0090 61.1 81.7" in lines
    assert "tfjs refused - - - - -" in lines
    assert "Exports tfjs: refused: it took longer than it may" in lines
    assert max(map(len, out.getvalue().splitlines())) <= 80
