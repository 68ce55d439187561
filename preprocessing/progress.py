"""How long work tells that it goes on; the command line turns it into bars.

Components never write to the terminal: they log here, and whoever runs them
decides what to show.
"""

import logging

LOGGER = logging.getLogger("graft.progress")

STATES = ("started", "run", "cached", "failed")


def report(stage: str, done: int, total: int, unit: str = "") -> None:
    """Logs that `done` of `total` units of a stage are finished.

    Args:
        stage: The component that works, such as "Embedder".
        done: Units finished so far.
        total: Units in all; 0 when not known.
        unit: What is counted, such as "examples".
    """
    LOGGER.info(
        "%s %d/%d %s",
        stage,
        done,
        total,
        unit,
        extra={
            "graft_stage": stage,
            "graft_done": done,
            "graft_total": total,
            "graft_unit": unit,
        },
    )


def stage(name: str, state: str, seconds: float | None = None) -> None:
    """Logs that a component has begun or ended.

    Args:
        name: The component, such as "Embedder"; the `stage` of its reports.
        state: One of `STATES`.
        seconds: How long it took, where it has ended.
    """
    LOGGER.info(
        "%s %s",
        name,
        state,
        extra={"graft_stage": name, "graft_state": state, "graft_seconds": seconds},
    )


def note(text: str) -> None:
    """Logs a line that whoever follows the run should see, whatever runs.

    Args:
        text: One line.
    """
    LOGGER.info("%s", text, extra={"graft_note": text})
