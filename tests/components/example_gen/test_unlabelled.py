"""Rows that are only to be predicted: in their order, without a label, in slices."""

import pytest

from components.example_gen.config import PredictConfig
from components.example_gen.slices import plan_slices, read_slice
from components.example_gen.sources.columns import Columns
from preprocessing.config import LabelConfig, NumericFeature
from preprocessing.errors import DataError, QuarantineError

FEATURES = {"price": NumericFeature(kind="numeric")}
COLUMNS = Columns.of(FEATURES).model_copy(update={"labelled": False})


@pytest.fixture
def config(tmp_path):
    def write(text, **options):
        path = tmp_path / "goods.csv"
        path.write_text(text)
        return PredictConfig(source={"kind": "csv", "path": str(path)}, **options)

    return write


@pytest.fixture
def gather(tmp_path):
    """Declares the component and runs its executor through Beam."""

    def run(config, label=None):
        from tfx.types import standard_artifacts

        from components.example_gen.unlabelled_component import UnlabelledExampleGen
        from components.example_gen.unlabelled_executor import Executor
        from tests.components.example_gen.conftest import Ingested

        component = UnlabelledExampleGen(config, FEATURES, label or LabelConfig())
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / "root" / "PredictExampleGen" / "examples" / "1")
        context = Executor.Context(
            beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=unused"]
        )
        Executor(context).Do({}, {"examples": [artifact]}, dict(component.exec_properties))
        return Ingested(artifact)

    return run


def test_rows_keep_their_order_and_need_no_label(config, gather):
    rows = "".join(f"{price}\n" for price in range(10))
    done = gather(config(f"price\n{rows}", shard_examples=4))
    assert [one["price"] for one in done.examples("predict")] == list(range(10))
    assert [one["source"] for one in done.examples("predict")][:2] == [
        b"goods.csv:2",
        b"goods.csv:3",
    ]
    assert done.artifact.split_names == '["predict"]'
    assert done.counts == {"examples": {"predict": 10}, "quarantined": 0}


def test_labels_are_taken_along_as_they_are(config, gather):
    done = gather(config("price,worth\n1,n/a\n2,\n"), LabelConfig(name="worth", task="regression"))
    assert [one.get("worth") for one in done.examples("predict")] == [b"n/a", b""]


def test_unreadable_rows_are_set_aside(config, gather):
    done = gather(config("price\nx\n1\n1,2\n2\n", max_quarantined_share=0.5))
    assert [one["source"] for one in done.quarantine] == ["goods.csv:2", "goods.csv:4"]
    assert done.counts == {"examples": {"predict": 2}, "quarantined": 2}


def test_too_many_of_them_stop_the_run(config, gather, tmp_path):
    with pytest.raises(QuarantineError) as caught:
        gather(config("price\nx\n1\n"))
    kept = tmp_path / "root" / "PredictExampleGen" / "quarantine" / "1.jsonl"
    assert str(caught.value) == (
        "1 of 2 examples cannot be used, more than predict.max_quarantined_share = 0.05 allows.\n"
        "  goods.csv:2: column 'price' holds 'x', no finite number\n"
        f"  All of them: {kept}"
    )
    assert kept.is_file()


def test_a_source_without_rows_is_refused(config, gather, tmp_path):
    with pytest.raises(DataError) as caught:
        gather(config("price\n"))
    assert str(caught.value) == (f"predict.source has no rows\n  Received: '{tmp_path}/goods.csv'")


def test_a_slice_is_bounded_and_a_changed_row_changes_the_digest(config, tmp_path):
    def plan(text):
        return plan_slices(config(text).source, COLUMNS, str(tmp_path / "plan"), 2)

    first = plan("price\n1\n2\n3\n")
    assert ([one.count for one in first.slices], first.rows, first.labelled) == ([2, 1], 3, False)
    read = [row.inspected.row.values for one in first.slices for row in read_slice(one, COLUMNS, 2)]
    assert read == [{"price": "1"}, {"price": "2"}, {"price": "3"}]
    assert plan("price\n1\n2\n3\n").digest == first.digest
    assert plan("price\n1\n2\n4\n").digest != first.digest
    assert plan("price,label\n1,\n2,dear\n").labelled
