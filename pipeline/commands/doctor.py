"""`graft doctor`: what is wrong with this machine."""

import dataclasses

import click

from pipeline.commands.as_json import AS_JSON, echo_json


@click.command()
@AS_JSON
def doctor(as_json: bool) -> int:
    """Say what is wrong with this machine and how to mend it."""
    from pipeline.doctor import run_checks
    from pipeline.render import render_checks
    from pipeline.session import console

    with console(stderr=True).status("Looking at this machine; importing TFX takes a while"):
        checks = run_checks()
    if as_json:
        echo_json([dataclasses.asdict(check) for check in checks])
    else:
        render_checks(checks, console())
    return 1 if any(check.status == "fail" for check in checks) else 0
