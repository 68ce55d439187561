"""Addresses that TensorFlow cannot read, and the folders in which a task finds them."""

import pytest

from pipeline.kubeflow_task.places import MOUNTS_VARIABLE, is_private, to_path, to_uri

PAIRS = [("s3://bucket/run/model", "/s3/bucket/run/model"), ("minio://b/x y", "/minio/b/x y")]
AS_THEY_ARE = ["gs://bucket/run/model", "/data/s3/x", "", "s3.yaml", "/gcs/bucket/x"]


@pytest.mark.parametrize(("uri", "path"), PAIRS)
def test_what_only_the_launcher_reads_lies_in_its_folder(uri, path):
    assert (to_path(uri), to_uri(path)) == (path, uri)
    assert is_private(uri)
    assert is_private(path)


@pytest.mark.parametrize("uri", AS_THEY_ARE)
def test_anything_else_is_taken_as_it_is(uri):
    assert to_path(uri) == to_uri(uri) == uri
    assert not is_private(uri)


def test_the_folders_of_the_launcher_can_lie_elsewhere(monkeypatch):
    monkeypatch.setenv(MOUNTS_VARIABLE, "/tmp/task")
    assert to_path("minio://b/x") == "/tmp/task/minio/b/x"
    assert to_uri("/tmp/task/minio/b/x") == "minio://b/x"
    assert to_uri("/minio/b/x") == "/minio/b/x"
