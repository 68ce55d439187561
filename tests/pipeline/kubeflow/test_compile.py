"""Every example compiles for both platforms, into what their own tools accept."""

import json
import lzma
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from pipeline.config import load_config
from pipeline.kubeflow.spec import containers
from pipeline.kubeflow_task.lay_over import lay_over, read_place
from preprocessing.config import EmbeddedFeature
from preprocessing.errors import UsageError
from preprocessing.inputs import ImageInput, TextInput
from tests.pipeline.kubeflow.deployed import load
from trainer.backbones.record import Backbone

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
ARGO = ROOT.parent / "shared" / "tools" / "kfp-argo-compiler.xz"
EXAMPLES = sorted(
    path.relative_to(ROOT / "examples").as_posix() for path in (ROOT / "examples").rglob("*.yaml")
)
# What no example has: the stock components of records, the Tuner and the BulkInferrer.
MORE = {
    "records": """\
name: records_of_others
data: {source: {kind: tfrecord, path: {train: "gs://acme/train*", eval: "gs://acme/eval*"}}}
features: {image: {kind: image, backbone: "hub:backbone"}}
validate: {validator: none}
""",
    "spans": """\
name: spans
data: {source: {kind: csv, path: "gs://acme/{SPAN}/table.csv"}, spans: {last: 3}}
features: {image: {kind: image, backbone: "hub:backbone"}}
""",
    "everything": """\
name: everything
local_workdir: /srv/of-this-machine
data: {source: {kind: csv, path: "gs://acme/table.csv"}}
features:
  image: {kind: image, backbone: "hub:backbone"}
  price: {kind: numeric}
train: {mode: fine_tune, warm_start: true}
tune: {trials: 3}
evaluate: {slices: [[source]], slice_thresholds: {accuracy: {min: 0.5}}}
export: [tflite]
predict: {source: {kind: csv, path: "gs://acme/new.csv"}}
deploy:
  secrets: [{env: HF_TOKEN, name: hf, key: token}]
  volumes: [{claim: data, mount: /data}]
""",
}
COMPILED = [*EXAMPLES, *MORE]
DEPLOY = (
    "deploy.image=europe-docker.pkg.dev/acme/ml/graft:1.4",
    "deploy.pipeline_root=gs://acme/pipelines",
    "deploy.labels={team: vision}",
    "deploy.machines={default: {cpu: 2, memory_gb: 8}, "
    "Trainer: {machine_type: n1-standard-8, accelerator: {type: NVIDIA_TESLA_T4}}}",
    "push.path=gs://acme/serving/model",
)
INPUTS = {
    "image": ImageInput(height=96, width=96, input_range=(0, 1)),
    "text": TextInput(sequence_length=128),
}


def _vendored(config) -> dict[str, Backbone]:
    """Records as vendoring gives them; none of the examples' backbones is loaded to compile."""
    return {
        name: Backbone(
            input=INPUTS[feature.kind],
            feature_width=8,
            handle=feature.backbone.handle,
            kind="hub",
            digest="sha256:" + "0" * 64,
            path="gs://acme/pipelines/backbones/" + "0" * 16,
        )
        for name, feature in config.features.items()
        if isinstance(feature, EmbeddedFeature)
    }


