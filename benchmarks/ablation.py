"""What each kind of feature is worth: one config, run with some of its features only.

Runs the pipeline on examples/products.yaml for each row of ROWS and prints the
table of the README. From the repository's root, about ten minutes:

    TF_USE_LEGACY_KERAS=1 python benchmarks/ablation.py DATA IMAGE_BACKBONE TEXT_BACKBONE

DATA is the folder with products.csv and images/; the backbones are handles. A
further row is one more line in ROWS.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.yaml_source import read_yaml

EXAMPLE = Path(__file__).parents[1] / "examples" / "products.yaml"
ROWS: dict[str, tuple[str, ...]] = {
    "picture": ("image",),
    "texts: name, description": ("name", "description"),
    "picture and texts": ("image", "name", "description"),
    "all, with brand and price": ("image", "name", "description", "brand", "retail_price"),
}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("image_backbone")
    parser.add_argument("text_backbone")
    arguments = parser.parse_args()
    features = read_yaml(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name).data["features"]
    for feature in features.values():
        if "backbone" in feature:
            image = feature["kind"] == "image"
            feature["backbone"] = arguments.image_backbone if image else arguments.text_backbone
    sys.stdout.write("| features | test accuracy | seconds |\n|---|---|---|\n")
    for title, names in ROWS.items():
        summary = run({name: features[name] for name in names}, arguments.data)
        accuracy = summary["metrics"]["test"]["accuracy"]
        sys.stdout.write(f"| {title} | {accuracy:.3f} | {summary['seconds']:.0f} |\n")
        sys.stdout.flush()


def run(features: dict, data: Path) -> dict:
    """Runs the pipeline on some features, in a folder of its own.

    Args:
        features: As a config has them.
        data: Folder of the table.

    Returns:
        The run's summary.
    """
    with tempfile.TemporaryDirectory() as folder:
        changes = {
            "features": features,
            "data.source.path": str((data / "products.csv").absolute()),
            "workdir": folder,
            "push": None,
        }
        arguments = [
            word
            for key, value in changes.items()
            for word in ("--set", f"{key}={json.dumps(value)}")
        ]
        command = [Path(sys.executable).with_name("graft"), "run", EXAMPLE, "--json", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 3):
        sys.exit(done.returncode)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
