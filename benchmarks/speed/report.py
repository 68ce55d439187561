"""Tables of the runs, as Markdown and as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.speed.figures import Figure, Runs, cpu, peak, wall
from benchmarks.speed.graft_tables import bytes_table, component_table, vector_table
from benchmarks.speed.jobs import BY_NAME, CONTENDERS, Job
from benchmarks.speed.runs import Run, finished
from benchmarks.speed.targets import Outcome, check

NOT_RUN = "not run"


def write_report(
    runs: Iterable[Run], planned: Iterable[Job], facts: Mapping[str, Any], folder: Path
) -> str:
    """Writes results.json and results.md.

    Args:
        runs: All runs of the file.
        planned: The jobs of the plan; what is missing is reported as not run.
        facts: Machine, software and inputs.
        folder: Where both go.

    Returns:
        The Markdown.
    """
    runs, planned = list(runs), list(planned)
    counted = Runs(runs)
    kinds = list(
        dict.fromkeys([*((j.contender, j.size, j.epochs) for j in planned), *counted.kinds()])
    )
    order = [one.name for one in CONTENDERS]
    kinds.sort(key=lambda kind: (kind[1], order.index(kind[0]), kind[2]))
    outcomes = check(counted)
    rows = [_row(counted, kind) for kind in kinds]
    done = finished(runs)
    failed = [one for one in runs if one.failure and one.job.key not in done]
    text = "\n\n".join(
        [
            _facts_table(facts),
            _targets_table(outcomes),
            _runs_table(rows),
            *component_table(counted, kinds),
            *vector_table(counted, kinds),
            *bytes_table(counted, kinds),
            *_failures(failed),
        ]
    )
    content = {
        "facts": dict(facts),
        "targets": [_target_json(one) for one in outcomes],
        "runs": rows,
        "failed": [{"job": one.job.key, "failure": one.failure} for one in failed],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / "results.md").write_text(text + "\n", encoding="utf-8")
    return text + "\n"


def _row(runs: Runs, kind: tuple[str, int, int]) -> dict[str, Any]:
    contender, size, epochs = kind
    takes = {
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_mb": peak,
        "written_mb": lambda run: run.usage.written_bytes / 1e6,
        "left_mb": lambda run: run.left_bytes / 1e6,
        "input_mb": lambda run: run.input_bytes / 1e6,
        "killed_after_s": lambda run: run.details.get("before_s"),
    }
    figures = {name: runs.figure(kind, take) for name, take in takes.items()}
    return {
        "contender": contender,
        "data": BY_NAME[contender].data,
        "size": size,
        "epochs": epochs,
        "repeats": len(runs.of(*kind)),
        **{name: list(one.values) if one else None for name, one in figures.items()},
    }


def _facts_table(facts: Mapping[str, Any]) -> str:
    lines = ["| | |", "|---|---|"]
    for name, value in facts.items():
        shown = (
            ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        )
        lines.append(f"| {name.replace('_', ' ')} | {shown} |")
    return "\n".join(lines)


def _targets_table(outcomes: Iterable[Outcome]) -> str:
    lines = ["| | target | measured | |", "|---|---|---|---|"]
    for one in outcomes:
        target = one.target
        unit = f" {target.unit}" if target.unit else ""
        limit = f"{'≤' if target.most else '≥'} {target.limit:g}{unit}"
        measured = one.figure.text(_digits(one.figure)) + unit if one.figure else NOT_RUN
        word = one.word if one.figure else ""
        lines.append(f"| {target.title} | {limit} | {measured} | {word} |")
    return "\n".join(lines)


def _digits(figure: Figure) -> int:
    return 2 if figure.median < 100 else 0


def _runs_table(rows: Iterable[Mapping[str, Any]]) -> str:
    heads = ["", "size", "epochs", "runs", "wall s", "CPU s", "peak MB", "written MB", "left MB"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---|' * (len(heads) - 1)}"]
    for row in rows:
        size = f"{row['size']:,} {row['data']}" if row["size"] else ""
        cells = [BY_NAME[row["contender"]].title, size, str(row["epochs"] or "")]
        if not row["repeats"]:
            lines.append(f"| {' | '.join([*cells, '0', NOT_RUN])} | | | | |")
            continue
        digits = {"wall_s": 1 if row["size"] else 2, "cpu_s": 1 if row["size"] else 2}
        names = ("wall_s", "cpu_s", "peak_mb", "written_mb", "left_mb")
        figures = [Figure(tuple(row[name])).text(digits.get(name, 0)) for name in names]
        if row["killed_after_s"]:
            figures[0] += f", killed after {Figure(tuple(row['killed_after_s'])).text()}"
        lines.append(f"| {' | '.join([*cells, str(row['repeats']), *figures])} |")
    return "\n".join(lines)


def _failures(failed: Iterable[Run]) -> Iterator[str]:
    lines = [f"- {one.job.title}: {one.failure}" for one in failed]
    if lines:
        yield "\n".join(["Failed runs, which do not count:", "", *lines])


def _target_json(one: Outcome) -> dict[str, Any]:
    return {
        "title": one.target.title,
        "limit": one.target.limit,
        "at_most": one.target.most,
        "unit": one.target.unit,
        "values": list(one.figure.values) if one.figure else None,
        "median": one.figure.median if one.figure else None,
        "outcome": one.word,
    }
