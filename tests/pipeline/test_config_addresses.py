"""Where a config may have a model pushed to and work written to."""

import pytest

from pipeline.artifact_root import forget_lost_database, pipeline_root
from pipeline.config import load_config
from preprocessing.errors import ConfigError


@pytest.fixture
def pictures(tmp_path):
    """A config beside its folder of pictures."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "c.yaml").write_text(
        "name: a\ndata: {source: {kind: image_folder, path: pictures}}\n"
        "features: {image: {kind: image, backbone: 'keras:MobileNetV2'}}\npush: {path: out}\n"
    )
    return tmp_path / "c.yaml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "workdir=https://work.example/a",
            "workdir must be a folder, or an address that is written to, such as gs://bucket\n"
            "  Received: 'https://work.example/a'",
        ),
        (
            "local_workdir=gs://bucket/work",
            "local_workdir must be a folder on this machine\n  Received: 'gs://bucket/work'",
        ),
        (
            "push.path=https://models.example/a",
            "push.path must be a folder, or an address that is written to, such as gs://bucket\n"
            "  Received: 'https://models.example/a'",
        ),
    ],
)
def test_an_address_that_cannot_be_written_to_is_refused(pictures, change, message):
    with pytest.raises(ConfigError) as caught:
        load_config(pictures, [change])
    assert message in str(caught.value)


def test_a_model_may_be_pushed_to_an_address(pictures):
    config = load_config(pictures, ["push.path=gs://bucket/models"])
    assert config.push.path == "gs://bucket/models"


def test_work_at_an_address_leaves_on_this_machine_what_cannot_be_there(pictures):
    config = load_config(pictures, ["workdir=gs://bucket/work"])
    assert config.feature_store == "gs://bucket/work/features"
    assert config.local_folder == pictures.parent / ".graft"
    root = pipeline_root(config)
    assert root.startswith("gs://bucket/work/artifacts-")
    # The same database, and that of another machine.
    assert pipeline_root(config) == root
    other = load_config(pictures, ["workdir=gs://bucket/work", "local_workdir=here"])
    assert other.local_folder == pictures.parent / "here"
    assert pipeline_root(other) != root
    shared = load_config(pictures, ["local_workdir=here"])
    assert pipeline_root(shared).startswith(str(pictures.parent / ".graft" / "artifacts-"))


@pytest.mark.parametrize("change", ["workdir=.graft", "workdir=gs://bucket/work"])
def test_artifacts_of_a_database_that_is_gone_are_left_alone(pictures, change):
    config = load_config(pictures, [change])
    forget_lost_database(config)
    root = pipeline_root(config)
    database = config.local_folder / "metadata.sqlite"
    database.parent.mkdir(exist_ok=True)
    database.touch()
    (config.local_folder / "artifacts").mkdir()
    forget_lost_database(config)
    assert pipeline_root(config) == root
    database.unlink()
    forget_lost_database(config)
    other = pipeline_root(config)
    assert other != root
    database.touch()
    forget_lost_database(config)
    assert pipeline_root(config) == other


def test_a_push_into_data_at_an_address_is_refused(pictures):
    overrides = ["data.source.path=gs://bucket/data", "push.path=gs://bucket/data/served"]
    with pytest.raises(ConfigError, match="push.path lies in the data"):
        load_config(pictures, overrides)


def test_a_push_into_the_data_is_refused(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "c.yaml").write_text(
        "name: a\ndata: {source: {kind: image_folder, path: pictures}}\n"
        "features: {image: {kind: image, backbone: 'keras:MobileNetV2'}}\n"
        "push: {path: pictures/served}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert str(caught.value) == (
        "c.yaml, line 4: push.path lies in the data, where a server would take folders for versions"
    )
