"""Properties that splits must have whatever the data."""

import collections
import dataclasses
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.inspect import Inspected
from components.example_gen.rows import Row
from components.example_gen.splits import (
    Member,
    apportion,
    assign_splits,
    members_of,
    planned_splits,
)
from preprocessing.config import LabelConfig

RATIO = {"train": 8, "eval": 1, "test": 1}

RATIOS = st.fixed_dictionaries(
    {"train": st.integers(1, 20), "eval": st.integers(1, 20), "test": st.integers(0, 20)}
)


def _digest(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def _distinct(count: int, label: str = "a") -> list[Member]:
    return [Member(_digest((label, number)), label) for number in range(count)]


MEMBERS = st.lists(
    st.builds(
        Member,
        content=st.integers(0, 30).map(_digest),
        label=st.sampled_from("abc"),
        split=st.none(),
        group=st.none() | st.sampled_from(["x", "y", "z"]),
    ),
    min_size=1,
    max_size=60,
)


@given(total=st.integers(0, 1000), ratio=RATIOS)
def test_apportioning_adds_up_and_is_within_one_of_the_exact_share(total, ratio):
    parts = apportion(total, ratio)
    assert sum(parts.values()) == total
    whole = sum(ratio.values())
    for name, part in parts.items():
        assert abs(part - total * ratio[name] / whole) < 1


@pytest.mark.parametrize(
    ("total", "parts"),
    [(10, (8, 1, 1)), (100, (80, 10, 10)), (1, (1, 0, 0)), (5, (4, 1, 0)), (15, (12, 2, 1))],
)
def test_apportioning_by_hand(total, parts):
    assert tuple(apportion(total, RATIO).values()) == parts


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4), ratio=RATIOS)
def test_shares_of_distinct_examples_are_exact_in_each_class(sizes, ratio):
    members = [m for label, size in enumerate(sizes) for m in _distinct(size, str(label))]
    counts = collections.Counter(
        zip((m.label for m in members), assign_splits(members, ratio), strict=True)
    )
    for label, size in enumerate(sizes):
        expected = apportion(size, ratio)
        if expected["train"]:
            assert {name: counts[str(label), name] for name in expected} == expected
        else:
            assert counts[str(label), "train"] == 1


@given(members=MEMBERS, ratio=RATIOS, stratify=st.booleans())
def test_contents_and_groups_never_part(members, ratio, stratify):
    places = collections.defaultdict(set)
    for member, split in zip(members, assign_splits(members, ratio, stratify), strict=True):
        places["content", member.content].add(split)
        if member.group:
            places["group", member.group].add(split)
    assert all(len(splits) == 1 for splits in places.values())


@given(members=MEMBERS, ratio=RATIOS, stratify=st.booleans(), seed=st.integers(0, 99))
def test_order_does_not_matter(members, ratio, stratify, seed):
    def by_member(some: list[Member]) -> set:
        return set(zip(some, assign_splits(some, ratio, stratify), strict=True))

    shuffled = random.Random(seed).sample(members, len(members))
    assert by_member(shuffled) == by_member(members)


@given(members=MEMBERS, ratio=RATIOS, stratify=st.booleans())
def test_every_class_can_be_learnt(members, ratio, stratify):
    splits = assign_splits(members, ratio, stratify)
    trained = {m.label for m, split in zip(members, splits, strict=True) if split == "train"}
    assert trained == {member.label for member in members}


def test_without_a_test_share_there_is_no_test_split():
    splits = assign_splits(_distinct(50), {"train": 4, "eval": 1, "test": 0})
    assert collections.Counter(splits) == {"train": 40, "eval": 10}


def test_one_more_picture_moves_at_most_two_others():
    members = _distinct(200)
    before = assign_splits(members, RATIO)
    for number in range(20):
        after = assign_splits([*members, Member(_digest(("new", number)), "a")], RATIO)
        assert sum(old != new for old, new in zip(before, after, strict=False)) <= 2


def test_large_groups_reach_every_split():
    members = [Member(_digest(n), "a", group=f"group {n // 10}") for n in range(1000)]
    counts = collections.Counter(assign_splits(members, RATIO))
    assert counts["train"] == pytest.approx(800, abs=10)
    assert counts["eval"] == pytest.approx(100, abs=10)


def _given(split: str, count: int) -> list[Member]:
    return [Member(_digest((split, number)), "a", split) for number in range(count)]


def test_given_splits_are_kept():
    members = _given("train", 7) + _given("eval", 2) + _given("test", 3)
    assert assign_splits(members, RATIO) == [member.split for member in members]


