"""Which example goes into which split, by content alone.

The same data gives the same splits on every machine and in every order, equal
contents never part, and one more picture moves at most a few others.
"""

import collections
import dataclasses
import functools
import hashlib
import itertools
from collections.abc import Collection, Mapping, Sequence

from components.example_gen.config import SPLIT_NAMES
from components.example_gen.inspect import Inspected
from components.example_gen.labels import classes_of
from preprocessing.config import LabelConfig

# Where two remainders are equal: small evaluation splits need it most.
_REMAINDER_ORDER = ("eval", "test", "train")

# Examples with the same set of labels that are worth a cut of their own.
_FREQUENT = 10


@dataclasses.dataclass(frozen=True)
class Member:
    """What decides an example's split.

    Attributes:
        content: Digest of the example's content.
        label: What the cut is stratified by: its class.
        split: The split its source gives, or None.
        group: Its group, or None.
        classes: What train must not lack; None means the label.
    """

    content: str
    label: str
    split: str | None = None
    group: str | None = None
    classes: tuple[str, ...] | None = None


def members_of(inspected: Sequence[Inspected], label: LabelConfig) -> list[Member]:
    """Says what decides each example's split.

    Cuts are stratified by class; where an example has several labels, by the
    whole set of them, the sets with fewer than ten examples together as one;
    where the label is a number, not at all.

    Args:
        inspected: All usable examples.
        label: Its task.

    Returns:
        A member for each, in the same order.
    """
    classes = [classes_of(example.row.label, label) for example in inspected]
    sets = collections.Counter(map(frozenset, classes))
    members = []
    for example, own in zip(inspected, classes, strict=True):
        row = example.row
        rare = label.task == "multilabel" and sets[frozenset(own)] < _FREQUENT
        stratum = "" if rare else "\n".join(sorted(own))
        members.append(Member(example.content, stratum, row.split, row.group, own))
    return members


def assign_splits(
    members: Sequence[Member],
    ratio: Mapping[str, int],
    stratify: bool = True,
    by_hash: bool = False,
) -> list[str]:
    """Assigns a split to each member.

    Members with equal content or the same group form a unit, which stays
    together. Units are ranked by hash and the ranking is cut in the given ratio
    (largest remainder), for each class by itself when stratified; where all
    units are single examples, the shares are exact. A class that would have no
    training example gets its first unit into train.

    Splits that the source gives are kept. Without an eval split among them, one
    is cut from train in the ratio train : eval; a test split is only made where
    the source gives no splits at all.

    By hash, a unit goes where its hash alone falls: shares are right on average,
    and no other example has a say, such as those that come tomorrow.

    Args:
        members: All usable examples; either all have a split or none has.
        ratio: Relative size of train, eval and test.
        stratify: Whether each class is cut by itself.
        by_hash: Whether the hash itself is cut instead of the ranking.

    Returns:
        The split of each member, in the same order.
    """
    given = {member.split for member in members} - {None}
    cut_all = _cut_by_hash if by_hash else functools.partial(_cut, stratify=stratify)
    if not given:
        return cut_all(members, {name: ratio.get(name, 0) for name in SPLIT_NAMES})
    result = [str(member.split) for member in members]
    if "eval" not in given:
        places = [place for place, split in enumerate(result) if split == "train"]
        shares = {name: ratio.get(name, 0) for name in ("train", "eval")}
        cut = cut_all([members[place] for place in places], shares)
        for place, split in zip(places, cut, strict=True):
            result[place] = split
    return result


def planned_splits(given: Collection[str | None], ratio: Mapping[str, int]) -> tuple[str, ...]:
    """Says which splits `assign_splits` will make.

    Args:
        given: The splits that the source gives; None for rows without one.
        ratio: Relative size of train, eval and test.

    Returns:
        Their names, in the usual order.
    """
    brought = set(given) - {None}
    wanted = brought | {"train", "eval"} if brought else {n for n in ratio if ratio[n]}
    return tuple(name for name in SPLIT_NAMES if name in wanted)


