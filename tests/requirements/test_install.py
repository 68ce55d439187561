import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.doctor import installed_stack
from pipeline.stacks import CannotSetUpError
from requirements import install, stamp
from requirements.uv import find_uv

ROOT = Path(__file__).parents[2]
NEEDED = ("Makefile", "setup.py", "pyproject.toml", "requirements", "pipeline", "preprocessing")


def keep_pins(lock, names):
    """Cuts a lock down to a few packages, with their hashes."""
    blocks = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)
    return "".join(block for block in blocks if block.split("==")[0] in names)


@pytest.fixture(scope="module")
def uv_path(tmp_path_factory):
    """PATH with uv on it, so that only one test fetches it."""
    try:
        uv, _ = find_uv(tmp_path_factory.mktemp("uv"))
    except CannotSetUpError as error:
        pytest.skip(str(error))
    return f"{Path(uv).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def checkout(tmp_path):
    """A clone whose stack is two small packages, so that installing takes seconds."""
    root = tmp_path / "graft"
    root.mkdir()
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    for path in root.glob("requirements/*.lock"):
        path.write_text(keep_pins(path.read_text(), ("setuptools", "six")))
    return root


def set_up(root, python=sys.executable, **environ):
    return subprocess.run(
        [python, "-m", "requirements.install"],
        cwd=root,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def imports(root, name):
    command = [root / ".venv/bin/python", "-c", f"import {name}"]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"GRAFT_STACK": "tfx-2"}, "There is no such stack.\n  Received: 'tfx-2'"),
        ({"GRAFT_PYTHON": "/no/python"}, "GRAFT_PYTHON is '/no/python'"),
        ({"CXX": "/bin/false"}, "pyfarmhash must be compiled"),
    ],
)
def test_what_cannot_work_ends_with_a_message_and_code_2(checkout, environ, message):
    done = set_up(checkout, **environ)

    assert done.returncode == 2, done
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv").exists()


def test_set_up_starts_on_an_old_python(checkout):
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    old = sorted(pyenv.glob("versions/3.[89].*/bin/python")) or [shutil.which("python3.9")]
    if not old[0]:
        pytest.skip("there is no Python 3.8 or 3.9 on PATH or in pyenv")

    done = set_up(checkout, str(old[0]), GRAFT_STACK="tfx-2")

    assert (done.returncode, done.stderr[:24]) == (2, "There is no such stack.\n")


@pytest.mark.slow
def test_set_up_fetches_uv_works_once_and_then_has_nothing_to_do(checkout, uv_path):
    first = set_up(checkout)
    started = time.monotonic()
    second = set_up(checkout)
    seconds = time.monotonic() - started

    assert first.returncode == 0, first
    assert f"set-up: stack {installed_stack().name} on Python " in first.stdout
    assert imports(checkout, "six, setuptools, pipeline.stacks")
    assert (checkout / ".venv/bin/graft").exists()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert seconds < 5


@pytest.mark.slow
def test_a_killed_set_up_is_made_good_by_the_next(checkout, uv_path):
    command = [sys.executable, "-m", "requirements.install"]
    killed = subprocess.Popen(command, cwd=checkout, env={**os.environ, "PATH": uv_path})
    while killed.poll() is None and not (checkout / ".venv/bin/python").exists():
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not (checkout / ".venv" / stamp.NAME).exists()

    again = set_up(checkout, PATH=uv_path)

    assert again.returncode == 0, again
    assert imports(checkout, "six, setuptools, pipeline.stacks")


@pytest.mark.slow
def test_a_package_that_leaves_the_lock_leaves_the_environment(checkout, uv_path):
    assert set_up(checkout, PATH=uv_path).returncode == 0
    for path in checkout.glob("requirements/*.lock"):
        path.write_text(keep_pins(path.read_text(), ("setuptools",)))

    assert set_up(checkout, PATH=uv_path).returncode == 0
    assert not imports(checkout, "six")


@pytest.mark.slow
def test_a_file_that_is_not_the_locked_one_is_refused(checkout, uv_path):
    for path in checkout.glob("requirements/*.lock"):
        path.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", path.read_text()))

    done = set_up(checkout, PATH=uv_path)

    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert "run `make setup` again" in done.stderr
    assert not (checkout / ".venv" / stamp.NAME).exists()


def test_what_a_run_imports_is_compiled_even_where_python_is_told_not_to(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "IMPORTED", "plum, no_such_module")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / "plum.py").write_text("")

    install.compile_imports({**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    assert list(tmp_path.glob("__pycache__/plum.*.pyc"))
