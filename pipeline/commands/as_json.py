"""How commands answer machines."""

import json
from typing import Any

import click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")


def echo_json(value: Any) -> None:
    """Writes what JSON can hold to standard output."""
    click.echo(json.dumps(value, indent=2))