def _data_elsewhere(path: Path) -> tuple[str, ...]:
    written = yaml.safe_load(path.read_text())["data"]["source"]["path"]
    splits = written if isinstance(written, dict) else {"": written}
    return tuple(
        f"data.source.path{'.' * bool(split)}{split}=gs://acme/{Path(one).name}"
        for split, one in splits.items()
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Compiles an example for a target; each once."""
    from pipeline.kubeflow.checks import check_deploy
    from pipeline.kubeflow.compile import build_spec
    from pipeline.kubeflow.parameters import find_parameters, with_thresholds

    done: dict = {}

    def compiled(example: str, target: str) -> list[dict]:
        if (example, target) not in done:
            changes = DEPLOY
            if example in MORE:
                path = tmp_path_factory.mktemp(example) / "graft.yaml"
                path.write_text(MORE[example])
                if target == "vertex":
                    changes += ("deploy.secrets=[]", "deploy.volumes=[]")
            else:
                path = ROOT / "examples" / example
                changes += _data_elsewhere(path)
            config = with_thresholds(load_config(path, changes, must_exist=False))
            deploy = check_deploy(config, target)
            parameters = find_parameters(config)
            backbones = _vendored(config)
            done[example, target] = build_spec(config, deploy, target, backbones, parameters)
        return done[example, target]

    return compiled


@pytest.mark.parametrize("target", ["vertex", "kubeflow"])
@pytest.mark.parametrize("example", COMPILED)
def test_the_spec_is_one_by_the_letter_of_the_protos(compiled, example, target):
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    first, *others = compiled(example, target)
    if target == "vertex":
        json_format.ParseDict(first, pipeline_spec_pb2.PipelineJob())
        first = first["pipelineSpec"]
    spec = json_format.ParseDict(first, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(first["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
    for platform in others:
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    assert spec.schema_version == "2.1.0"
    # A run that says nothing of a parameter has one all the same.
    parameters = first["root"]["inputDefinitions"]["parameters"].values()
    assert all("defaultValue" in one for one in parameters)
    # Nothing of this machine's is in it.
    assert str(ROOT) not in json.dumps(first)
    assert "of-this-machine" not in json.dumps(first)


def _parameters(spec, task):
    return spec["root"]["dag"]["tasks"][task].get("inputs", {}).get("parameters", {})


@pytest.mark.parametrize("target", ["vertex", "kubeflow"])
@pytest.mark.parametrize("example", COMPILED)
def test_every_parameter_finds_its_places(compiled, example, target):
    spec = compiled(example, target)[0]
    spec = spec.get("pipelineSpec", spec)
    given = spec["root"]["inputDefinitions"]["parameters"]
    used = set()
    for name, container in containers(spec):
        args = container["args"]
        places = [read_place(args[n + 1]) for n, one in enumerate(args) if one == "--lay_over"]
        told = {
            key: given[key]["defaultValue"] if key in given else one["runtimeValue"]["constant"]
            for key, one in _parameters(spec, name).items()
        }
        laid = lay_over(told, places)
        for place in places:
            assert json.loads(laid[place.parameter]) == json.loads(told[place.parameter])
            used.add(place.name)
    assert used == set(given)


@pytest.mark.parametrize("example", COMPILED)
def test_kubeflow_s_loader_takes_the_yaml(compiled, example):
    from kfp import components

    text = yaml.safe_dump_all(compiled(example, "kubeflow"), sort_keys=True)
    loaded = components.load_component_from_text(text)
    assert "epochs" in loaded.component_spec.inputs
    assert loaded.component_spec.inputs["epochs"].optional
    assert ("span" in loaded.component_spec.inputs) == (example == "spans")


@pytest.fixture(scope="session")
def argo(tmp_path_factory):
    """Kubeflow's own compiler from specs to what its cluster runs."""
    if not ARGO.is_file():
        pytest.skip("Kubeflow's compiler is not beside this checkout: ../shared/tools")
    folder = tmp_path_factory.mktemp("argo")
    program = folder / "kfp-argo-compiler"
    program.write_bytes(lzma.decompress(ARGO.read_bytes()))
    program.chmod(0o755)

    def argo(documents: list[dict]) -> subprocess.CompletedProcess:
        (folder / "pipeline.yaml").write_text(yaml.safe_dump(documents[0]))
        options = ("--spec", "pipeline.yaml", "--pipeline_root", "gs://acme/root")
        images = ("--driver", "driver", "--launcher", "launcher")
        return subprocess.run(
            [str(program), *options, *images], cwd=folder, capture_output=True, text=True
        )

    return argo


@pytest.mark.parametrize("example", COMPILED)
def test_kubeflow_s_compiler_takes_the_spec(compiled, argo, example):
    documents = compiled(example, "kubeflow")
    done = argo(documents)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "kind: Workflow" in done.stdout or '"kind": "Workflow"' in done.stdout


def test_kubeflow_s_compiler_would_refuse_a_resolver(compiled, argo):
    # So that the test above is one: Vertex' spec has what Kubeflow cannot run.
    job = compiled("groceries.yaml", "vertex")[0]
    assert argo([job["pipelineSpec"]]).returncode != 0


@pytest.mark.parametrize("example", COMPILED)
def test_vertex_takes_the_job(compiled, example, tmp_path):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps(compiled(example, "vertex")[0]))
    job = aiplatform.PipelineJob(
        display_name="graft",
        template_path=str(path),
        project="acme",
        location="europe-west4",
        credentials=AnonymousCredentials(),
        parameter_values={"epochs": 3},
    )
    sent = job._gca_resource
    assert sent.runtime_config.parameter_values["epochs"] == 3
    assert sent.runtime_config.gcs_output_directory == "gs://acme/pipelines"


