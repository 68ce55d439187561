"""The demo from pictures in a bucket to a model pushed into it, all artifacts there as well."""

import json
import shutil

import pytest

from pipeline.demo import write_demo
from tests.components.pusher.fake_gcs import FakeGcs

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate"),
]

PICTURES_PER_CLASS = 20
OPTIONS = {
    "workdir": "gs://bucket/graft",
    "local_workdir": "here",
    "data.source.path": "gs://bucket/pictures",
    "push.path": "gs://bucket/serving",
    "evaluate.thresholds.accuracy.min": 0.5,
}
ARGUMENTS = [text for key, value in OPTIONS.items() for text in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bucket")
    write_demo(folder)
    return folder


@pytest.fixture(scope="module")
def bucket(folder):
    """A bucket with the pictures; what a process asks of gs:// in this environment it answers."""
    store = FakeGcs(folder)
    pictures = folder / "pictures"
    for label in pictures.iterdir():
        for one in sorted(label.iterdir())[:PICTURES_PER_CLASS]:
            store.objects[str(one.relative_to(folder))] = one.read_bytes()
    shutil.rmtree(pictures)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        yield store
    store.shutdown()


@pytest.fixture(scope="module")
def first(graft, folder, bucket):
    result = graft("run", "digits.yaml", "--json", *ARGUMENTS, cwd=folder)
    assert result.code == 0, result.err
    return result


def test_the_model_is_pushed_into_the_bucket(first, bucket):
    pushed = first.summary["pushed"]
    assert pushed["path"] == "gs://bucket/serving"
    version = f"serving/{pushed['version']}/"
    names = {name.removeprefix(version) for name in bucket.objects if name.startswith(version)}
    assert {"saved_model.pb", "manifest.json", "variables/variables.index"} <= names
    assert first.summary["examples"] == {"train": 160, "eval": 20, "test": 20}


def test_artifacts_vectors_and_the_summary_are_there(first, bucket):
    # Without those that only stand for a folder.
    names = [name for name in bucket.objects if name[:6] == "graft/" and name[-1] != "/"]
    places = {name.split("/")[1].split("-")[0] for name in names}
    assert places == {"artifacts", "features", "runs"}
    summary = json.loads(bucket.objects[f"graft/runs/{first.summary['run_id']}/summary.json"])
    assert summary["metrics"] == first.summary["metrics"]


def test_what_cannot_be_there_is_in_the_local_working_folder(first, folder):
    here = {path.name for path in (folder / "here").iterdir()}
    assert here >= {"backbones", "logs", "metadata.sqlite", "run.lock", "runs"}
    assert not here & {"artifacts", "features"}
    # A path that lost a slash would be a folder beside the config.
    assert not list(folder.rglob("gs:*"))


def test_a_second_run_takes_everything_over_from_the_bucket(graft, first, folder):
    again = graft("run", "digits.yaml", "--json", *ARGUMENTS, cwd=folder)
    assert again.code == 0, again.err
    states = {name for name, state in again.states.items() if state == "run"}
    assert states == {"Backbones", "Baseline", "Evaluator", "ModelCard", "Pusher"}
    assert again.summary["pushed"]["version"] == first.summary["pushed"]["version"]
