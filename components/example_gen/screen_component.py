"""Declares how tf.Examples of others come in: imported as they are, then screened.

The stock ImportExampleGen copies and splits the records of a tfrecord source;
ExampleScreen keeps those that can be used.
"""

from collections.abc import Mapping, Sequence

from tfx import types
from tfx.components.example_gen.import_example_gen.component import ImportExampleGen
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.example_gen import screen_executor
from components.example_gen.config import SPLIT_NAMES, DataConfig, SplitsConfig
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.tfrecord import find_files, patterns, source_of
from preprocessing.config import Feature, LabelConfig


def import_records(config: DataConfig) -> ImportExampleGen:
    """Declares the stock component, with the splits that the files bring or by hash.

    Args:
        config: A tfrecord source, and the ratio of splits where it has one path
            for all.

    Returns:
        The component. It passes records on as bytes, since a single one that is
        no tf.Example would stop it otherwise.

    Raises:
        ConfigError: If the source is of another kind, or its paths have no
            folder in common.
    """
    source = source_of(config)
    base, by_split = patterns(source)
    given = [
        example_gen_pb2.Input.Split(name=split or "all", pattern=pattern)
        for split, pattern in by_split.items()
    ]
    return ImportExampleGen(
        input_base=base,
        input_config=example_gen_pb2.Input(splits=given),
        output_config=_cut(config.splits) if isinstance(source.path, str) else None,
        payload_format=example_gen_pb2.FORMAT_PROTO,
    )


def _cut(splits: SplitsConfig) -> example_gen_pb2.Output:
    cut = [
        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=size)
        for name, size in _sizes(splits).items()
    ]
    return example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=cut))


def _sizes(splits: SplitsConfig) -> dict[str, int]:
    sizes = splits.model_dump(include=set(SPLIT_NAMES))
    return {name: size for name, size in sizes.items() if size}


class ExampleScreenSpec(ComponentSpec):
    """What ExampleScreen takes and gives; texts are JSON where not plain."""

    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "columns": ExecutionParameter(type=str),
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
        label: LabelConfig,
        carry: Sequence[str] = (),
        code_digest: str = "",
        listed: bool = True,
    ) -> None:
        """Looks at the source's files, so that its mistakes show before anything runs.

        Args:
            imported: What `import_records` gives.
            config: The source that they were imported from, and limits.
            features: Each feature by name; says which column holds it.
            label: Its column and task.
            carry: Columns that examples keep, such as those of slices.
            code_digest: Digest of our own code, so that a changed line is not
                answered from TFX's cache.
            listed: Whether the files are looked at now.

        Raises:
            ConfigError: If the source is of another kind.
            DataError: If a file is absent, no TFRecord file, or cut short.
        """
        source = source_of(config)
        if listed:
            find_files(source)
        super().__init__(
            ExampleScreenSpec(
                imported=imported,
                config=config.model_dump_json(),
                columns=Columns.of(features, label, carry).model_dump_json(),
                code_digest=code_digest,
                examples=channel.Channel(type=standard_artifacts.Examples),
            )
        )
        wanted = source.path if isinstance(source.path, dict) else _sizes(config.splits)
        self.split_names = tuple(name for name in SPLIT_NAMES if name in wanted)
