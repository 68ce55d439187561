"""What TensorFlow.js exports need, from the package indexes of Python and Node."""

import shutil

import pytest

from requirements import tfjs


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.setattr(tfjs, "TARGET", tmp_path / ".tfjs")
    monkeypatch.setattr(tfjs, "HERE", tmp_path / "requirements")
    shutil.copytree(tfjs.Path(tfjs.__file__).parent, tmp_path / "requirements")
    return tmp_path / ".tfjs"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not on PATH")
def test_the_converter_and_the_packages_of_node_are_fetched(target, capsys):
    assert tfjs.main() == 0
    assert capsys.readouterr().out == "TensorFlow.js is in .tfjs\n"
    assert (target / "python" / "tensorflowjs" / "converters").is_dir()
    assert not (target / "python" / "tensorflow").exists()
    packages = {path.name for path in (target / "node_modules" / "@tensorflow").iterdir()}
    assert {"tfjs", "tfjs-backend-wasm"} <= packages
    assert tfjs.is_current()
    assert {path.name for path in target.parent.iterdir()} == {"requirements", ".tfjs"}


def test_what_is_there_is_left_alone_until_a_lock_changes(target, monkeypatch):
    target.mkdir()
    (target / tfjs.STAMP).write_text(tfjs.digest_locks())
    monkeypatch.setattr(tfjs, "fetch", lambda folder: pytest.fail("nothing is to be fetched"))
    assert tfjs.main() == 0
    lock = tfjs.HERE / tfjs.LOCK
    lock.write_text(lock.read_text() + "\n")
    assert not tfjs.is_current()


def test_without_npm_it_is_said_how_to_get_it(target, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert tfjs.main() == 2
    assert capsys.readouterr().err == (
        "npm is not on PATH.\n  To mend it, on Debian or Ubuntu: apt-get install nodejs npm\n"
    )
    assert not target.exists()
