"""`graft backbones`: which handles may stand in a config."""

import click

from pipeline.commands.as_json import AS_JSON, echo_json


@click.command()
@AS_JSON
def backbones(as_json: bool) -> None:
    """List the backbone handles that are understood."""
    from pipeline.render import render_handles
    from pipeline.session import console
    from trainer.backbones.handles import HANDLE_KINDS

    if as_json:
        echo_json([kind.model_dump() for kind in HANDLE_KINDS])
    else:
        render_handles(HANDLE_KINDS, console())
