"""What an engine's workers gain and cost: the Embedder of a finished run, again, with no store.

    python -m benchmarks.beam_embedder WORKDIR CONFIG [KEY=VALUE …] [--cluster FOLDER]

WORKDIR is of a finished run; the engine is that of CONFIG, with what is set. Prints
seconds by the clock and of CPU: this process's, and those of a cluster that
deploy/ has brought up (FOLDER is where its pids are, such as .flink).
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


def main() -> None:
    """Measures once and prints a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workdir", type=Path)
    parser.add_argument("config")
    parser.add_argument("changes", nargs="*")
    parser.add_argument("--cluster", type=Path)
    options = parser.parse_args()
    from pipeline.config import load_config

    config = load_config(options.config, options.changes)
    with tempfile.TemporaryDirectory(dir=options.workdir) as folder:
        do = prepare(options.workdir, config.beam.beam_args(config.base), folder)
        spent, own, began = cpu_of(options.cluster), time.process_time(), time.monotonic()
        do()
        seconds, own = time.monotonic() - began, time.process_time() - own
        spent = cpu_of(options.cluster) - spent
    engine = " ".join(options.changes) or config.beam.kind
    sys.stdout.write(
        f"{engine}: {seconds:.0f} s, CPU {own:.0f} s here, {spent:.0f} s in the cluster\n"
    )


def prepare(workdir: Path, beam_args: Sequence[str], folder: str) -> Callable[[], None]:
    """Gives a call that does what the run's Embedder did."""
    from tfx.types import artifact_utils, standard_artifacts

    from components.embedder.executor import Executor
    from pipeline.lineage import node_of, open_store

    store = open_store(workdir / "metadata.sqlite")
    executions = [one for one in store.get_executions() if node_of(store, one.id) == "Embedder"]
    values = max(executions, key=lambda one: one.id).custom_properties
    names = ("embed_fn", "config", "views", "vectors_digest")
    properties = {name: getattr(values[name], values[name].WhichOneof("value")) for name in names}
    examples = standard_artifacts.Examples()
    examples.uri = last(workdir / "artifacts" / "ExampleGen" / "examples")
    splits = sorted(one.name.removeprefix("Split-") for one in Path(examples.uri).glob("Split-*"))
    examples.split_names = artifact_utils.encode_split_names(splits)
    graph, embeddings = standard_artifacts.TransformGraph(), standard_artifacts.Examples()
    graph.uri = last(workdir / "artifacts" / "Transform" / "transform_graph")
    embeddings.uri = folder
    context = Executor.Context(beam_pipeline_args=list(beam_args), tmp_dir=folder, unique_id="1")
    inputs = {"examples": [examples], "transform_graph": [graph]}
    return lambda: Executor(context).Do(
        inputs, {"embeddings": [embeddings]}, {**properties, "store": ""}
    )


def last(folder: Path) -> str:
    """The newest of a node's artifacts."""
    return str(max(folder.iterdir(), key=lambda one: int(one.name)))


def cpu_of(cluster: Path | None) -> float:
    """CPU seconds of a cluster's processes and of their children, ended or not."""
    from deploy import processes

    pids = [processes.pid_of(cluster, one.stem) for one in cluster.glob("*.pid")] if cluster else []
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = processes.stat_of(int(stat.parent.name))
        # A child that is alive is of the group that its process leads.
        if fields and (int(stat.parent.name) in pids or int(fields[1]) in pids):
            ticks += sum(map(int, fields[10:14]))
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
