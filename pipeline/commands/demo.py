"""`graft demo`: a run that needs nothing of the user's."""

from pathlib import Path

import click

from pipeline.commands.as_json import AS_JSON


@click.command()
@click.option(
    "--workdir",
    type=click.Path(file_okay=False, path_type=Path),
    default="graft-demo",
    show_default=True,
    help="Folder for the demo's data, config and model.",
)
@AS_JSON
def demo(workdir: Path, as_json: bool) -> int:
    """Run the whole pipeline on handwritten digits, offline."""
    from pipeline.session import run_demo, show

    return show(run_demo(workdir), as_json)
