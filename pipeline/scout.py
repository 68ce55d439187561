"""Compares backbones on the user's own data before a run, with the run's own components.

Each candidate goes through the pipeline as far as the Embedder, so a run with it
afterwards finds everything there. Then the config's head is trained on its vectors.
"""

import json
import posixpath
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.orchestration.local import local_dag_runner
from tfx.proto.orchestration import pipeline_pb2

from components.gate.intervals import wilson
from pipeline.addresses import check_addresses
from pipeline.beam_config import places_of
from pipeline.component_events import ComponentEvents
from pipeline.config import Config
from pipeline.dag import EXAMPLES, build_pipeline
from pipeline.engines.probe import check_engine
from pipeline.lineage import Lineage
from pipeline.local import compile_ir
from pipeline.metadata_store import unlogged_connection
from pipeline.scout_report import Scouted
from pipeline.user_code import importable
from preprocessing import progress
from preprocessing.config import BackboneConfig, EmbeddedFeature
from preprocessing.keras_mode import check_legacy_keras
from trainer.backbones.record import Backbone
from trainer.backbones.vendor import vendor
from trainer.embed import make_embed_fn
from trainer.model_config import EmbedConfig, ModelConfig, RunConfig
from trainer.scout import score_head, time_backbone
from trainer.strategy import check_in_pipeline
from trainer.train import find_files

_EMBEDDER = "Embedder"
_TIMED_EXAMPLES = 256
_CONFIDENCE = 0.95


def scout(
    config: Config, feature: str, candidates: Sequence[BackboneConfig], run_id: str
) -> list[Scouted]:
    """Tries each candidate.

    Args:
        config: The user's config, paths resolved.
        feature: Whose backbone is looked for.
        candidates: The backbones.
        run_id: Names the runs in the metadata.

    Returns:
        What came of each, the best first.

    Raises:
        GraftError: If a backbone, the data, an address or the workers cannot be used.
    """
    check_legacy_keras()
    # Beam parses this process's command line, which is ours and not its own.
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        with ComponentEvents() as events, importable(config.base):
            # It pushes nothing.
            check_addresses(config.model_copy(update={"push": None}))
            check_in_pipeline(config.train.strategy)
            check_engine(config.beam, config.base, places_of(config))
            tried = [
                _try(_with_backbone(config, feature, one), feature, f"{run_id}-{number}", events)
                for number, one in enumerate(candidates, start=1)
            ]
    finally:
        sys.argv = arguments
    return sorted(tried, key=lambda one: -one.value)


def _with_backbone(config: Config, feature: str, backbone: BackboneConfig) -> Config:
    changed = config.features[feature].model_copy(update={"backbone": backbone})
    copy = config.model_copy(update={"features": {**config.features, feature: changed}})
    copy._base = config.base
    return copy


def _try(config: Config, feature: str, run_id: str, events: ComponentEvents) -> Scouted:
    store = config.local_folder / "backbones"
    backbones = {
        name: vendor(one.backbone, store, config.base, one.kind)
        for name, one in config.features.items()
        if isinstance(one, EmbeddedFeature)
    }
    progress.note(f"{backbones[feature].handle}")
    ir = compile_ir(build_pipeline(config, backbones, cache=True), run_id)
    with unlogged_connection():
        local_dag_runner.LocalDagRunner().run_with_ir(_cut_after(ir, _EMBEDDER))
    lineage = Lineage(config, run_id)
    tried = _judge(config, backbones, feature, lineage)
    if events.states[_EMBEDDER] == "cached":
        # What stands in the artifact is what the run that made it has computed.
        return tried.model_copy(update={"new": 0, "kept": tried.new + tried.kept})
    return tried


def _cut_after(ir: pipeline_pb2.Pipeline, last: str) -> pipeline_pb2.Pipeline:
    """Leaves the node and all that it needs; a partial run of TFX's would start from an old run."""
    nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}
    needed, found = set(), [last]
    while found:
        name = found.pop()
        needed.add(name)
        found += nodes[name].upstream_nodes
    for node in [one for one in ir.nodes if one.pipeline_node.node_info.id not in needed]:
        ir.nodes.remove(node)
    for name in needed:
        kept = [one for one in nodes[name].downstream_nodes if one in needed]
        nodes[name].downstream_nodes[:] = kept
    return ir


def _judge(
    config: Config, backbones: Mapping[str, Backbone], feature: str, lineage: Lineage
) -> Scouted:
    graph, examples, vectors = (
        str(lineage.uri(node, key))
        for node, key in (
            ("Transform", "transform_graph"),
            (EXAMPLES, "examples"),
            (_EMBEDDER, "embeddings"),
        )
    )
    model = ModelConfig(features=config.features, backbones=dict(backbones), label=config.label)
    train, evaluation = (
        [posixpath.join(vectors, f"Split-{split}", "*")] for split in ("train", "eval")
    )
    run = RunConfig(**dict(model), train=config.train)
    score = score_head(run, find_files(graph, train, evaluation))
    count = _read_json(examples, "ingest.json")["examples"]["eval"]
    interval = wilson(score.value * count, count, _CONFIDENCE) if score.is_share else None
    embedding = make_embed_fn(graph, EmbedConfig(**dict(model)).model_dump_json())
    files = sorted(tf.io.gfile.glob(posixpath.join(examples, "Split-train", "*")))
    records = tf.data.TFRecordDataset(files).take(_TIMED_EXAMPLES)
    counts = _read_json(vectors, "embedder.json")["vectors"][feature]
    return Scouted(
        handle=backbones[feature].handle,
        metric=score.name,
        value=score.value,
        interval=interval,
        eval_examples=count,
        seconds_per_1000=time_backbone(embedding, feature, records),
        width=backbones[feature].feature_width,
        bytes=_size(backbones[feature].path),
        new=counts["new"],
        kept=counts["kept"],
    )


def _read_json(folder: str, name: str) -> Any:
    with tf.io.gfile.GFile(posixpath.join(folder, name)) as file:
        return json.load(file)


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
