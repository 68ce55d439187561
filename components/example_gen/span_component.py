"""Declares SpanExampleGen: the last spans of a source in, one set of tf.Examples out."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.example_gen import span_executor
from components.example_gen.component import check_names
from components.example_gen.config import SPLIT_NAMES, DataConfig
from components.example_gen.sources.columns import Columns
from components.example_gen.span_read import open_window, splits_of
from components.example_gen.splits import planned_splits
from preprocessing.config import Feature, LabelConfig


class SpanExampleGenSpec(ComponentSpec):
    """What SpanExampleGen takes and gives; texts are JSON where not plain."""

    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "columns": ExecutionParameter(type=str),
        "window": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
        "store": ExecutionParameter(type=str),
    }
    INPUTS: dict = {}
    OUTPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class SpanExampleGen(base_beam_component.BaseBeamComponent):
    """Reads the spans of a source of any kind; each of them once.

    Its artifact is that of RowExampleGen, with the spans in ingest.json, and the
    number of the newest one as TFX's own drivers say it.

    Attributes:
        split_names: The splits that there will be, in the order of SPLIT_NAMES.
    """

    SPEC_CLASS = SpanExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(span_executor.Executor)

    def __init__(
        self,
        config: DataConfig,
        features: Mapping[str, Feature],
        label: LabelConfig,
        carry: Sequence[str] = (),
        code_digest: str = "",
        store: str = "",
        listed: bool = True,
    ) -> None:
        """Looks for the spans and lists them, so that mistakes show before anything runs.

        Args:
            config: A source with spans, its paths absolute or good for every
                worker; which spans, splits and limits.
            features: Each feature by name; says which column holds it.
            label: Its column and task.
            carry: Columns that examples keep, such as those of slices.
            code_digest: Digest of our own code, so that a changed line is not
                answered from TFX's cache.
            store: Folder or address where spans that were read are kept; empty
                keeps none.
            listed: False where the data is not looked at before the executor runs; who
                runs it must then not cache it, since the data is no part of its parameters.

        Raises:
            ConfigError: If two columns would have the same name, or the source
                cannot have such columns.
            DataError: If there is no such span, or one is empty or malformed.
        """
        columns = Columns.of(features, label, carry, config.splits.group_by)
        check_names(columns)
        ratio = config.splits.model_dump()
        window = fingerprint = ""
        names = set(planned_splits({*_brought(config)}, ratio))
        if listed:
            opened = open_window(config, columns)
            window = json.dumps([one.span.model_dump() for one in opened])
            fingerprint = hashlib.sha256(window.encode()).hexdigest()
            names = {name for one in opened for name in splits_of(one, config)}
        self.split_names = tuple(name for name in SPLIT_NAMES if name in names)
        # However a window was asked for, it is the same one; a platform, though, may
        # lay another value over what is asked for, which has to be there.
        asked = config.model_copy(update={"spans": None if listed else config.window})
        super().__init__(
            SpanExampleGenSpec(
                config=asked.model_dump_json(by_alias=True),
                columns=columns.model_dump_json(),
                window=window,
                fingerprint=fingerprint,
                code_digest=code_digest,
                store=store,
                examples=channel.Channel(type=standard_artifacts.Examples),
            )
        )


def _brought(config: DataConfig) -> list[str]:
    return [] if isinstance(config.source.path, str) else [str(name) for name in config.source.path]
