"""One picture of the runs: seconds of each contender, a panel for each number of pictures."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.speed.figures import Runs, wall
from benchmarks.speed.jobs import BY_NAME
from benchmarks.speed.runs import Run

COLOURS = {"floor": "#9a9a9a", "graft": "#2a7d4f", "keras": "#c77d1e", "stock": "#a8322d"}


def write_chart(runs: Iterable[Run], path: Path) -> bool:
    """Draws horizontal bars, medians with their spread.

    Args:
        runs: All runs of the file.
        path: An SVG or PNG file.

    Returns:
        Whether there was anything to draw.
    """
    counted = Runs(runs)
    kinds = [kind for kind in counted.kinds() if BY_NAME[kind[0]].data == "pictures"]
    sizes = sorted({size for _, size, _ in kinds})
    if not sizes:
        return False
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # The same file from the same runs.
    matplotlib.rcParams["svg.hashsalt"] = "graft"
    matplotlib.rcParams["svg.fonttype"] = "none"
    rows = [[kind for kind in kinds if kind[1] == size] for size in sizes]
    heights = [len(row) for row in rows]
    figure, panels = pyplot.subplots(
        len(sizes),
        figsize=(8, 0.7 * len(sizes) + 0.22 * sum(heights)),
        squeeze=False,
        height_ratios=heights,
        layout="constrained",
    )
    for panel, size, row in zip(panels[:, 0], sizes, rows, strict=True):
        _draw(panel, counted, sorted(row, key=lambda kind: counted.figure(kind, wall).median))
        panel.set_title(f"{size:,} pictures", loc="left", fontsize=10)
    panels[-1, 0].set_xlabel("seconds for the whole process")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)
    pyplot.close(figure)
    return True


def _draw(panel, runs: Runs, kinds: list[tuple[str, int, int]]) -> None:  # noqa: ANN001
    for at, kind in enumerate(kinds):
        figure = runs.figure(kind, wall)
        spread = [[figure.median - min(figure.values)], [max(figure.values) - figure.median]]
        panel.barh(at, figure.median, xerr=spread, color=COLOURS[kind[0].partition("-")[0]])
        text = f" {figure.median:,.0f}"
        panel.text(max(figure.values), at, text, va="center", fontsize=8)
    names = [
        f"{BY_NAME[name].title}{f', {epochs} epochs' if BY_NAME[name].epochs == 'each' else ''}"
        for name, _, epochs in kinds
    ]
    panel.set_yticks(range(len(kinds)), names, fontsize=8)
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.margins(x=0.12)
    panel.invert_yaxis()
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
