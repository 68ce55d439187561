"""`graft run`: its options, and what of them may not go together."""

import click

from pipeline.commands.as_json import AS_JSON
from preprocessing.errors import UsageError, explain


@click.command()
@click.argument("config", type=click.Path(dir_okay=False))
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a value of the config, such as train.epochs=5; may be repeated.",
)
@click.option("--span", metavar="N", help="Take this span of the data for the last one.")
@click.option("--no-cache", is_flag=True, help="Do everything again, even what did not change.")
@click.option(
    "--rebaseline",
    is_flag=True,
    help="Do not compare with the last blessed model; a model that is blessed takes its place.",
)
@click.option("--resume", is_flag=True, help="Go on with the last run, which ended early.")
@AS_JSON
def run(
    config: str,
    overrides: tuple[str, ...],
    span: str | None,
    no_cache: bool,
    rebaseline: bool,
    resume: bool,
    as_json: bool,
) -> int:
    """Run the pipeline that CONFIG describes, from data to a pushed model."""
    from pipeline.config import load_config

    if resume and no_cache:
        what = "--resume takes over what is finished, and --no-cache does everything again"
        raise UsageError(explain(what, "--resume --no-cache", ["--resume", "--no-cache"]))
    if span is not None:
        overrides = (*overrides, f"data.spans.to={span}")
    checked = load_config(config, overrides)
    from pipeline.session import run_pipeline, show

    summary = run_pipeline(checked, cache=not no_cache, rebaseline=rebaseline, resume=resume)
    return show(summary, as_json)
