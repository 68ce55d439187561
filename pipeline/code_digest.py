"""A digest of our own code, so that a changed line re-runs what depends on it.

TFX's cache key sees the dotted name of a function but not what is behind it.
"""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What the vectors in the feature store depend on, whatever is written of them.
_VECTORS = (
    "preprocessing",
    "trainer/augmentation.py",
    "trainer/backbones",
    "trainer/embed.py",
    "trainer/features.py",
    "trainer/head_inputs.py",
    "trainer/model_config.py",
)

# Which code decides what a component writes. A new component gets a line here.
CODE_OF = {
    "ExampleGen": (
        "components/example_gen",
        "preprocessing/cells.py",
        "preprocessing/decode.py",
        "preprocessing/formats.py",
        "preprocessing/picture_size.py",
    ),
    "Transform": ("preprocessing",),
    "Embedder": ("components/embedder", *_VECTORS),
    "Vectors": _VECTORS,
    "Trainer": ("preprocessing", "trainer"),
    "Evaluator": (
        "components/gate",
        "preprocessing/config.py",
        "preprocessing/model_info.py",
        "preprocessing/streams.py",
    ),
    "ServingValidator": (
        "components/serving_validator",
        "components/serving_validator/stock_ops/2.16.txt",
        "components/serving_validator/stock_ops/2.20.txt",
        "preprocessing",
    ),
    "Exporter": (
        "components/exporter",
        "components/exporter/tfjs.js",
        "preprocessing",
    ),
    "ModelCard": (
        "components/gate",
        "components/exporter/report.py",
        "components/model_card",
        "components/serving_validator/report.py",
        "pipeline/card.py",
        "preprocessing/model_info.py",
    ),
}


def digest_code(component: str, root: Path = ROOT) -> str:
    """Digests the source files that a component's output depends on.

    Args:
        component: A key of `CODE_OF`.
        root: Folder that holds the packages.

    Returns:
        `sha256:` and the hex digest over names and contents.
    """
    digest = hashlib.sha256()
    for name in CODE_OF[component]:
        place = root / name
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"
