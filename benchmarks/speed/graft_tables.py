"""Tables of what Graft says of its own runs: components, vectors, bytes."""

from collections.abc import Iterable, Iterator

from benchmarks.speed.figures import Figure, Runs, wall
from benchmarks.speed.jobs import BY_NAME
from benchmarks.speed.runs import Run

Kind = tuple[str, int, int]


def component_table(runs: Runs, kinds: Iterable[Kind]) -> Iterator[str]:
    """Tells what each component took, of each kind of run.

    Args:
        runs: All runs.
        kinds: Contender, size and epochs of what is shown.

    Yields:
        The table, where there is one.
    """
    kinds = [kind for kind in kinds if any("components" in one.details for one in runs.of(*kind))]
    if not kinds:
        return
    titles = [f"{BY_NAME[k[0]].title.removeprefix('graft, ')}, {_amount(k)}" for k in kinds]
    names = dict.fromkeys(
        one["name"]
        for kind in kinds
        for run in runs.of(*kind)
        for one in run.details.get("components", ())
    )
    lines = [f"| wall s / CPU s | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for name in names:
        cells = [_component(runs, kind, name) for kind in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    peaks = [runs.of(*kind)[-1].details.get("peak_in", "") for kind in kinds]
    lines.append(f"| memory at its peak in | {' | '.join(peaks)} |")
    lines.append(f"| imports, start and end | {' | '.join(_rest(runs, one) for one in kinds)} |")
    yield "\n".join(lines)


def _rest(runs: Runs, kind: Kind) -> str:
    """What a process takes that no component does."""

    def take(run: Run) -> float:
        return wall(run) - sum(one["seconds"] for one in run.details.get("components", ()))

    figure = runs.figure(kind, take)
    return f"{figure.median:.1f}" if figure else ""


def _amount(kind: Kind) -> str:
    return ", ".join([*([f"{kind[1]:,}"] if kind[1] else []), f"{kind[2]} epochs"])


def _component(runs: Runs, kind: Kind, name: str) -> str:
    def take(key: str) -> Figure | None:
        return runs.figure(
            kind,
            lambda run: next(
                (c.get(key) for c in run.details.get("components", ()) if c["name"] == name), None
            ),
        )

    state = {
        one["state"]
        for run in runs.of(*kind)
        for one in run.details.get("components", ())
        if one["name"] == name
    }
    seconds, used = take("seconds"), take("cpu_seconds")
    if seconds is None:
        return ""
    text = f"{seconds.median:.1f}" + (f" / {used.median:.1f}" if used else "")
    return f"{text} cached" if state == {"cached"} else text


def vector_table(runs: Runs, kinds: Iterable[Kind]) -> Iterator[str]:
    """Tells which vectors were computed and which were there; see `component_table`."""
    lines = []
    for kind in kinds:
        for run in runs.of(*kind)[-1:]:
            counts = list((run.details.get("vectors") or {}).values())
            killed = run.details.get("killed_at")
            cells = [f"{killed[0]:,} of {killed[1]:,}" if killed else ""]
            cells += [
                f"{sum(one[name] for one in counts):,}" for name in ("new", "kept", "duplicates")
            ]
            if counts:
                title = f"{BY_NAME[kind[0]].title}, {_amount(kind)}"
                lines.append(f"| {title} | {' | '.join(cells)} |")
    if lines:
        heads = "| | killed at | vectors computed | kept from before | duplicates |"
        yield "\n".join([heads, "|---|---|---|---|---|", *lines])


def bytes_table(runs: Runs, kinds: Iterable[Kind]) -> Iterator[str]:
    """Tells what is left on disk by whom, in shares of the input; see `component_table`."""
    lines = []
    for kind in kinds:
        if kind[0] not in ("graft-cold", "stock", "texts-graft") or not runs.of(*kind):
            continue
        run = runs.of(*kind)[-1]
        parts = sorted(run.details.get("left", {}).items(), key=lambda one: -one[1])
        shown = [f"{name} {size / run.input_bytes:.2f}" for name, size in parts[:5]]
        title = f"{BY_NAME[kind[0]].title}, {_amount(kind)}"
        whole, written = run.left_bytes, run.usage.written_bytes
        lines.append(
            f"| {title} | {run.input_bytes / 1e6:.1f} | {whole / run.input_bytes:.2f} "
            f"| {written / run.input_bytes:.2f} | {', '.join(shown)} |"
        )
    if lines:
        heads = "| | input MB | left ÷ input | written ÷ input | of these the most |"
        yield "\n".join([heads, "|---|---|---|---|---|", *lines])
