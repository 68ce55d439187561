"""Stock TFX components read what we write, as it is written."""

import glob

import numpy as np
import pytest

from pipeline.schema import build_schema, write_schema
from preprocessing.config import (
    CategoricalFeature,
    ImageFeature,
    LabelConfig,
    NumericFeature,
    TextFeature,
)
from preprocessing.inputs import ImageInput
from preprocessing.transform import TransformConfig

pytestmark = pytest.mark.slow


@pytest.fixture
def ingested(make_folder, ingest):
    files = {f"{'ab'[n % 2]}/{n}.png": n for n in range(30)}
    return ingest({"source": {"kind": "image_folder", "path": str(make_folder(files))}})


def _context(executor_class):
    return executor_class.Context(
        beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"]
    )


def test_statistics_gen_counts_the_columns(ingested, tmp_path):
    import tensorflow_data_validation as tfdv
    from tfx.components.statistics_gen.executor import Executor
    from tfx.types import standard_artifacts

    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(tmp_path / "statistics")
    Executor(_context(Executor)).Do(
        {"examples": [ingested.artifact]},
        {"statistics": [statistics]},
        {"stats_options_json": None, "exclude_splits": "[]"},
    )
    for split, count in ingested.counts["examples"].items():
        found = tfdv.load_stats_binary(
            glob.glob(f"{statistics.uri}/Split-{split}/FeatureStats.pb")[0]
        )
        assert found.datasets[0].num_examples == count


def test_the_reader_of_transform_and_evaluator_reads_them(ingested):
    import apache_beam as beam
    from apache_beam.testing.util import assert_that, equal_to
    from tfx.components.util import tfxio_utils
    from tfx.types import artifact_utils

    uri = artifact_utils.get_split_uri([ingested.artifact], "train")
    reader = tfxio_utils.get_tfxio_factory_from_artifact([ingested.artifact], ["test"])(f"{uri}/*")
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        rows = (
            pipeline
            | reader.BeamSource()
            | beam.FlatMap(lambda batch: batch.column(batch.schema.get_field_index("label")))
            | beam.Map(lambda label: label.as_py()[0])
            | beam.combiners.Count.PerElement()
        )
        classes = ingested.counts["classes"]
        expected = [(label.encode(), count["train"]) for label, count in classes.items()]
        assert_that(rows, equal_to(expected))


FEATURES = {
    "photo": ImageFeature(backbone="hub:x", missing="default"),
    "name": TextFeature(kind="text", backbone="hub:x", missing="default"),
    "price": NumericFeature(kind="numeric", missing="default"),
    "age": NumericFeature(kind="numeric", missing="default", buckets=3),
    "brand": CategoricalFeature(kind="categorical", missing="default"),
}


@pytest.fixture
def shop(make_folder):
    """Sixty rows; each lacks another one of its values, the first has none missing."""
    lines = ["photo,name,price,age,brand,label"]
    for n in range(60):
        cells = [f"{n}.png", f"Chair {n}", f"{n % 7}", f"{n}", "AB"[n % 2]]
        if n % 6:
            cells[n % 6 - 1] = ""
        lines.append(",".join([*cells, "ab"[n % 2]]))
    files = {f"{n}.png": n for n in range(60)}
    return make_folder(files | {"shop.csv": "\n".join(lines).encode()}) / "shop.csv"


def test_a_table_with_missing_values_has_no_anomalies_and_transforms(shop, tmp_path):
    import tensorflow as tf
    import tensorflow_data_validation as tfdv
    import tensorflow_transform as tft
    from tensorflow_metadata.proto.v0 import anomalies_pb2
    from tfx.components import ExampleValidator, StatisticsGen, Transform
    from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
    from tfx.orchestration import metadata, pipeline
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from components.example_gen.component import RowExampleGen
    from components.example_gen.config import DataConfig

    source = {"kind": "csv", "path": str(shop)}
    config = TransformConfig(
        features=FEATURES,
        images={"photo": ImageInput(height=4, width=4, input_range=(0.0, 1.0))},
        label=LabelConfig(),
    )
    schema_file = write_schema(build_schema(FEATURES, "label"), tmp_path / "schemas")
    ingest = RowExampleGen(DataConfig(source=source), FEATURES, LabelConfig())
    examples = ingest.outputs["examples"]
    schema = ImportSchemaGen(schema_file=str(schema_file))
    described = StatisticsGen(examples=examples, schema=schema.outputs["schema"])
    validator = ExampleValidator(
        statistics=described.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = Transform(
        examples=examples,
        schema=schema.outputs["schema"],
        preprocessing_fn="preprocessing.transform.preprocessing_fn",
        materialize=False,
        disable_statistics=True,
        custom_config={"transform": config.model_dump()},
    )
    LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="shop",
            pipeline_root=str(tmp_path / "root"),
            components=[ingest, schema, described, validator, transform],
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                str(tmp_path / "metadata.sqlite")
            ),
            beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"],
        )
    )

    def only(pattern: str) -> str:
        (found,) = glob.glob(str(tmp_path / "root" / pattern))
        return found

    for split in ("train", "eval", "test"):
        with open(only(f"ExampleValidator/anomalies/*/Split-{split}/SchemaDiff.pb"), "rb") as file:
            anomalies = anomalies_pb2.Anomalies.FromString(file.read())
        assert dict(anomalies.anomaly_info) == {}
    statistics = tfdv.load_stats_binary(
        only("StatisticsGen/statistics/*/Split-train/FeatureStats.pb")
    )
    (price,) = [one for one in statistics.datasets[0].features if one.path.step == ["price"]]
    assert price.num_stats.common_stats.num_missing == 0
    assert price.num_stats.max == 6

    layer = tft.TFTransformOutput(only("Transform/transform_graph/*")).transform_features_layer()
    raw = {
        "photo": tf.constant([b"", b""]),
        "name": tf.constant([" a\u00a0 b", ""]),
        "price": [float("nan"), 3.0],
        "age": [30.0, float("nan")],
        "brand": tf.constant(["A", "zzz"]),
    }
    found = {name: one.numpy() for name, one in layer(raw).items()}
    assert found["photo"].shape == (2, 4, 4, 3)
    assert found["name"].tolist() == [b"a b", b""]
    assert found["price"][0] == 0
    assert found["age"].sum(axis=1).tolist() == [1, 1]
    assert found["brand"].tolist() == [found["brand"][0], 3]
    np.testing.assert_array_equal(
        np.concatenate([found[f"{name}_missing"] for name in FEATURES], axis=1),
        [[1, 0, 1, 0, 0], [1, 1, 0, 1, 0]],
    )
