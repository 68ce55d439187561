"""Declares ExampleScreen: tf.Examples of others in, those that can be used out."""

import json
from collections.abc import Mapping, Sequence

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.example_gen import screen_executor
from components.example_gen.config import SPLIT_NAMES, DataConfig, TfRecordSource
from components.example_gen.sources.tfrecord import find_files
from preprocessing.config import Feature
from preprocessing.errors import ConfigError, explain


class ExampleScreenSpec(ComponentSpec):
    """What ExampleScreen takes and gives; texts are JSON where not plain."""

    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "features": ExecutionParameter(type=str),
        "label": ExecutionParameter(type=str),
        "carry": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
    }
    INPUTS = {"imported": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class ExampleScreen(base_beam_component.BaseBeamComponent):
    """Sets aside what ImportExampleGen took in and nobody can use.

    Its examples, quarantine.jsonl and ingest.json are those of RowExampleGen, so
    that nothing after it needs to know where examples come from.

    Attributes:
        split_names: The splits that there will be, in the order of SPLIT_NAMES.
    """

    SPEC_CLASS = ExampleScreenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(screen_executor.Executor)

    def __init__(
        self,
        imported: types.BaseChannel,
        config: DataConfig,
        features: Mapping[str, Feature],
        label: str,
        carry: Sequence[str] = (),
        code_digest: str = "",
    ) -> None:
        """Looks at the source's files, so that its mistakes show before anything runs.

        Args:
            imported: Records as they are in the source (FORMAT_PROTO), so that
                those which are no tf.Examples can be set aside as well.
            config: The source that they were imported from, and limits.
            features: Each feature by name, which is its column's.
            label: The label's column.
            carry: Columns that examples keep, such as those of slices.
            code_digest: Digest of our own code, so that a changed line is not
                answered from TFX's cache.

        Raises:
            ConfigError: If the source is of another kind.
            DataError: If a file is absent, no TFRecord file, or cut short.
        """
        if not isinstance(config.source, TfRecordSource):
            what = "data.source.kind: only tf.Examples of others are screened."
            raise ConfigError(explain(what, config.source.kind, ["tfrecord"]))
        find_files(config.source)
        super().__init__(
            ExampleScreenSpec(
                imported=imported,
                config=config.model_dump_json(),
                features=json.dumps({name: feature.kind for name, feature in features.items()}),
                label=label,
                carry=json.dumps(list(carry)),
                code_digest=code_digest,
                examples=channel.Channel(type=standard_artifacts.Examples),
            )
        )
        given = config.source.path
        sizes = config.splits.model_dump() if isinstance(given, str) else given
        self.split_names = tuple(name for name in SPLIT_NAMES if sizes.get(name))
