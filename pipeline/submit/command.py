"""`graft submit`: its options, and what it prints."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("spec", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--parameter",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A value for the pipeline's parameter, such as epochs=5; may be repeated.",
)
@click.option("--wait/--no-wait", "waiting", default=True, help="Follow the run until it ends.")
@click.option("--schedule", is_flag=True, help="Make the spec's schedule instead of a run.")
@click.option("--replace", is_flag=True, help="--schedule: in place of one of the same name.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")
def submit(
    spec: Path,
    parameters: tuple[str, ...],
    waiting: bool,
    schedule: bool,
    replace: bool,
    as_json: bool,
) -> None:
    """Run SPEC, which `graft compile` wrote, on Vertex AI or Kubeflow Pipelines."""
    if replace and not schedule:
        raise click.UsageError("--replace says what --schedule may do: add it")
    from pipeline.submit.request import read_request
    from pipeline.submit.submit import submit_request

    request = read_request(spec, parameters)
    result = submit_request(request, waiting=waiting, schedule=schedule, replace=replace)
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    what = "scheduled" if schedule else result["state"]
    click.echo(f"{result['name']}: {what}")
    click.echo(f"  Id   {result['id']}\n  See  {result['url']}")
