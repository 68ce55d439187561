"""What Vertex AI and Kubeflow refuse is said before anything is compiled, in one clear error."""

import pytest

from pipeline.kubeflow.checks import check_deploy
from preprocessing.errors import ConfigError
from tests.pipeline.kubeflow.deployed import load, refused

TARGETS = ("vertex", "kubeflow")


@pytest.mark.parametrize("target", TARGETS)
def test_a_right_config_is_taken_by_both(tmp_path, target):
    config = load(tmp_path)
    assert check_deploy(config, target) is config.deploy


def test_without_deploy_there_is_nothing_to_compile_for(tmp_path):
    config = load(tmp_path).model_copy(update={"deploy": None})
    with pytest.raises(ConfigError) as caught:
        check_deploy(config, "vertex")
    assert str(caught.value) == (
        "deploy is missing: it says in which image the pipeline runs and where its files go\n"
        "  Received: 'nothing'\n"
        "  Valid: deploy: {image: …, pipeline_root: …}\n"
        "  See: docs/deploy.md"
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "image",
    [
        "tensorflow/tfx:1.16.0",
        "docker.io/tensorflow/tensorflow:2.16.2-gpu",
        "gcr.io/tfx-oss-public/tfx:1.16.0",
        "python:3.10",
        "europe-docker.pkg.dev/vertex-ai/training/tf-cpu.2-16:latest",
    ],
)
def test_a_stock_image_has_none_of_our_packages(tmp_path, target, image):
    assert refused(tmp_path, target, f"deploy.image={image}") == (
        "deploy.image is a stock image, which has none of Graft's packages: its first task would "
        "end with ModuleNotFoundError\n"
        f"  Received: '{image}'\n"
        "  Valid: an image made by `make image`\n"
        "  See: docs/deploy.md"
    )


@pytest.mark.parametrize(
    "image",
    [
        "graft:1.4",
        "localhost:5000/graft",
        "acme.io/team/python:3",
        "europe-docker.pkg.dev/acme/ml/graft@sha256:" + "0" * 64,
    ],
)
def test_an_image_of_ones_own_is_taken(tmp_path, image):
    check_deploy(load(tmp_path, f"deploy.image={image}"), "vertex")


def test_what_is_no_name_of_an_image_is_refused(tmp_path):
    said = refused(tmp_path, "vertex", "deploy.image=Graft Image")
    assert said.startswith("deploy.image is no name of an image\n  Received: 'Graft Image'")


@pytest.mark.parametrize(
    ("target", "root", "valid"),
    [
        ("vertex", "/tmp/root", "gs://BUCKET/FOLDER"),
        ("vertex", "s3://acme/root", "gs://BUCKET/FOLDER"),
        ("vertex", "gs://", "gs://BUCKET/FOLDER"),
        ("kubeflow", "root", "gs://BUCKET/FOLDER, s3://BUCKET/FOLDER, minio://BUCKET/FOLDER"),
        ("kubeflow", "hdfs://x/y", "gs://BUCKET/FOLDER, s3://BUCKET/FOLDER, minio://BUCKET/FOLDER"),
    ],
)
def test_a_root_that_the_target_cannot_use_is_refused(tmp_path, target, root, valid):
    said = refused(
        tmp_path, target, f'deploy.pipeline_root="{root}"', "deploy.backbones=gs://acme/backbones"
    )
    assert said.split("\n  Did you mean")[0].removesuffix("\n  See: docs/deploy.md") == (
        f"deploy.pipeline_root is no place where {target} keeps artifacts\n"
        f"  Received: '{root}'\n"
        f"  Valid: {valid}"
    )


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


def test_several_mistakes_are_told_at_once(tmp_path):
    said = refused(tmp_path, "vertex", "deploy.image=python:3.10", "push.path=serving")
    assert said.count("Received:") == 2


def test_backbones_need_a_place_that_tensorflow_reads(tmp_path):
    root = "deploy.pipeline_root=minio://acme/root"
    said = refused(tmp_path, "kubeflow", root)
    assert said.startswith(
        "deploy.backbones is missing: TensorFlow cannot read them from such a pipeline_root by "
        "itself\n  Received: 'minio://acme/root'"
    )
    check_deploy(load(tmp_path, root, "deploy.backbones=gs://acme/backbones"), "kubeflow")


def test_fine_tuning_needs_a_root_that_tensorflow_reads(tmp_path):
    root = ("deploy.pipeline_root=s3://acme/root", "deploy.backbones=gs://acme/backbones")
    said = refused(tmp_path, "kubeflow", *root, "train.mode=fine_tune")
    assert said.startswith("train.mode: fine_tune reads raw examples by their address")


@pytest.mark.parametrize("target", TARGETS)
def test_tfx_s_infra_validator_is_refused(tmp_path, target):
    assert refused(tmp_path, target, "validate.validator=infra_validator") == (
        f"validate.validator: TFX cannot compile its InfraValidator for {target}\n"
        "  Received: 'infra_validator'\n"
        "  Valid: graft, none\n"
        "  See: docs/deploy.md"
    )


def test_vertex_has_no_secrets_by_reference_and_no_volumes(tmp_path):
    secrets = "deploy.secrets=[{env: HF_TOKEN, name: hf, key: token}]"
    said = refused(tmp_path, "vertex", secrets, "deploy.volumes=[{claim: data, mount: /data}]")
    assert "deploy.secrets: Vertex AI gives tasks no secrets by reference" in said
    assert "deploy.volumes: Vertex AI mounts buckets alone, at /gcs/BUCKET" in said
    check_deploy(load(tmp_path, secrets), "kubeflow")


def test_schedules_of_kubeflow_have_no_time_zone(tmp_path):
    schedule = 'deploy.schedule={cron: "0 3 * * 1", timezone: Europe/Berlin}'
    said = refused(tmp_path, "kubeflow", schedule)
    assert said.startswith("deploy.schedule.timezone: schedules of Kubeflow are in its server's")
    check_deploy(load(tmp_path, schedule), "vertex")


def test_vertex_knows_accelerators_by_its_own_names(tmp_path):
    gpu = "deploy.machines={Trainer: {accelerator: {type: nvidia.com/gpu}}}"
    said = refused(tmp_path, "vertex", gpu)
    assert said.startswith(
        "deploy.machines.Trainer.accelerator.type is no accelerator of Vertex AI\n"
        "  Received: 'nvidia.com/gpu'"
    )
    check_deploy(load(tmp_path, gpu), "kubeflow")


def test_blessed_models_are_remembered_beside_the_pushed_ones_or_nowhere(tmp_path):
    root = ("deploy.pipeline_root=s3://acme/root", "deploy.backbones=gs://acme/backbones")
    said = refused(tmp_path, "kubeflow", *root, "push=null")
    assert said.startswith("push is missing: in such a deploy.pipeline_root a run finds nothing")
