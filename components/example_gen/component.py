"""Declares RowExampleGen: pictures and tables in, tf.Examples out."""

import json
from collections.abc import Mapping, Sequence

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.example_gen import executor
from components.example_gen.config import DataConfig, derived_columns
from components.example_gen.fingerprint import fingerprint_of
from components.example_gen.shards import SOURCE
from components.example_gen.sources.columns import Columns
from components.example_gen.sources.registry import read_table
from components.example_gen.splits import planned_splits
from preprocessing.config import Feature, LabelConfig
from preprocessing.errors import ConfigError, explain


class RowExampleGenSpec(ComponentSpec):
    """What RowExampleGen takes and gives; texts are JSON where not plain."""

    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "columns": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str),
        "expected": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict = {}
    OUTPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class RowExampleGen(base_beam_component.BaseBeamComponent):
    """Reads an image_folder or csv source into splits of tf.Examples.

    Its `split_names` say, before it runs, which splits there will be.

    Unreadable examples are set aside in the artifact's quarantine.jsonl;
    ingest.json counts what came of the data.
    """

    SPEC_CLASS = RowExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        config: DataConfig,
        features: Mapping[str, Feature],
        label: LabelConfig,
        carry: Sequence[str] = (),
        code_digest: str = "",
        listed: bool = True,
    ) -> None:
        """Lists the source, so that its mistakes show before anything runs.

        Args:
            config: Source, with paths that are absolute or hold for every
                worker; splits and limits.
            features: Each feature by name; says which column holds it.
            label: Its column and task.
            carry: Columns that examples keep, such as those of slices.
            code_digest: Digest of our own code, so that a changed line is not
                answered from TFX's cache.
            listed: Whether the source is listed now. Where tasks run elsewhere it
                may not be reached from here: then it is taken to have the splits
                that the config names, and the executor refuses it if it has not.

        Raises:
            ConfigError: If two columns would have the same name, or the source
                cannot have such columns.
            DataError: If the source is absent, empty or malformed.
        """
        columns = Columns.of(features, label, carry, config.splits.group_by)
        check_names(columns)
        given: set[str | None] = set()
        fingerprint = ""
        if listed:
            table = read_table(config, columns)
            given = {row.split for row in table.rows}
            fingerprint = fingerprint_of(table, columns)
        elif isinstance(config.source.path, dict):
            given = set(config.source.path)
        self.split_names = planned_splits(given, config.splits.model_dump())
        super().__init__(
            RowExampleGenSpec(
                config=config.model_dump_json(),
                columns=columns.model_dump_json(),
                fingerprint=fingerprint,
                code_digest=code_digest,
                expected=None if listed else json.dumps(self.split_names),
                examples=channel.Channel(type=standard_artifacts.Examples),
            )
        )


def check_names(columns: Columns) -> None:
    """Refuses columns of the same name.

    Raises:
        ConfigError: With the first one.
    """
    label = columns.label.name
    derived = {
        column
        for name, feature in columns.features.items()
        for column in derived_columns(name, feature.kind)
    }
    taken = {SOURCE} | derived
    for what, name in [("features", name) for name in columns.features] + [("label.name", label)]:
        if name in taken:
            raise ConfigError(
                explain(f"{what}: examples already have a column of this name.", name)
            )
    if label in columns.features:
        raise ConfigError(explain("label.name: a feature has the same name.", label))
    for name in columns.carry:
        if name in derived or name in columns.features:
            raise ConfigError(
                explain("This column cannot be carried: examples have one of this name.", name)
            )
