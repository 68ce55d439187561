"""`graft scout`: which backbones are compared, and for whom the answer is."""

import click

from pipeline.commands.as_json import AS_JSON, echo_json


@click.command()
@click.argument("config", type=click.Path(dir_okay=False))
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="As for graft run.")
@click.option("--feature", help="Whose backbones are compared, where several features have one.")
@click.option(
    "--backbone",
    "handles",
    metavar="HANDLE",
    multiple=True,
    help="Compare this one with the config's; may be repeated. Without any, those of `graft "
    "backbones` that are in the working folder already.",
)
@AS_JSON
def scout(
    config: str,
    overrides: tuple[str, ...],
    feature: str | None,
    handles: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare backbones on the data of CONFIG; a run with one finds its vectors there."""
    from pipeline.config import load_config
    from pipeline.scout_report import find_candidates, find_feature, render_scouted

    checked = load_config(config, overrides)
    name = find_feature(checked, feature)
    candidates = find_candidates(checked, name, handles)
    from pipeline.session import console, scout_backbones

    found = scout_backbones(checked, name, candidates)
    if as_json:
        echo_json([one.model_dump() for one in found])
    else:
        render_scouted(found, console())
