"""The section `export` of a config, and what it needs on the machine."""

import stat

import pytest

from components.exporter.config import ExportConfig
from components.exporter.tfjs import what_is_missing
from pipeline.config import load_config
from preprocessing.errors import ConfigError

CONFIG = """\
name: flowers
data:
  source: {kind: image_folder, path: data}
features:
  image: {kind: image, backbone: "hub:backbone"}
"""


@pytest.fixture
def read(tmp_path):
    (tmp_path / "data").mkdir()

    def read_with(section):
        (tmp_path / "flowers.yaml").write_text(CONFIG + section)
        return load_config(tmp_path / "flowers.yaml")

    return read_with


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """An empty folder of TensorFlow.js's tools, and a PATH with nothing on it."""
    monkeypatch.setenv("GRAFT_TFJS", str(tmp_path / "tools"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "tools"


def test_without_the_section_nothing_is_exported(read):
    assert read("").exports is None


def test_a_list_is_short_for_the_formats_each_once(read):
    config = read("export: [tflite, tflite_int8, tflite]\n")
    assert config.exports == ExportConfig(formats=("tflite", "tflite_int8"))


def test_the_section_may_say_more(read):
    config = read("export: {formats: [tflite_fp16], max_accuracy_loss: 0.05, check: false}\n")
    assert config.exports == ExportConfig(
        formats=("tflite_fp16",), max_accuracy_loss=0.05, check=False
    )


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("export: [tflite_int]\n", "export.0"),
        ("export: {formats: [tflite_int]}\n", "export.formats.0"),
    ],
)
def test_an_unknown_format_is_answered_with_the_closest(read, section, key):
    with pytest.raises(ConfigError) as error:
        read(section)
    assert str(error.value) == (
        f"flowers.yaml, line 6: {key} is not valid\n"
        "  Received: 'tflite_int'\n"
        "  Valid: tflite, tflite_fp16, tflite_int8, tfjs\n"
        "  Did you mean 'tflite_int8'?\n"
        "  See: graft schema"
    )


def test_tfjs_without_its_converter_is_refused_before_anything_runs(read, tools):
    assert read("export: [tflite]\n").exports
    with pytest.raises(ConfigError) as error:
        read("export: [tflite, tfjs]\n")
    assert str(error.value) == (
        "flowers.yaml, line 6: export: tfjs cannot be made: "
        f"the converter is not in {tools}: run `make tfjs`\n"
        "  Received: ['tflite', 'tfjs']"
    )


def test_node_is_needed_only_where_exports_are_run(tools):
    (tools / "python" / "tensorflowjs").mkdir(parents=True)
    assert what_is_missing(check=False) == ""
    assert what_is_missing(check=True) == (
        "Node.js is not on PATH, with which each export is run: install it (Debian, Ubuntu: "
        "apt-get install nodejs npm) and run `make tfjs`, or set export.check to false"
    )
    node = tools.with_name("bin") / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\n")
    node.chmod(node.stat().st_mode | stat.S_IXUSR)
    assert what_is_missing(check=True) == (
        f"@tensorflow/tfjs, with which each export is run, is not in {tools}: "
        "run `make tfjs`, or set export.check to false"
    )
    (tools / "node_modules" / "@tensorflow" / "tfjs").mkdir(parents=True)
    assert what_is_missing(check=True) == ""
