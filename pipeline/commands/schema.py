"""`graft schema`: all that may stand in a config, as JSON Schema."""

from pathlib import Path

import click

from preprocessing.errors import UsageError, explain


@click.command()
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write into this file."
)
def schema(output: Path | None) -> None:
    """Print the config's JSON Schema, for editors."""
    from pipeline.json_schema import json_schema_text

    if output is None:
        click.echo(json_schema_text(), nl=False)
        return
    try:
        output.write_text(json_schema_text(), encoding="utf-8")
    except OSError as error:
        what = f"The schema cannot be written: {error.strerror}"
        raise UsageError(explain(what, str(output))) from None