def apportion(total: int, ratio: Mapping[str, int]) -> dict[str, int]:
    """Divides a whole number in a ratio, by largest remainder.

    Args:
        total: What is divided.
        ratio: Relative size of each part.

    Returns:
        Whole numbers that add up to `total`, each within 1 of its exact share.
    """
    whole = sum(ratio.values())
    parts = {name: total * share // whole for name, share in ratio.items()}
    order = sorted(
        ratio, key=lambda name: (-(total * ratio[name] % whole), _REMAINDER_ORDER.index(name))
    )
    for name in order[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def _cut(members: Sequence[Member], ratio: Mapping[str, int], stratify: bool) -> list[str]:
    """Cuts the ranking of units, in each class or in all."""
    result = [""] * len(members)
    ranked = sorted(_units(members), key=lambda unit: _rank(members, unit))
    pools: dict[str, list[list[int]]] = collections.defaultdict(list)
    for unit in ranked:
        pools[_label(members, unit) if stratify else ""].append(unit)
    for units in pools.values():
        total = sum(map(len, units))
        ends = list(itertools.accumulate(apportion(total, ratio).values()))
        before = 0
        for unit in units:
            # A unit goes where its middle falls.
            split = next(
                name
                for name, end in zip(ratio, ends, strict=True)
                if 2 * before + len(unit) <= 2 * end
            )
            before += len(unit)
            for place in unit:
                result[place] = split
    _give_every_class_to_train(members, ranked, result)
    return result


def _cut_by_hash(members: Sequence[Member], ratio: Mapping[str, int]) -> list[str]:
    """Cuts the range of hashes."""
    result = [""] * len(members)
    ends = list(itertools.accumulate(ratio.values()))
    ranks = {_rank(members, unit): unit for unit in _units(members)}
    for rank, unit in ranks.items():
        share = int(rank, 16) * ends[-1] >> 256
        split = next(name for name, end in zip(ratio, ends, strict=True) if share < end)
        for place in unit:
            result[place] = split
    _give_every_class_to_train(members, [ranks[rank] for rank in sorted(ranks)], result)
    return result


def _give_every_class_to_train(
    members: Sequence[Member], ranked: Sequence[Sequence[int]], result: list[str]
) -> None:
    classes = [(member.label,) if member.classes is None else member.classes for member in members]
    trained = {
        label
        for own, split in zip(classes, result, strict=True)
        if split == "train"
        for label in own
    }
    for unit in ranked:
        labels = {label for place in unit for label in classes[place]}
        if not labels <= trained:
            trained |= labels
            for place in unit:
                result[place] = "train"


def _units(members: Sequence[Member]) -> list[list[int]]:
    """Joins members with equal content or group, also by way of others."""
    parent = list(range(len(members)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, member in enumerate(members):
        keys = [("content", member.content)]
        if member.group is not None:
            keys.append(("group", member.group))
        for key in keys:
            parent[root(place)] = root(first.setdefault(key, place))
    units: dict[int, list[int]] = collections.defaultdict(list)
    for place in range(len(members)):
        units[root(place)].append(place)
    return list(units.values())


def _rank(members: Sequence[Member], unit: Sequence[int]) -> str:
    """Returns a hash that does not depend on the unit's size.

    The least content would rank large groups first, all of them into train.
    """
    groups = [group for place in unit if (group := members[place].group) is not None]
    name = f"group {min(groups)}" if groups else f"content {members[unit[0]].content}"
    return hashlib.sha256(name.encode()).hexdigest()


def _label(members: Sequence[Member], unit: Sequence[int]) -> str:
    """Returns the unit's commonest label, the first by name where two are."""
    counts = collections.Counter(members[place].label for place in unit)
    return min(counts, key=lambda label: (-counts[label], label))
