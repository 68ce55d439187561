"""`graft compile`: its words and what it says in the end."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from preprocessing.errors import UsageError, explain

if TYPE_CHECKING:
    from pipeline.kubeflow.submit_file import SubmitFile

_SUFFIXES = {"vertex": (".json",), "kubeflow": (".yaml", ".yml")}


@click.command("compile")
@click.argument("config", type=click.Path(dir_okay=False))
@click.option("--target", type=click.Choice(sorted(_SUFFIXES)), required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The spec: .json for vertex, .yaml for kubeflow. FILE.submit.json is written beside it.",
)
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a value of the config, such as deploy.image=NAME; may be repeated.",
)
@click.option(
    "--parameter",
    "values",
    metavar="NAME=VALUE",
    multiple=True,
    help="Another default of a parameter that each run may be given; may be repeated.",
)
@click.option("--rebaseline", is_flag=True, help="Do not compare with the last blessed model.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")
def compile_command(
    config: str,
    target: Literal["vertex", "kubeflow"],
    output: Path,
    overrides: tuple[str, ...],
    values: tuple[str, ...],
    rebaseline: bool,
    as_json: bool,
) -> None:
    """Compile the pipeline that CONFIG describes for Vertex AI or Kubeflow Pipelines.

    Needs no cluster, no credentials and no network; a backbone that the working
    folder does not have yet is fetched as `graft run` would.
    """
    from pipeline.config import load_config

    if output.suffix not in _SUFFIXES[target]:
        what = f"--output for {target} has the ending {_SUFFIXES[target][0]}"
        raise UsageError(explain(what, output.name, [output.stem + _SUFFIXES[target][0]]))
    if output.resolve() == Path(config).resolve():
        what = "--output would overwrite the config"
        raise UsageError(explain(what, str(output), [f"{output.stem}.pipeline{output.suffix}"]))
    given = dict(map(_split, values))
    checked = load_config(config, overrides, must_exist=False)
    from pipeline.kubeflow.checks import check_deploy
    from pipeline.light_imports import light_imports
    from pipeline.user_code import importable

    deploy = check_deploy(checked, target)
    with click.get_current_context().obj(checked.local_folder / "logs" / "compile.log"):
        with light_imports():
            from pipeline.kubeflow.compile import compile_pipeline

        with importable(checked.base):
            submit = compile_pipeline(checked, deploy, target, output, given, rebaseline)
    click.echo(submit.model_dump_json(indent=2) if as_json else _summary(submit, output))


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        what = "--parameter takes a name and a value, such as epochs=5"
        raise UsageError(explain(what, text))
    return name.strip(), value.strip()


def _summary(submit: "SubmitFile", output: Path) -> str:
    parameters = ", ".join(f"{name}={value}" for name, value in submit.parameters.items())
    lines = [
        f"{output}: {submit.name} for {submit.target}, beside it {output.name}.submit.json",
        f"  Image       {submit.image}",
        f"  Root        {submit.pipeline_root}",
        f"  Parameters  {parameters}",
    ]
    lines += [f"  Backbone    {one.target}: copied by graft submit" for one in submit.backbones]
    if submit.schedule:
        lines.append(f"  Schedule    {submit.schedule.cron}")
    return "\n".join([*lines, f"  Next        graft submit {output}"])
