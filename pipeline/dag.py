"""The pipeline as TFX sees it: which components, wired how.

A new component gets its node here and its line in code_digest.CODE_OF.
"""

from collections.abc import Mapping, Sequence

from google.protobuf import text_format
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.transform.component import Transform
from tfx.dsl.components.base import base_node
from tfx.orchestration import pipeline

from components.embedder.component import Embedder
from components.example_gen.component import RowExampleGen
from components.example_gen.config import TfRecordSource
from components.example_gen.screen_component import ExampleScreen, import_records
from components.example_gen.span_component import SpanExampleGen
from components.schema.component import SchemaText
from pipeline.baseline_node import build_baseline
from pipeline.code_digest import digest_code
from pipeline.config import Config
from pipeline.delivery import build_delivery
from pipeline.deploy_config import Target
from pipeline.metadata_store import connection_of
from pipeline.place import Place, find_place
from pipeline.schema import build_schema, write_schema
from pipeline.training import build_training
from preprocessing.inputs import ImageInput
from preprocessing.transform import TransformConfig
from trainer.backbones.record import Backbone
from trainer.config import TrainConfig
from trainer.model_config import EmbedConfig, ModelConfig

Ingest = RowExampleGen | ExampleScreen | SpanExampleGen

EXAMPLES = "ExampleGen"
SCHEMA = "ImportSchemaGen"


def build_pipeline(
    config: Config,
    backbones: Mapping[str, Backbone],
    *,
    cache: bool,
    rebaseline: bool = False,
    resumed: Sequence[str] = (),
    target: Target = "local",
) -> pipeline.Pipeline:
    """Builds the whole pipeline for one run, or for a platform's.

    Args:
        config: The user's config, paths resolved.
        backbones: The vendored backbone of each feature.
        cache: Whether finished work with the same inputs is taken over.
        rebaseline: Whether the gate sets the last blessed model aside.
        resumed: The runs that this one goes on with, the last first; it keeps their
            baseline.
        target: What runs it. Elsewhere than here, the data is not looked at, and
            `backbones` have the paths that tasks find.

    Returns:
        The pipeline, ready for a runner.
    """
    place = find_place(config, target, cache)
    model = ModelConfig(features=config.features, backbones=dict(backbones), label=config.label)
    examples, needed = _ingest(config, place)
    schema = _schema(config, place.here)
    # The schema says which columns are pictures; of those, only presence and
    # size are counted.
    statistics = StatisticsGen(
        examples=examples.outputs["examples"], schema=schema.outputs["schema"]
    )
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="preprocessing.transform.preprocessing_fn",
        materialize=False,
        disable_statistics=True,
        custom_config={
            "transform": _transform_config(config, backbones).model_dump(),
            "code_digest": digest_code("Transform"),
        },
    )
    embedder = Embedder(
        examples=examples.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        embed_fn="trainer.embed.make_embed_fn",
        config=_embed_config(model, config.train).model_dump_json(),
        code_digest=digest_code("Embedder"),
        vectors_digest=digest_code("Vectors"),
        store=place.store,
        views=config.train.views,
    )
    baseline = build_baseline(config, place, resumed)
    last_blessed = baseline.outputs if baseline else {}
    trainer, tuners = build_training(
        config,
        model,
        embedder.outputs["embeddings"],
        transform.outputs["transform_graph"],
        last_blessed.get("model"),
        place.checkpoints,
    )
    nodes = [*needed, examples, statistics, schema, validator, transform, embedder]
    nodes += [*([baseline] if baseline else []), *tuners, trainer]
    nodes += build_delivery(
        config, backbones, examples, embedder, trainer, last_blessed, rebaseline, place
    )
    return pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=place.root,
        components=nodes,
        enable_cache=cache,
        metadata_connection_config=connection_of(config) if place.here else None,
        beam_pipeline_args=list(config.beam.beam_args(config.base)),
    )


def _embed_config(model: ModelConfig, train: TrainConfig) -> EmbedConfig:
    views = {"augment": train.augment, "seed": train.seed} if train.views else {}
    return EmbedConfig(**dict(model), **views)


def _ingest(config: Config, place: Place) -> tuple[Ingest, list[base_node.BaseNode]]:
    """Returns the node that has the examples, and those that it needs."""
    data, features, label = config.data, config.features, config.label
    carry, code, listed = config.carried_columns, digest_code("ExampleGen"), place.here
    if data.window:
        spans = SpanExampleGen(data, features, label, carry, code, place.spans, listed)
        return spans.with_id(EXAMPLES), []
    if not isinstance(data.source, TfRecordSource):
        return RowExampleGen(data, features, label, carry, code, listed).with_id(EXAMPLES), []
    imported = import_records(data)
    records = imported.outputs["examples"]
    screen = ExampleScreen(records, data, features, label, carry, code, listed)
    return screen.with_id(EXAMPLES), [imported]


def _schema(config: Config, here: bool) -> base_node.BaseNode:
    schema = build_schema(config.features, config.label.name, config.carried_columns)
    if here:
        path = write_schema(schema, config.local_folder / "schemas")
        return ImportSchemaGen(schema_file=str(path))
    return SchemaText(text_format.MessageToString(schema)).with_id(SCHEMA)


def _transform_config(config: Config, backbones: Mapping[str, Backbone]) -> TransformConfig:
    inputs = {name: backbone.input for name, backbone in backbones.items()}
    return TransformConfig(
        features=config.features,
        images={name: one for name, one in inputs.items() if isinstance(one, ImageInput)},
        label=config.label,
    )
