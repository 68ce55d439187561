"""`graft rollback`: makes the model of an older version the newest, or lists the versions."""

import json
from typing import TYPE_CHECKING

import click

from serving.quiet import silence_imports

if TYPE_CHECKING:
    from collections.abc import Collection

    from components.pusher.manifest import Manifest
    from components.pusher.rollback import History


@click.command()
@click.argument("path")
@click.option("--to", type=int, metavar="VERSION", help="This version, instead of the one before.")
@click.option("--list", "as_list", is_flag=True, help="Only say which versions there are.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")
def rollback(path: str, to: int | None, as_list: bool, as_json: bool) -> None:
    """Serve an older model again.

    PATH is what the server watches: a folder of versions, or its address. The
    older model is pushed once more, under a new number, for a server serves the
    highest; the version that it is instead of stays, and can be returned to.
    """
    if as_list and to is not None:
        raise click.UsageError("--list and --to exclude each other")
    silence_imports()
    from components.pusher.rollback import find_current, read_history
    from components.pusher.rollback import rollback as roll_back

    if as_list:
        history = read_history(path)
        click.echo(
            _to_json(history) if as_json else _table(history, find_current(history).withdrawn)
        )
        return
    from rich.console import Console

    with Console(stderr=True).status("Copying the version, and loading it as a server would"):
        version = roll_back(path, to)
    click.echo(_to_json([version], one=True) if as_json else _describe(path, version))


def _describe(path: str, manifest: "Manifest") -> str:
    back = manifest.rolled_back
    assert back is not None
    return (
        f"{manifest.version} serves: the model of {back.to_version} again, "
        f"instead of {back.from_version}\n"
        f"  Model       {_where_from(manifest)}\n"
        f"  Metrics     {_metrics(manifest)}\n"
        f"  Undo it     graft rollback {path} --to {back.from_version}"
    )


def _table(history: "History", withdrawn: "Collection[str]") -> str:
    from components.pusher.rollback import Unreadable

    rows = [("Version", "Pushed (UTC)", "Run", "Metrics", "")]
    for one in reversed(history):
        notes = ["serves"] if one is history[-1] else []
        if isinstance(one, Unreadable):
            rows.append((str(one.version), "-", "-", "-", ", ".join([*notes, one.why])))
            continue
        if one.rolled_back:
            back = one.rolled_back
            notes.append(f"rolled back from {back.from_version} to {back.to_version}")
        elif one.model_digest in withdrawn:
            notes.append("rolled back from")
        pushed = one.pushed_at[:19].replace("T", " ") or "-"
        rows.append((str(one.version), pushed, one.run_id or "-", _metrics(one), ", ".join(notes)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _where_from(manifest: "Manifest") -> str:
    run = f"{manifest.name}, run {manifest.run_id}" if manifest.run_id else "of an unknown run"
    return f"{run}, {len(manifest.files)} files, {manifest.bytes / 1e6:.1f} MB"


def _metrics(manifest: "Manifest") -> str:
    """The first metric of each split, which is the one that its task looks at."""
    firsts = [(split, *next(iter(one.items()))) for split, one in manifest.metrics.items() if one]
    return ", ".join(f"{split} {name} {value:.3f}" for split, name, value in firsts) or "-"


def _to_json(history: "History", one: bool = False) -> str:
    """Everything but the files; the last of a list serves."""
    from components.pusher.rollback import Unreadable

    listed = [
        {"version": version.version, "unreadable": version.why}
        if isinstance(version, Unreadable)
        else {**version.model_dump(mode="json", exclude={"files"}), "bytes": version.bytes}
        for version in history
    ]
    return json.dumps(listed[0] if one else listed, indent=2)
