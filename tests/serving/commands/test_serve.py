"""What is typed wrong is answered at once, before anything heavy is imported."""

import pytest

from pipeline.cli import main


@pytest.fixture
def folder(tmp_path):
    """A folder of versions, as far as `graft serve` looks before it loads."""
    (tmp_path / "colours" / "1").mkdir(parents=True)
    (tmp_path / "colours" / "1" / "saved_model.pb").write_bytes(b"")
    return tmp_path / "colours"


def _said(capsys, *arguments):
    assert main(["serve", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_a_folder_without_versions_is_a_mistake(tmp_path, capsys):
    for path in (tmp_path, tmp_path / "absent"):
        assert _said(capsys, path) == (
            "graft: There is no version of a model in this folder, such as 1/saved_model.pb\n"
            f"  Received: '{path}'\n"
            "  See: graft run\n"
        )


def test_one_version_is_not_what_is_served(folder, capsys):
    assert _said(capsys, folder / "1") == (
        "graft: This is one version; serve the folder that holds it, where new ones will appear\n"
        f"  Received: '{folder}/1'\n"
        f"  See: graft serve {folder}\n"
    )


def test_an_address_is_for_tensorflow_model_server(capsys):
    assert _said(capsys, "gs://bucket/flowers", "--engine", "local") == (
        "graft: Of all engines only tensorflow_model_server watches an address\n"
        "  Received: 'local'\n"
        "  See: --engine\n"
    )


def test_an_address_without_a_file_system_is_a_mistake(capsys):
    said = _said(capsys, "gopher://bucket/flowers")
    assert said.startswith(
        "graft: PATH: TensorFlow has no file system for this address\n"
        "  Received: 'gopher://bucket/flowers'\n  Valid: "
    )


def test_the_protocols_do_not_share_a_port(folder, capsys):
    assert _said(capsys, folder, "--rest-port", "8500") == (
        "graft: --rest-port and --grpc-port: each protocol needs a port of its own\n"
        "  Received: 8500\n"
    )


def test_a_name_that_cannot_stand_in_an_address_is_a_mistake(folder, capsys):
    assert _said(capsys, folder, "--name", "a/b") == (
        "graft: A model's name has no slash, colon or space\n  Received: 'a/b'\n  See: --name\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("--max-batch", "0", "--max-batch: Input should be greater than 0\n  Received: 0"),
        ("--max-seconds", "-1", "--max-seconds: Input should be greater than 0\n  Received: -1.0"),
    ],
)
def test_a_limit_must_be_positive(folder, capsys, option, value, error):
    assert _said(capsys, folder, option, value) == f"graft: {error}\n"


def test_a_host_that_is_not_this_machines_is_a_mistake(folder, capsys):
    assert _said(capsys, folder, "--engine", "local", "--host", "192.0.2.1") == (
        "graft: The server cannot listen there: the port is taken, "
        "or the address is not this machine's\n"
        "  Received: '192.0.2.1:8501'\n"
    )
