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


def test_several_mistakes_are_told_at_once(tmp_path):
    said = refused(tmp_path, "vertex", "deploy.image=python:3.10", "push.path=serving")
    assert said.count("Received:") == 2


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


EXTERNAL = "beam.workers={kind: external, address: 'localhost:50000'}"


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("job_endpoint", "localhost:8099"),
        ("job_endpoint", "127.0.0.1:8099"),
        ("master", "localhost:8081"),
        ("master", "spark://localhost:7077"),
    ],
)
def test_a_cluster_on_this_machine_is_none_of_a_task(tmp_path, key, where):
    image = ("deploy.image_paths=[/opt]", "beam.jar=/opt/server.jar") if key == "master" else ()
    given = ("beam.kind=flink", f"beam.{key}={where}", EXTERNAL, *image)
    assert refused(tmp_path, "kubeflow", *given) == (
        f"beam.{key}: nothing is at this address in the container of a task\n"
        f"  Received: '{where}'\n"
        "  Valid: an address that the platform's containers reach\n"
        "  See: docs/deploy.md"
    )


def test_a_cluster_elsewhere_or_in_the_task_is_taken(tmp_path):
    elsewhere = ("beam.kind=flink", "beam.job_endpoint=flink.acme.com:8099", EXTERNAL)
    check_deploy(load(tmp_path, *elsewhere), "vertex")
    in_image = ("deploy.image_paths=[/opt]", "beam={kind: flink, jar: /opt/flink.jar}")
    check_deploy(load(tmp_path, *in_image), "vertex")


def test_workers_elsewhere_need_a_root_that_they_read(tmp_path):
    spark = ("beam.kind=spark", "beam.job_endpoint=spark:8099", EXTERNAL)
    root = ("deploy.pipeline_root=s3://acme/root", "deploy.backbones=gs://acme/backbones")
    assert refused(tmp_path, "kubeflow", *root, *spark) == (
        "beam.workers.kind: such workers are outside of the task, and what is in such a "
        "deploy.pipeline_root is copied to the task alone\n"
        "  Received: 'external'\n"
        "  Valid: loopback\n"
        "  See: docs/deploy.md"
    )
    check_deploy(load(tmp_path, *spark), "kubeflow")
    inside = "beam={kind: spark, jar: /opt/spark.jar}"
    check_deploy(load(tmp_path, *root, inside, "deploy.image_paths=[/opt]"), "kubeflow")


def test_fine_tuning_takes_any_root(tmp_path):
    root = ("deploy.pipeline_root=s3://acme/root", "deploy.backbones=gs://acme/backbones")
    check_deploy(load(tmp_path, *root, "train.mode=fine_tune"), "kubeflow")
