"""Where a model comes from, as its model card says; imports no TensorFlow by itself."""

import json
from typing import Any

from components.pusher.files import read_chunks
from components.pusher.manifest import DataSpan, RunFacts

_CARD = "model_card.json"


def read_facts(card: str | None, run_id: str, span: int | None) -> RunFacts:
    """Gathers what a manifest says of a run.

    Args:
        card: Folder of the model card; None without one, and then little is known.
        run_id: The run that pushes.
        span: Of the examples, where the source has spans.

    Returns:
        The facts; a card that lacks one, such as somebody's own, leaves it empty.
    """
    known: dict[str, Any] = {}
    if card is not None:
        known = json.loads(b"".join(read_chunks(f"{card}/{_CARD}")))
    data = known.get("data", {})
    spans = tuple(one["span"] for one in data.get("spans", ()))
    return RunFacts(
        name=known.get("name", ""),
        run_id=run_id,
        config_digest=known.get("config_digest", ""),
        backbones={
            feature["name"]: feature["digest"]
            for feature in known.get("features", ())
            if feature.get("digest")
        },
        metrics=known.get("metrics", {}),
        data=DataSpan(
            # The artifact says 0 where there are none.
            span=spans[-1] if spans else span,
            spans=spans,
            fingerprint=data.get("fingerprint"),
            examples=data.get("examples", {}),
        ),
    )
