"""Runs all contenders side by side and writes the tables: `make bench-speed`.

python -m benchmarks.speed                                  the demo's digits, some minutes
python -m benchmarks.speed --pictures FOLDER --backbone HANDLE            hours
python -m benchmarks.speed … --resume        goes on where it was stopped
python -m benchmarks.speed … --report-only   only writes the tables again
"""

import argparse
import json
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.chart import write_chart
from benchmarks.speed.estimate import DEMO_PASS_SECONDS, PASS_SECONDS
from benchmarks.speed.facts import read_facts
from benchmarks.speed.jobs import BY_NAME, Plan, unknown
from benchmarks.speed.report import write_report
from benchmarks.speed.runs import read_runs
from benchmarks.speed.session import Session
from benchmarks.speed.workplace import ROOT, Workplace, environ

DIGITS = ROOT / "examples" / "digits"
# What contenders import: compiled and in the page cache before anything counts.
IMPORTED = "pipeline.local, trainer.run, tensorflow_hub, tf_keras, tensorflow_model_analysis"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    arguments = _parse(argv)
    folder: Path = arguments.folder.resolve()
    file = folder / "runs.jsonl"
    place = _place(arguments, folder)
    plan = Plan(
        sizes=arguments.sizes,
        texts=arguments.text_sizes if place.texts else (),
        epochs=arguments.epochs,
        repeats=arguments.repeats,
        contenders=arguments.contenders,
        everywhere=arguments.everywhere,
    )
    jobs = plan.jobs()
    left_out = []
    if not arguments.report_only:
        if not arguments.resume:
            _set_aside(file)
        (folder / "facts.json").parent.mkdir(parents=True, exist_ok=True)
        facts = {**read_facts(), **_inputs(place, arguments)}
        (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        session = Session(
            place,
            file,
            read_runs(file),
            PASS_SECONDS if arguments.pictures else DEMO_PASS_SECONDS,
            _seconds(arguments.budget_minutes),
            _seconds(arguments.long_minutes),
        )
        todo = session.todo(jobs)
        _say(f"{len(todo)} runs, about {session.seconds(todo) / 60:.0f} minutes; {file}")
        if todo:
            _warm_up()
            left_out = session.run(jobs)
    if left_out:
        _say(f"{len(left_out)} runs did not fit into the budget; --resume makes them")
    runs = read_runs(file)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    _say("\n" + write_report(runs, jobs, facts, folder))
    write_chart(runs, folder / "speed.svg")
    _say(f"{folder / 'results.md'}, results.json, speed.svg")
    done = {run.job.key for run in runs if not run.failure}
    return 1 if any(run.failure for run in runs if run.job.key not in done) else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--pictures", type=Path, help="class folders of pictures; default: the demo's digits")
    add("--backbone", help="folder or address of a SavedModel; default: the demo's")
    add("--texts", type=Path, help="a CSV file; default: texts are not measured")
    add("--text-backbone", help="folder or id of a HuggingFace model, see `make minilm`")
    add("--text-columns", type=_names, default=["text", "category"], help="text,label")
    add("--sizes", type=_sizes, help="numbers of pictures; default 1k,5k,20k, of the demo 500")
    add("--text-sizes", type=_sizes, default=[10000], help="numbers of texts; default 10k")
    add("--epochs", type=_sizes, help="default 5,40, of the demo 5; the first is that of the rest")
    add("--repeats", type=int, help="default 3, of the demo 1")
    add("--contenders", type=_names, default=[], help=f"of {', '.join(BY_NAME)}, or families")
    add("--everywhere", action="store_true", help="slow contenders on large sizes, too")
    add("--budget-minutes", type=float, help="leave out what would not fit any more")
    add("--long-minutes", type=float, help="do not repeat what takes longer")
    add("--folder", type=Path, default=ROOT / "bench-speed", help="results, inputs, work")
    add("--resume", action="store_true", help="go on with the runs that the folder has")
    add("--report-only", action="store_true", help="make the tables of what has been run")
    arguments = parser.parse_args(argv)
    if wrong := unknown(arguments.contenders):
        parser.error(f"no such contender: {', '.join(wrong)}; there are {', '.join(BY_NAME)}")
    if bool(arguments.pictures) != bool(arguments.backbone):
        parser.error("--pictures and --backbone go together")
    if bool(arguments.texts) != bool(arguments.text_backbone):
        parser.error("--texts and --text-backbone go together")
    real = bool(arguments.pictures)
    arguments.sizes = arguments.sizes or ([1000, 5000, 20000] if real else [500])
    arguments.epochs = arguments.epochs or ([5, 40] if real else [5])
    arguments.repeats = arguments.repeats or (3 if real else 1)
    return arguments


def _place(arguments: argparse.Namespace, folder: Path) -> Workplace:
    pictures, backbone = arguments.pictures, arguments.backbone
    if pictures is None:
        pictures, backbone = folder / "data" / "digits", str(DIGITS / "backbone")
        if not pictures.is_dir():
            runpy.run_path(str(DIGITS / "pictures.py"))["write_pictures"](pictures)
    return Workplace(
        folder=folder,
        pictures=pictures.resolve(),
        backbone=_handle(backbone, "hub:"),
        texts=arguments.texts,
        text_backbone=_handle(arguments.text_backbone or "", "hf:"),
        text_columns=tuple(arguments.text_columns),
    )


def _handle(written: str, kind: str) -> str:
    """Gives a handle as scripts take it, whatever folder they run in."""
    bare = written.removeprefix(kind)
    return str(Path(bare).resolve()) if bare and Path(bare).exists() else bare


def _inputs(place: Workplace, arguments: argparse.Namespace) -> dict[str, Any]:
    inputs = {"pictures": place.pictures.name, "backbone": place.backbone.rpartition("/")[2]}
    if place.texts:
        inputs["texts"] = place.texts.name
        inputs["text_backbone"] = place.text_backbone.rpartition("/")[2]
    return inputs


def _set_aside(file: Path) -> None:
    """Keeps the runs of an earlier benchmark under another name."""
    if file.exists():
        number = 1 + len(list(file.parent.glob(f"{file.stem}-*.jsonl")))
        file.rename(file.with_name(f"{file.stem}-{number}.jsonl"))


def _warm_up() -> None:
    _say("importing once what will be imported …")
    code = f"import {IMPORTED}"
    # If it cannot be imported, the runs will say so.
    subprocess.run([sys.executable, "-c", code], env=environ(), capture_output=True, check=False)


def _sizes(text: str) -> list[int]:
    """Reads whole numbers; 20k is 20000."""
    numbers = [one.strip().lower() for one in text.split(",")]
    return [int(one[:-1]) * 1000 if one.endswith("k") else int(one) for one in numbers]


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else 60 * minutes


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
