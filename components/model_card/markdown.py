"""A card as Markdown: the same facts as its JSON, in the order in which people ask.

A new section is a function here and its line in `_SECTIONS`.
"""

from collections.abc import Callable, Iterable, Sequence

from components.model_card.card import Card

_UNSTATED = "not stated"


def to_markdown(card: Card) -> str:
    """Writes a card for people; sections that have nothing to say are left out."""
    parts = [section(card) for section in _SECTIONS]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card: Card) -> str:
    stated = card.stated
    facts = [
        ("Task", card.task + (f", {len(card.classes)} classes" if card.classes else "")),
        ("Made", f"{card.made}, run {card.run_id}"),
        ("Owner", stated.owner or _UNSTATED),
        ("Licence", stated.licence or _UNSTATED),
        ("Config", card.config_digest),
        ("Made with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
    ]
    return f"# {_text(card.name)}\n\n" + _table(("", ""), facts)


def _use(card: Card) -> str:
    return "## Intended use\n" + _text(card.stated.intended_use or _UNSTATED + ".")


def _limits(card: Card) -> str:
    return "## Limits\n" + _bullets(card.limits) if card.limits else ""


def _inputs(card: Card) -> str:
    rows = [
        (one.name, one.kind, one.handle or "-", one.licence or _UNSTATED, one.missing)
        if one.handle
        else (one.name, one.kind, "-", "-", one.missing)
        for one in card.features
    ]
    heading = ("Feature", "Kind", "Backbone", "Its licence", "Missing values")
    digests = [f"{one.name}: {one.digest}" for one in card.features if one.digest]
    after = "\n\nContent of the backbones:\n" + _bullets(digests) if digests else ""
    return "## Inputs\n" + _table(heading, rows) + after


def _data(card: Card) -> str:
    data = card.data
    text = f"## Data\n{_text(data.source)}"
    if data.fingerprint:
        text += f"; fingerprint {data.fingerprint}"
    if data.spans:
        names = [
            one.name + (f", version {one.version}" * (one.version is not None))
            for one in data.spans
        ]
        text += f"\n\nSpans: {'; '.join(names)}"
    text += "\n\n" + _table(
        ("Split", "Examples"), [(split, f"{count:,}") for split, count in data.examples.items()]
    )
    if data.classes:
        rows = [
            (name, *(f"{counts.get(split, 0):,}" for split in data.examples))
            for name, counts in data.classes.items()
        ]
        text += "\n\n" + _table(("Class", *data.examples), rows)
    counts = [
        f"{what} in {feature}, {split}: {count:,}"
        for what, by_feature in (("without a value", data.missing), ("cut short", data.truncated))
        for feature, splits in by_feature.items()
        for split, count in splits.items()
        if count
    ]
    notes = [*counts, *data.notes]
    if data.quarantined:
        notes.append(f"{data.quarantined:,} examples could not be read and were set aside")
    return text + ("\n\n" + _bullets(notes) if notes else "")


def _training(card: Card) -> str:
    training = card.training
    settings = [(key, str(value)) for key, value in training.settings.items()]
    text = f"## Training\n{training.epochs} epochs.\n\n" + _table(("Setting", "Value"), settings)
    return text + ("\n\n" + _bullets(training.notes) if training.notes else "")


def _verdict(card: Card) -> str:
    word = "blessed" if card.blessed else "not blessed"
    return f"## Verdict: {word}\n" + _bullets(card.thresholds)


def _figures(card: Card) -> str:
    names = list(dict.fromkeys(name for one in card.metrics.values() for name in one))
    columns = {**card.metrics, **({"eval, baseline": card.baseline} if card.baseline else {})}
    rows = [(name, *(_number(one.get(name)) for one in columns.values())) for name in names]
    text = "## Figures\n" + _table(("Metric", *columns), rows)
    for split, classes in card.by_class.items():
        each = [
            (one.name, f"{one.examples:,}", _number(one.precision), _number(one.recall))
            for one in classes
        ]
        text += f"\n\nEach class, {split}:\n\n"
        text += _table(("Class", "Examples", "Precision", "Recall"), each)
    return text


def _slices(card: Card) -> str:
    parts = []
    for split, slices in card.slices.items():
        names = list(dict.fromkeys(name for one in slices for name in one.metrics))
        rows = [
            (
                ", ".join(f"{column} = {value}" for column, value in one.slice.items()),
                *(_number(one.metrics.get(name)) for name in names),
            )
            for one in slices
        ]
        parts.append(f"Slices, {split}:\n\n" + _table(("Slice", *names), rows))
    return "\n\n".join(parts)


def _serving(card: Card) -> str:
    if not card.serving:
        return ""
    return "## Serving\n" + _table(("", ""), list(card.serving.items()))


def _exports(card: Card) -> str:
    if not card.exports:
        return ""
    names = list(dict.fromkeys(name for one in card.exports for name in one))
    rows = [tuple(one.get(name, "-") for name in names) for one in card.exports]
    return "## Exports\n" + _table(names, rows)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) > 1 else f"{value:.4f}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_text(line)}" for line in lines)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines)


def _text(value: str) -> str:
    """Keeps a user's words from being taken for Markdown's or HTML's signs."""
    for sign, harmless in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("\n", " "), ("\r", " ")):
        value = value.replace(sign, harmless)
    return value


_SECTIONS: tuple[Callable[[Card], str], ...] = (
    _head,
    _use,
    _limits,
    _inputs,
    _data,
    _training,
    _verdict,
    _figures,
    _slices,
    _serving,
    _exports,
)
