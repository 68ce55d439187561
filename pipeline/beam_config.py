"""The `beam:` block: which engine runs Beam's jobs. One module of engines/ for each.

A new engine is a module there, and its record in `BeamConfig`.
"""

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from pipeline.engines.dataflow import DataflowEngine
from pipeline.engines.engine import Places
from pipeline.engines.flink import FlinkEngine
from pipeline.engines.local import LocalEngine
from pipeline.engines.local_processes import LocalProcessesEngine
from pipeline.engines.spark import SparkEngine

if TYPE_CHECKING:
    from pipeline.config import Config

BeamConfig = Annotated[
    Union[LocalEngine, LocalProcessesEngine, FlinkEngine, SparkEngine, DataflowEngine],  # noqa: UP007
    Field(discriminator="kind"),
]


def places_of(config: "Config") -> Places:
    """Lists what the workers of a run must reach."""
    sources = [config.data.source] + ([config.predict.source] if config.predict else [])
    paths = [one.path for one in sources]
    read = [
        path
        for one in paths
        for path in ([one] if isinstance(one, str) else list(one.values()))
        # What a pattern matches is looked at when it is read.
        if not any(sign in path for sign in "*?[{")
    ]
    # Where the backbones are.
    read += [str(config.local_folder)] if "://" in config.workdir else []
    kept = (config.cache.features, config.cache.spans if config.data.window else None)
    return Places(tuple(read), (config.workdir, *filter(None, kept)))
