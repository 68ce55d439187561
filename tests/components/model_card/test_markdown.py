"""The card that people read: whole, in order, and safe from what users write."""

from components.model_card.card import (
    Card,
    CardClass,
    CardData,
    CardFeature,
    CardSlice,
    CardSpan,
    CardTraining,
)
from components.model_card.config import ModelCardConfig
from components.model_card.markdown import to_markdown

SMALLEST = Card(
    name="prices",
    task="regression",
    run_id="20261121-150000-abcd",
    made="2026-11-21",
    versions={"tfx": "1.16.0", "tensorflow": "2.16.2"},
    config_digest="sha256:1",
    stated=ModelCardConfig(),
    classes=(),
    features=(CardFeature(name="size", kind="numeric", missing="reject"),),
    data=CardData(
        source="csv prices.csv",
        fingerprint=None,
        examples={"train": 1000, "eval": 100},
        classes={},
        quarantined=0,
    ),
    training=CardTraining(settings={"mode": "frozen"}, epochs=12),
    metrics={"eval": {"mae": 0.25, "examples": 100}},
    blessed=True,
    thresholds=("passed: mae 0.2500, at most 1",),
    limits=(),
)


def test_a_small_card_has_no_empty_sections():
    assert (
        to_markdown(SMALLEST)
        == """\
# prices

|  |  |
| --- | --- |
| Task | regression |
| Made | 2026-11-21, run 20261121-150000-abcd |
| Owner | not stated |
| Licence | not stated |
| Config | sha256:1 |
| Made with | tfx 1.16.0, tensorflow 2.16.2 |

## Intended use
not stated.

## Inputs
| Feature | Kind | Backbone | Its licence | Missing values |
| --- | --- | --- | --- | --- |
| size | numeric | - | - | reject |

## Data
csv prices.csv

| Split | Examples |
| --- | --- |
| train | 1,000 |
| eval | 100 |

## Training
12 epochs.

| Setting | Value |
| --- | --- |
| mode | frozen |

## Verdict: blessed
- passed: mae 0.2500, at most 1

## Figures
| Metric | eval |
| --- | --- |
| mae | 0.2500 |
| examples | 100 |
"""
    )


def test_a_whole_card_says_everything():
    feature = CardFeature(
        name="image", kind="image", handle="keras:X", digest="sha256:2", missing="default"
    )
    card = SMALLEST.model_copy(
        update={
            "stated": ModelCardConfig(
                intended_use="Sorting shelves.",
                owner="Ann",
                licence="MIT",
                limits=["Not at night."],
            ),
            "limits": ("Not at night.",),
            "features": (feature,),
            "data": SMALLEST.data.model_copy(
                update={
                    "fingerprint": "ab",
                    "classes": {"daisy": {"train": 1000}},
                    "quarantined": 3,
                    "missing": {"image": {"train": 2, "eval": 0}},
                    "notes": ("seen",),
                }
            ),
            "training": CardTraining(settings={}, epochs=1, notes=("warm",)),
            "baseline": {"mae": 0.5},
            "by_class": {
                "eval": (CardClass(name="daisy", examples=100, precision=None, recall=0.5),)
            },
            "slices": {"eval": (CardSlice(slice={"shop": "a"}, metrics={"mae": 0.1}),)},
            "serving": {"latency": "3 ms"},
            "exports": ({"format": "tflite", "bytes": "1,000"}, {"format": "tfjs", "reason": "no"}),
        }
    )
    text = to_markdown(card)
    for part in (
        "| Owner | Ann |\n| Licence | MIT |",
        "## Intended use\nSorting shelves.",
        "## Limits\n- Not at night.",
        "| image | image | keras:X | not stated | default |",
        "Content of the backbones:\n- image: sha256:2",
        "csv prices.csv; fingerprint ab",
        "| Class | train | eval |\n| --- | --- | --- |\n| daisy | 1,000 | 0 |",
        "- without a value in image, train: 2\n- seen\n"
        "- 3 examples could not be read and were set aside",
        "- warm",
        "| Metric | eval | eval, baseline |\n| --- | --- | --- |\n| mae | 0.2500 | 0.5000 |",
        "Each class, eval:\n\n| Class | Examples | Precision | Recall |\n",
        "| daisy | 100 | - | 0.5000 |",
        "Slices, eval:\n\n| Slice | mae |\n| --- | --- |\n| shop = a | 0.1000 |",
        "## Serving\n|  |  |\n| --- | --- |\n| latency | 3 ms |",
        "## Exports\n| format | bytes | reason |\n| --- | --- | --- |\n| tflite | 1,000 | - |\n"
        "| tfjs | - | no |",
    ):
        assert part in text, part


def test_words_of_users_do_not_become_markup():
    stated = ModelCardConfig(intended_use="a | b\n# c <script>")
    text = to_markdown(SMALLEST.model_copy(update={"stated": stated, "thresholds": ("x|y",)}))
    assert "## Intended use\na \\| b # c &lt;script>\n" in text
    assert "- x\\|y" in text


def test_the_spans_of_the_data_are_named_with_their_versions():
    spans = (CardSpan(span=5, name="5"), CardSpan(span=6, name="6", version=2))
    data = SMALLEST.data.model_copy(update={"spans": spans})
    assert "Spans: 5; 6, version 2\n" in to_markdown(SMALLEST.model_copy(update={"data": data}))
