"""Real processes on one store: killed, side by side, and while another deletes."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from components.embedder.shards import read_serialized
from components.embedder.store.usage import prune, read_usage
from preprocessing.config import ImageFeature, LabelConfig
from tests.conftest import ROOT
from trainer.model_config import EmbedConfig

pytestmark = pytest.mark.slow

COUNT = 600
# Small segments, and slow enough to be interrupted.
SCRIPT = """
import json, sys, time
from components.embedder.fill import open_spaces
from components.embedder.shards import Shard, embed_shards
from components.embedder.store import namespace
from trainer import embed

namespace.SEGMENT_ROWS = 64
graph, config, source, target, store, count, pause = sys.argv[1:]
embedding = embed.make_embed_fn(graph, open(config).read())
compute = embedding.embed
def slowly(*arguments):
    for batch in compute(*arguments):
        time.sleep(float(pause))
        yield batch
embedding.embed = slowly
spaces = open_spaces(store, embedding, "code")
shard = Shard("train", source, target, 0, int(count))
counts = embed_shards([shard], embedding, spaces, lambda count: None)
print(json.dumps({key: count for what, _, key, count in counts if what == "vectors"}))
"""


@pytest.fixture
def start(tmp_path, transform_graph, mean_colour, picture):
    """Starts embedding; every tenth picture is a duplicate."""
    config = EmbedConfig(
        features={"image": ImageFeature(backbone="hub:any")},
        backbones={"image": mean_colour},
        label=LabelConfig(),
    )
    (tmp_path / "config.json").write_text(config.model_dump_json())
    source = tmp_path / "source"
    with tf.io.TFRecordWriter(str(source)) as writer:
        for number in range(COUNT):
            number -= number % 10 == 9
            raw = {"image": picture([number % 256, number // 256, 7]), "label": b"red"}
            columns = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
                for name, value in raw.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=columns))
            writer.write(example.SerializeToString())

    def run(target, store="store", pause=0.0):
        arguments = (source, tmp_path / target, tmp_path / store, COUNT, pause)
        command = [sys.executable, "-c", SCRIPT, transform_graph, str(tmp_path / "config.json")]
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def counts_of(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


def content(tmp_path, target):
    return [one.numpy() for one in read_serialized(str(tmp_path / target))]


def wait_for_segments(process, tmp_path, count):
    while len(list(tmp_path.glob("store/*/*.vectors"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_a_killed_process_loses_a_segment_at_most_and_the_next_goes_on(start, tmp_path):
    undisturbed = counts_of(start("undisturbed", "other store"))
    assert undisturbed == {"new": 540, "kept": 0, "duplicates": 60, "recomputed": 0}
    killed = start("killed", pause=0.05)
    wait_for_segments(killed, tmp_path, 3)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed").exists()
    kept = read_usage(str(tmp_path / "store"))[0].entries
    assert 3 * 64 <= kept < 540
    again = counts_of(start("again"))
    assert again["new"] == 540 - kept
    assert again["recomputed"] == 0
    assert content(tmp_path, "again") == content(tmp_path, "undisturbed")


def test_two_at_once_do_not_disturb_each_other_nor_does_one_who_deletes(start, tmp_path):
    processes = [start(f"target-{number}", pause=0.02) for number in range(2)]
    wait_for_segments(processes[0], tmp_path, 2)
    prune(str(tmp_path / "store"), 0)
    for process in processes:
        counts = counts_of(process)
        assert sum(counts.values()) == COUNT
        assert counts["recomputed"] == 0
    first, second = (content(tmp_path, f"target-{number}") for number in range(2))
    assert first == second
    assert len(first) == COUNT
    parsed = [tf.train.Example.FromString(one).features.feature for one in first]
    reds = np.array([one["image"].float_list.value[0] for one in parsed])
    numbers = np.arange(COUNT) - (np.arange(COUNT) % 10 == 9)
    np.testing.assert_allclose(reds * 255, numbers % 256, atol=1e-3)
    # What stayed of the store is whole.
    third = counts_of(start("third"))
    assert third["recomputed"] == 0
    assert content(tmp_path, "third") == first