def test_a_missing_eval_split_is_cut_from_train_and_test_stays():
    members = _given("train", 90) + _given("test", 40)
    splits = assign_splits(members, RATIO)
    assert collections.Counter(splits) == {"train": 80, "eval": 10, "test": 40}
    assert set(splits[90:]) == {"test"}


def test_a_missing_test_split_is_not_made_up_where_splits_are_given():
    assert "test" not in assign_splits(_given("train", 50) + _given("eval", 9), RATIO)
    assert "test" not in assign_splits(_given("train", 50), RATIO)


def test_no_examples_have_no_splits():
    assert assign_splits([], RATIO) == []


@pytest.mark.parametrize(
    ("given", "test_share", "expected"),
    [
        ({None}, 1, ("train", "eval", "test")),
        ({None}, 0, ("train", "eval")),
        ({"train", "test"}, 1, ("train", "eval", "test")),
        ({"train"}, 1, ("train", "eval")),
        ({"train", "eval"}, 1, ("train", "eval")),
    ],
)
def test_the_splits_there_will_be_are_known_before_any_picture_is_read(given, test_share, expected):
    assert planned_splits(given, {"train": 8, "eval": 1, "test": test_share}) == expected


SEVERAL = LabelConfig(task="multilabel")


def _labelled(labels: list[str]) -> list[Inspected]:
    return [Inspected(Row(str(n), {"note": str(n)}, label), {}) for n, label in enumerate(labels)]


def test_sets_of_labels_are_stratified_where_they_are_frequent():
    labels = ["a|b", "b|a"] * 25 + ["c"] * 10 + ["d|e"] * 9 + ["f"]
    members = members_of(_labelled(labels), SEVERAL)
    assert collections.Counter(member.label for member in members) == {"a\nb": 50, "c": 10, "": 10}
    splits = assign_splits(members, RATIO)
    counts = collections.Counter(zip((m.label for m in members), splits, strict=True))
    assert counts["a\nb", "eval"] == 5
    assert counts["c", "eval"] == 1


@given(
    sets=st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1), min_size=1, max_size=40),
    ratio=RATIOS,
)
def test_each_of_several_labels_can_be_learnt(sets, ratio):
    members = members_of(_labelled(["|".join(one) for one in sets]), SEVERAL)
    splits = assign_splits(members, ratio)
    trained = {
        label for one, split in zip(sets, splits, strict=True) if split == "train" for label in one
    }
    assert trained == set().union(*sets)


def test_numbers_are_not_stratified():
    members = members_of(_labelled([str(n) for n in range(100)]), LabelConfig(task="regression"))
    counts = collections.Counter(assign_splits(members, RATIO))
    assert counts == {"train": 80, "eval": 10, "test": 10}


NUMBERS = st.lists(st.integers(0, 60), min_size=1, max_size=30)


@given(ours=NUMBERS, theirs=NUMBERS, ratio=RATIOS)
def test_by_hash_others_have_no_say_in_an_example_s_split(ours, theirs, ratio):
    """But for the one that a class is trained on where it would have none."""
    alone = dict(zip(ours, _by_hash(ours, ratio), strict=True))
    both = [*ours, *theirs]
    together = dict(zip(both, _by_hash(both, ratio), strict=True))
    moved = [one for one in alone if alone[one] != together[one]]
    assert len(moved) <= 1
    assert all(alone[one] == "train" for one in moved)


def _by_hash(numbers: list[int], ratio: dict[str, int]) -> list[str]:
    return assign_splits([Member(_digest(n), "a") for n in numbers], ratio, by_hash=True)


def test_by_hash_the_shares_are_right_on_average():
    splits = collections.Counter(assign_splits(_distinct(10_000), RATIO, by_hash=True))
    assert splits["train"] == pytest.approx(8000, abs=150)
    assert splits["eval"] == pytest.approx(1000, abs=100)


def test_by_hash_a_group_stays_together_and_every_class_is_trained_on():
    members = [dataclasses.replace(one, group="g") for one in _distinct(20)]
    members += [Member(_digest(n), f"class {n}") for n in range(40)]
    splits = assign_splits(members, RATIO, by_hash=True)
    assert len(set(splits[:20])) == 1
    assert set(splits[20:]) == {"train"}


def test_by_hash_eval_is_cut_from_train_where_the_source_has_none():
    members = [dataclasses.replace(one, split="train") for one in _distinct(900)]
    members += [Member(_digest("t"), "a", "test")]
    splits = collections.Counter(assign_splits(members, RATIO, by_hash=True))
    assert splits["test"] == 1
    assert splits["eval"] == pytest.approx(100, abs=40)
