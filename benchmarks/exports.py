"""What exports lose against their SavedModel, on a split of a finished run.

    TF_USE_LEGACY_KERAS=1 python benchmarks/exports.py WORKDIR [SPLIT] [FORMAT ...]

WORKDIR is the `.graft` of a run whose config has an `export` section; its newest
model is exported anew and judged on all examples of SPLIT (test). Prints a
Markdown table.
"""

import sys
import tempfile
from pathlib import Path

from components.exporter.config import ExportConfig
from components.exporter.exports import make_exports
from components.exporter.report import Measured

FORMATS = ("tflite", "tflite_fp16", "tflite_int8", "tfjs")
EVERY = 10**9


def main(workdir: str, split: str = "test", *formats: str) -> None:
    """Exports and judges one model."""
    model = newest(workdir, "Trainer/model/*/Format-Serving")
    examples = newest(workdir, "ExampleGen/examples/*")
    splits = {"train": str(examples / "Split-train"), "eval": str(examples / f"Split-{split}")}
    config = ExportConfig(formats=formats or FORMATS, eval_examples=EVERY, max_accuracy_loss=EVERY)
    with tempfile.TemporaryDirectory() as folder:
        report = make_exports(str(model), splits, folder, config)
    lines = [
        f"{report.examples:,} examples of {split}; {report.metric}\n",
        "| | MB | value | difference | largest difference of an output | ms, p50 (p95) |",
        "|---|---|---|---|---|---|",
        row("SavedModel", report.saved_model, " | "),
    ]
    for one in report.exports:
        if one.value is None:
            lines.append(f"| {one.format} | {one.reason} | | | | |")
        else:
            far = f"{one.difference:+.4f} | {one.largest_difference:.1e}"
            lines.append(row(one.format, one, far))
    sys.stdout.write("\n".join(lines) + "\n")


def row(name: str, one: Measured, far: str) -> str:
    """One model's figures; `far` is how it differs from the SavedModel."""
    latency = f"{one.latency.p50:.1f} ({one.latency.p95:.1f})"
    return f"| {name} | {one.bytes / 1e6:.1f} | {one.value:.4f} | {far} | {latency} |"


def newest(workdir: str, pattern: str) -> Path:
    """Finds the newest folder of a kind among a run's artifacts."""
    return max(Path(workdir, "artifacts").glob(pattern), key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    main(*sys.argv[1:])
