"""What `graft run --resume` goes on with, and what it tells of it.

The work itself is taken over by content, with or without `--resume`: finished
components from TFX's cache, finished shards from the feature store, a training
from its checkpoint. Here stands which run that is, whether there is one at all,
and in what the new run differs. Imports no TensorFlow.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.config import Config
from pipeline.run_record import Begun, PastRun, differences, list_runs
from preprocessing.errors import UsageError, explain

# A person reads a few; begun.json holds the whole config of each run.
_SHOWN = 5


class HowFar(NamedTuple):
    """How far a run had come.

    Attributes:
        finished: Components that had finished, in their order.
        inside: The one that it was in; None between two.
    """

    finished: Sequence[str] = ()
    inside: str | None = None


def find_resumable(config: Config) -> PastRun:
    """Finds the run to go on with: the pipeline's last one in the working folder.

    Args:
        config: The checked config.

    Raises:
        UsageError: If there is none that ended early.
    """
    # Configs side by side share a working folder.
    runs = [one for one in list_runs(config.local_folder) if one.begun.name == config.name]
    if not runs:
        what = (
            f"There is nothing to resume: no run of {config.name} was begun in this working folder"
        )
        raise UsageError(explain(what, str(config.local_folder), see="workdir in the config"))
    if runs[-1].ending == "through":
        what = f"There is nothing to resume: the last run of {config.name} went through"
        raise UsageError(explain(what, runs[-1].begun.run_id, see="graft run without --resume"))
    return runs[-1]


def describe(past: PastRun, far: HowFar) -> str:
    """Says in one line what is gone on with.

    Args:
        past: The run.
        far: How far it had come.
    """
    if far.inside:
        where = f"in the {far.inside}"
    elif far.finished:
        where = f"after the {far.finished[-1]}"
    else:
        where = "before its first component"
    count = len(far.finished)
    components = f"{count or 'no'} component{'' if count == 1 else 's'}"
    return f"resumes run {past.begun.run_id}, {past.ending} {where}; {components} finished"


def describe_changes(before: Begun, config: Config, *, rebaseline: bool) -> list[str]:
    """Says in what this run differs from the one that it goes on with.

    What a change touches is done again and the rest is taken over, so none is
    forbidden.

    Args:
        before: The run that is gone on with.
        config: This run's config.
        rebaseline: This run's.

    Returns:
        A line for each changed key, and others where options differ; none if
        nothing does.
    """
    changed = differences(before.config, config.model_dump(mode="json", by_alias=True))
    lines = [f"  {key}: {old} is now {new}" for key, (old, new) in list(changed.items())[:_SHOWN]]
    if len(changed) > _SHOWN:
        lines.append(f"  ... and {len(changed) - _SHOWN} more")
    if changed:
        lines.insert(0, "its config was another; what depends on these keys is done again:")
    if before.rebaseline != rebaseline:
        had, has = ("with", "without") if before.rebaseline else ("without", "with")
        lines.append(f"it was begun {had} --rebaseline, this one {has}")
    if not before.cache:
        lines.append("it was begun with --no-cache; this one takes over what earlier runs finished")
    return lines