def test_the_command_compiles_the_demo_with_its_own_backbone(tmp_path, capsys):
    from pipeline.cli import main

    (tmp_path / "backbone").symlink_to(ROOT / "examples" / "digits" / "backbone")
    (tmp_path / "digits.yaml").write_text((ROOT / "examples/digits/digits.yaml").read_text())
    output = tmp_path / "out" / "pipeline.yaml"
    sets = [*DEPLOY, "data.source.path=gs://acme/digits"]
    code = main(
        ["compile", str(tmp_path / "digits.yaml"), "--target", "kubeflow", "-o", str(output)]
        + [word for one in sets for word in ("--set", one)]
        + ["--parameter", "epochs=7"]
    )
    assert code == 0, capsys.readouterr().err
    submit = json.loads(Path(f"{output}.submit.json").read_text())
    assert submit["parameters"]["epochs"] == 7
    (copy,) = submit["backbones"]
    assert os.path.isdir(copy["source"])
    assert copy["target"] == f"gs://acme/pipelines/backbones/{Path(copy['source']).name}"
    spec, _ = yaml.safe_load_all(output.read_text())
    assert spec["root"]["inputDefinitions"]["parameters"]["epochs"]["defaultValue"] == 7
    assert copy["target"] in json.dumps(spec["root"]["dag"]["tasks"]["Trainer"])


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    from pipeline.kubeflow.compile import write

    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        write(tmp_path / "file" / "pipeline.yaml", "")
    assert str(caught.value).startswith("The file cannot be written: ")
    assert f"Received: '{tmp_path}/file/pipeline.yaml'" in str(caught.value)


def _inputs_of_trainer(folder, root):
    from pipeline.kubeflow.checks import check_deploy
    from pipeline.kubeflow.compile import build_spec
    from pipeline.kubeflow.parameters import find_parameters

    config = load(folder, f"deploy.pipeline_root={root}", "deploy.backbones=gs://acme/backbones")
    deploy = check_deploy(config, "kubeflow")
    parameters = find_parameters(config)
    spec = build_spec(config, deploy, "kubeflow", _vendored(config), parameters)[0]
    return set(spec["root"]["dag"]["tasks"]["Trainer"]["inputs"]["artifacts"])


def test_raw_examples_are_copied_to_the_trainer_where_it_cannot_read_them_itself(tmp_path):
    declared = {"examples", "transform_graph"}
    assert _inputs_of_trainer(tmp_path, "s3://acme/root") == declared | {"raw_examples"}
    assert _inputs_of_trainer(tmp_path, "gs://acme/root") == declared


def test_backbones_go_into_the_bucket_that_vertex_mounts(tmp_path):
    from pipeline.kubeflow.compile import compile_pipeline

    (tmp_path / "backbone").symlink_to(ROOT / "examples" / "digits" / "backbone")
    config = load(tmp_path, "deploy.backbones=/gcs/acme/backbones")
    output = tmp_path / "pipeline.json"
    submit = compile_pipeline(config, config.deploy, "vertex", output)
    (copy,) = submit.backbones
    assert copy.target == f"gs://acme/backbones/{Path(copy.source).name}"
    assert f"/gcs/acme/backbones/{Path(copy.source).name}" in output.read_text()
