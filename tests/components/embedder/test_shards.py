"""Shards: every example once, in order, each content computed once, never half a file."""

import numpy as np
import pytest
import tensorflow as tf

from components.embedder.fill import open_spaces
from components.embedder.shards import (
    Shard,
    cut_pieces,
    embed_shards,
    group_shards,
    read_serialized,
)
from components.embedder.store import namespace
from preprocessing.errors import DataError
from trainer.embed import Scanned


@pytest.fixture
def embed(tmp_path, doubling, write_shard):
    """Embeds numbers, a list a shard; gives what was written, and counted."""

    def run(*lists, views=0, store="", suffix="", embedding=doubling, read=read_vectors, **how):
        shards = []
        for number, numbers in enumerate(lists):
            source = write_shard(tmp_path / f"shard-{number}{suffix}", numbers)
            target = str(tmp_path / "out" / f"shard-{number}")
            shards.append(Shard("train", source, target, views, len(numbers)))
        done = []
        spaces = open_spaces(str(store) if store else "", embedding, "code")
        counts = embed_shards(shards, embedding, spaces, done.append, **how)
        assert sum(done) == sum(shard.rows for shard in shards)
        return [read(shard.target) for shard in shards], summed(counts)

    return run


def read_vectors(path):
    columns = {
        "image": tf.io.FixedLenFeature([2], tf.float32),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    parsed = [tf.io.parse_single_example(one, columns) for one in read_serialized(path)]
    return [(int(one["label"]), one["image"].numpy().tolist()) for one in parsed]


def summed(counts):
    return {(what, key): count for what, _, key, count in counts if count}


def vectors_of(numbers, views=0):
    return [
        (number, [2.0 * number + 1000 * view, 2.0 * number + 1000 * view + 1])
        for number in numbers
        for view in range(views + 1)
    ]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_every_example_gets_its_vector_in_order(embed, suffix):
    (vectors,), counts = embed(range(10), suffix=suffix)
    assert vectors == vectors_of(range(10))
    assert counts == {("vectors", "new"): 10, ("truncated", "train"): 4}


def test_a_content_is_computed_once_however_often_it_comes(embed, doubling):
    shards, counts = embed([5, 6, 5], [6, 7, 5])
    assert shards == [vectors_of([5, 6, 5]), vectors_of([6, 7, 5])]
    assert doubling.computed == [5, 6, 7]
    assert counts == {
        ("vectors", "new"): 3,
        ("vectors", "duplicates"): 3,
        ("truncated", "train"): 2,
    }


def test_views_follow_on_their_example_and_are_kept_as_well(embed, doubling, tmp_path):
    (first,), _ = embed([3, 4], views=2, store=tmp_path / "store")
    assert first == vectors_of([3, 4], views=2)
    (again,), counts = embed([4, 5], views=2, store=tmp_path / "store")
    assert again == vectors_of([4, 5], views=2)
    assert doubling.computed == [3, 4, 5]
    assert counts == {("vectors", "new"): 3, ("vectors", "kept"): 3}


def test_a_second_pass_computes_what_is_new_alone(embed, doubling, tmp_path):
    embed(range(100), store=tmp_path / "store")
    doubling.computed.clear()
    (vectors,), counts = embed([*range(100), 500], store=tmp_path / "store")
    assert vectors == vectors_of([*range(100), 500])
    assert doubling.computed == [500]
    assert counts["vectors", "kept"] == 100


def test_what_was_computed_before_a_failure_is_not_computed_again(
    embed, make_doubling, tmp_path, monkeypatch
):
    monkeypatch.setattr(namespace, "SEGMENT_ROWS", 2)
    failing = make_doubling(fail_after=7)
    with pytest.raises(RuntimeError, match="out of memory"):
        embed(range(10), store=tmp_path / "store", embedding=failing)
    assert not list(tmp_path.glob("out/*"))
    going_on = make_doubling()
    (vectors,), counts = embed(range(10), store=tmp_path / "store", embedding=going_on)
    assert vectors == vectors_of(range(10))
    assert going_on.computed == [6, 7, 8, 9]
    assert counts["vectors", "kept"] == 6


def test_a_vector_that_is_no_number_is_written_and_not_kept(
    embed, doubling, make_doubling, tmp_path, monkeypatch
):
    """A fault of the moment must not stay; the Trainer refuses what is there now."""
    faulty = make_doubling()
    whole = faulty.embed

    def embed_badly(name, wanted):
        for one in whole(name, wanted):
            yield one._replace(vectors=one.vectors + (np.nan if faulty.computed[-1] == 3 else 0))

    monkeypatch.setattr(faulty, "embed", embed_badly)
    (vectors,), _ = embed(range(5), store=tmp_path / "store", embedding=faulty)
    assert [number for number, vector in vectors if np.isnan(vector).any()] == [3]
    (vectors,), _ = embed(range(5), store=tmp_path / "store")
    assert vectors == vectors_of(range(5))
    assert doubling.computed == [3]


def test_a_vector_that_does_not_come_is_told(embed, make_doubling, monkeypatch):
    lossy = make_doubling()
    whole = lossy.embed
    monkeypatch.setattr(lossy, "embed", lambda *asked: list(whole(*asked))[1:])
    with pytest.raises(RuntimeError, match="of 'image' gave 4 vectors of 5 examples"):
        embed(range(5), embedding=lossy)


def test_a_failure_leaves_no_half_file(embed, make_doubling, tmp_path):
    failing = make_doubling(fail_after=7)
    with pytest.raises(RuntimeError, match="out of memory"):
        embed(range(10), embedding=failing, held_bytes=3 * 8)
    assert not [*tmp_path.glob("out/*"), *tmp_path.glob("out/.*")]


def test_memory_for_a_few_vectors_is_enough(embed):
    # Eight bytes a vector: three at a time.
    shards, _ = embed(range(10), range(20, 22), [], range(30, 34), views=1, held_bytes=3 * 8)
    wanted = [range(10), range(20, 22), [], range(30, 34)]
    assert shards == [vectors_of(one, views=1) for one in wanted]


def test_pieces_hold_what_is_allowed_and_all_of_it():
    shards = [Shard("train", str(n), "", 1, n) for n in (3, 0, 5)]
    pieces = list(cut_pieces(shards, 8))
    assert [[(one.start, one.examples) for one in some] for some in pieces] == [
        [(0, 3), (0, 0), (0, 1)],
        [(1, 4)],
    ]


def test_small_shards_go_together():
    shards = [Shard("train", str(n), "", 0, n) for n in (3, 4, 2, 20, 1)]
    groups = group_shards(shards, 8)
    assert [[one.examples for one in group] for group in groups] == [[3, 4], [2], [20], [1]]


def test_examples_without_picture_or_text_need_no_backbone(tmp_path, doubling, write_shard):
    doubling.columns = {}
    doubling.scan = lambda serialized: Scanned({"label": np.arange(len(serialized))}, {})
    target = str(tmp_path / "out" / "shard")
    shard = Shard("train", write_shard(tmp_path / "shard", range(3)), target, 0, 3)
    done = []
    assert list(embed_shards([shard], doubling, {}, done.append)) == []
    assert done == [3]
    column = {"label": tf.io.FixedLenFeature([], tf.int64)}
    read = [tf.io.parse_single_example(one, column) for one in read_serialized(target)]
    assert [int(one["label"]) for one in read] == [0, 1, 2]


def test_an_empty_shard_gives_an_empty_file(embed):
    (vectors,), counts = embed([])
    assert vectors == []
    assert counts == {}


def test_whole_numbers_stay_whole_and_floats_are_lists():
    from components.embedder.wire import to_examples

    columns = {"image": np.array([[0.5, 1.5]], np.float32), "label": np.array([-1])}
    (serialized,) = to_examples(columns)
    feature = tf.train.Example.FromString(serialized).features.feature
    assert list(feature["image"].float_list.value) == [0.5, 1.5]
    assert list(feature["label"].int64_list.value) == [-1]


def test_vectors_as_float16_take_half_the_space_and_stay_what_they_are(
    embed, make_doubling, tmp_path
):
    def read(path):
        columns = {"image": tf.io.FixedLenFeature([], tf.string)}
        parsed = [tf.io.parse_single_example(one, columns) for one in read_serialized(path)]
        return [np.frombuffer(one["image"].numpy(), "<f2").tolist() for one in parsed]

    def run():
        embedding = make_doubling(width=500, dtype="float16")
        (first, second), counts = embed(
            [1, 2, 3], [1000], store=tmp_path / "store", embedding=embedding, read=read
        )
        return first + second, counts

    computed, counts = run()
    assert counts["vectors", "new"] == 4
    assert [one[:2] for one in computed] == [[2, 3], [4, 5], [6, 7], [2000, 2001]]
    # Eleven bits: above 2048 the odd numbers are rounded.
    assert computed[3][48:52] == [2048, 2048, 2050, 2052]
    (segment,) = (tmp_path / "store").glob("*/*.vectors")
    assert segment.stat().st_size < 4 * (2 * 500 + 33) + 100
    kept, counts = run()
    assert counts["vectors", "kept"] == 4
    assert kept == computed


def test_a_number_that_float16_does_not_hold_says_what_does(embed, make_doubling, tmp_path):
    with pytest.raises(DataError) as error:
        embed([1, 40_000], store=tmp_path / "store", embedding=make_doubling(dtype="float16"))
    assert str(error.value).splitlines() == [
        "The feature vectors of 'image' hold numbers that are too large for float16, which ends at "
        "65504.",
        "  Received: 80001.0",
        "  Valid: features.image.vectors: float32",
        "  See: docs/feature-store.md",
    ]
