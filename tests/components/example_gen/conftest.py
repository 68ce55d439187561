"""Real pictures, folders and tables, and ingest run for real."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).parents[4] / "shared"


def encode(seed: int, kind: str = "PNG", size: tuple[int, int] = (20, 14), **options) -> bytes:
    """A picture of noise that no other seed has."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def picture():
    return encode


@pytest.fixture
def make_folder(tmp_path):
    """Writes {relative path: bytes, or a seed for a picture} below a new folder."""

    def make(files: dict, name: str = "pictures") -> Path:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for relative, content in files.items():
            path = root / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else encode(content))
        return root

    return make


@pytest.fixture
def groceries() -> Path:
    path = SHARED / "data" / "groceries"
    if not path.is_dir():
        pytest.skip("the groceries are not beside this checkout: ../shared/data/groceries")
    return path


@pytest.fixture
def products() -> Path:
    path = SHARED / "data" / "products"
    if not path.is_dir():
        pytest.skip("the products are not beside this checkout: ../shared/data/products")
    return path


class Ingested:
    """What one run of an executor left."""

    def __init__(self, artifact) -> None:
        self.artifact = artifact
        self.uri = Path(artifact.uri)
        self.counts = json.loads((self.uri / "ingest.json").read_text())
        lines = (self.uri / "quarantine.jsonl").read_text().splitlines()
        self.quarantine = [json.loads(line) for line in lines]

    def examples(self, split: str) -> list[dict]:
        """The examples of a split as {column: value}."""
        import tensorflow as tf

        files = sorted(str(path) for path in (self.uri / f"Split-{split}").iterdir())
        return [_columns(record.numpy()) for record in tf.data.TFRecordDataset(files)]

    def sources(self, split: str) -> list[str]:
        """What the examples of a split are known by."""
        return [one["source"].decode() for one in self.examples(split)]


def _columns(serialized: bytes) -> dict:
    import tensorflow as tf

    columns = tf.train.Example.FromString(serialized).features.feature
    return {
        name: list(
            feature.bytes_list.value or feature.int64_list.value or feature.float_list.value
        )[0]
        for name, feature in columns.items()
    }


@pytest.fixture
def ingest(tmp_path):
    """Declares the component and runs its executor through Beam."""

    def run(data: dict, label=None, carry=(), features=("image",)) -> Ingested:
        from tfx.types import standard_artifacts

        from components.example_gen.component import RowExampleGen
        from components.example_gen.config import DataConfig
        from components.example_gen.executor import Executor
        from preprocessing.config import ImageFeature, LabelConfig

        if not isinstance(features, dict):
            features = {name: ImageFeature(backbone="hub:x") for name in features}
        component = RowExampleGen(
            DataConfig.model_validate(data), features, label or LabelConfig(), carry
        )
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / "root" / "ExampleGen" / "examples" / "1")
        context = Executor.Context(
            beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"]
        )
        Executor(context).Do({}, {"examples": [artifact]}, dict(component.exec_properties))
        return Ingested(artifact)

    return run
