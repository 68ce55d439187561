"""What tasks do not see is said with its key, before anything is compiled."""

import pytest

from pipeline.kubeflow.checks import check_deploy
from pipeline.kubeflow.reach import address_of
from tests.pipeline.kubeflow.deployed import load, refused


@pytest.mark.parametrize(
    "override",
    [
        "data.source.path=flowers",
        "push.path=serving",
        "cache.features=/srv/features",
        "cache.spans=/srv/spans",
        "deploy.backbones=/opt/backbones",
        "beam.jar=job-server.jar",
    ],
)
def test_a_folder_of_this_machine_is_refused_with_its_key(tmp_path, override):
    flink = ["beam.kind=flink"] if override.startswith("beam") else []
    said = refused(tmp_path, "kubeflow", *flink, override)
    assert said.startswith(f"{override.split('=')[0]}: tasks on kubeflow do not see this folder\n")
    assert "a path below one of deploy.image_paths or deploy.volumes" in said


def test_an_address_that_tensorflow_cannot_read_is_refused(tmp_path):
    assert refused(tmp_path, "kubeflow", "data.source.path=s3://acme/flowers") == (
        "data.source.path: TensorFlow reads and writes no such address\n"
        "  Received: 's3://acme/flowers'\n"
        "  Valid: gs://BUCKET/…, a path below one of deploy.image_paths or deploy.volumes\n"
        "  See: docs/deploy.md"
    )


def test_what_the_image_a_volume_or_vertex_mounts_is_reached(tmp_path):
    in_image = ("deploy.image_paths=[/opt/data]", "data.source.path=/opt/data/flowers")
    check_deploy(load(tmp_path, *in_image), "vertex")
    on_volume = ("deploy.volumes=[{claim: data, mount: /data}]", "push.path=/data/serving")
    check_deploy(load(tmp_path, *on_volume), "kubeflow")
    mounted = "data.source.path=/gcs/acme/flowers"
    check_deploy(load(tmp_path, mounted), "vertex")
    assert "data.source.path" in refused(tmp_path, "kubeflow", mounted)


def test_backbones_need_a_place_that_tensorflow_reads(tmp_path):
    root = "deploy.pipeline_root=minio://acme/root"
    said = refused(tmp_path, "kubeflow", root)
    assert said.startswith(
        "deploy.backbones is missing: TensorFlow cannot read them from such a pipeline_root by "
        "itself\n  Received: 'minio://acme/root'"
    )
    check_deploy(load(tmp_path, root, "deploy.backbones=gs://acme/backbones"), "kubeflow")


@pytest.mark.parametrize(
    ("path", "target", "address"),
    [
        ("gs://acme/backbones", "kubeflow", "gs://acme/backbones"),
        ("/gcs/acme/backbones", "vertex", "gs://acme/backbones"),
        ("/gcs/acme/backbones", "kubeflow", None),
        ("/opt/backbones", "vertex", None),
    ],
)
def test_what_lies_in_a_bucket_has_an_address_under_which_others_write(path, target, address):
    assert address_of(path, target) == address


DATAFLOW = (
    "beam={kind: dataflow, project: acme, region: europe-west4, temp_location: gs://acme/tmp, "
    "image: graft}"
)


def test_dataflow_reads_no_bucket_that_vertex_mounts(tmp_path):
    check_deploy(load(tmp_path, DATAFLOW), "vertex")
    assert refused(tmp_path, "vertex", DATAFLOW, "data.source.path=/gcs/acme/flowers") == (
        "data.source.path: Dataflow's workers do not see what is mounted in tasks\n"
        "  Received: '/gcs/acme/flowers'\n"
        "  Valid: gs://BUCKET/…\n"
        "  See: docs/deploy.md"
    )
    # The Pusher is no job.
    check_deploy(load(tmp_path, DATAFLOW, "push.path=/gcs/acme/serving"), "vertex")


def test_dataflow_reads_no_volume_and_no_root_of_another_store(tmp_path):
    volume = ("deploy.volumes=[{claim: data, mount: /data}]", "cache.features=/data/features")
    assert refused(tmp_path, "kubeflow", DATAFLOW, *volume).startswith(
        "cache.features: Dataflow's workers do not see what is mounted in tasks\n"
    )
    root = ("deploy.pipeline_root=minio://acme/root", "deploy.backbones=gs://acme/backbones")
    assert refused(tmp_path, "kubeflow", DATAFLOW, *root) == (
        "deploy.pipeline_root: Dataflow's workers reach gs:// alone\n"
        "  Received: 'minio://acme/root'\n"
        "  Valid: gs://BUCKET/…\n"
        "  See: docs/deploy.md"
    )
