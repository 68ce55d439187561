"""`graft runs`: a line for each run; runs.py finds them."""

import click

from pipeline.commands.as_json import AS_JSON, echo_json


@click.command()
@click.argument("place", required=False)
@AS_JSON
def runs(place: str | None, as_json: bool) -> None:
    """List the runs of a working folder, and what came of each.

    PLACE is a config or a working folder; without it, .graft is meant.
    """
    from pipeline.runs import find_runs, render_runs
    from pipeline.session import console

    lines = find_runs(place)
    if as_json:
        echo_json([one.model_dump() for one in lines])
    else:
        render_runs(lines, console())
