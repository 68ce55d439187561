"""What `graft scout` compares, and how it shows what came of it; imports no TensorFlow at first."""

from collections.abc import Sequence

from pydantic import Field
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.config import Config
from preprocessing.config import BackboneConfig, EmbeddedFeature, Record
from preprocessing.errors import BackboneError, UsageError, explain
from trainer.backbones.handles import HANDLE_KINDS, parse_handle
from trainer.backbones.record import Modality

_SEE = "graft scout --help"


class Scouted(Record):
    """One backbone on the user's data."""

    handle: str
    metric: str = Field(description="what the head is judged by; higher is better")
    value: float = Field(description="on eval")
    interval: tuple[float, float] | None = Field(None, description="95 %, where it is a share")
    eval_examples: int
    seconds_per_1000: float | None = Field(
        None, description="of decoding or tokenising and of the backbone, ready and warm"
    )
    width: int = Field(description="floats in a vector")
    bytes: int = Field(description="of the backbone's files")
    new: int = Field(description="vectors that were computed")
    kept: int = Field(description="vectors that were there")


def find_feature(config: Config, name: str | None) -> str:
    """Says whose backbone is looked for.

    Raises:
        UsageError: If there is no such feature, it has no backbone, or there are
            several and none is named.
    """
    embedded = [key for key, one in config.features.items() if isinstance(one, EmbeddedFeature)]
    if not embedded:
        raise UsageError(explain("No feature has a backbone", list(config.features), see=_SEE))
    if name is None and len(embedded) > 1:
        what = "Several features have backbones; --feature says which one's are compared"
        raise UsageError(explain(what, "nothing", embedded, _SEE))
    if name is not None and name not in embedded:
        raise UsageError(explain("No feature of this name has a backbone", name, embedded, _SEE))
    return name or embedded[0]


def find_candidates(
    config: Config, feature: str, handles: Sequence[str]
) -> tuple[BackboneConfig, ...]:
    """Lists the backbones to compare, the config's own first, each once.

    Args:
        config: The user's config, paths resolved.
        feature: Whose backbone is looked for.
        handles: The user's; without any, those of `graft backbones` that need not
            be fetched.

    Raises:
        BackboneError: If a handle is none, or is not for such a feature.
    """
    own = config.features[feature]
    assert isinstance(own, EmbeddedFeature)  # find_feature has said so.
    given = [BackboneConfig(handle=one) for one in handles]
    for one in given:
        parse_handle(one, own.kind, config.base)
    usual = () if handles else _at_hand(config, own.kind)
    found = {one.handle: one for one in (*usual, *given)} | {own.backbone.handle: own.backbone}
    order = [own.backbone.handle, *(one for one in found if one != own.backbone.handle)]
    return tuple(found[one] for one in order)


def _at_hand(config: Config, modality: Modality) -> list[BackboneConfig]:
    """The usual handles whose content is in the working folder's store."""
    from trainer.backbones.kinds import KINDS
    from trainer.backbones.store import is_intact, recall

    store = (config.local_folder / "backbones").absolute()
    found = []
    for example in (one for kind in HANDLE_KINDS for one in kind.examples):
        candidate = BackboneConfig(handle=example)
        try:
            handle = parse_handle(candidate, modality, config.base)
            digest = recall(store, KINDS[handle.kind].source(candidate, handle, config.base))
        except BackboneError:
            continue
        if digest and is_intact(store, digest):
            found.append(candidate)
    return found


def render_scouted(found: Sequence[Scouted], console: Console) -> None:
    """Shows it to a person, the best first."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("Backbone", overflow="fold", min_width=16)
    title = found[0].metric.replace("_", " ").capitalize()
    for header in (title, "95 %", "s per 1,000", "Floats", "Size", "New", "Kept"):
        table.add_column(header, justify="right", no_wrap=True)
    for one in found:
        low_high = "-" if one.interval is None else "{:.3f} to {:.3f}".format(*one.interval)
        seconds = "-" if one.seconds_per_1000 is None else f"{one.seconds_per_1000:.1f}"
        cells = (one.handle, f"{one.value:.3f}", low_high, seconds, f"{one.width:,}")
        size = f"{one.bytes / 1e6:.1f} MB"
        table.add_row(*(Text(cell) for cell in (*cells, size, f"{one.new:,}", f"{one.kept:,}")))
    console.print(table)
    console.print(Text(f"\nOn {found[0].eval_examples:,} eval examples; New, Kept: vectors"))
