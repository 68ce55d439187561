"""Stock TFX components read what we write, as it is written."""

import glob

import pytest

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
