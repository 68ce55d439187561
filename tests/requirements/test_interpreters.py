import os
import sys

from requirements.interpreters import candidate_paths, find_interpreters, probe


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def link_to_this_python(path):
    return write_program(path, f'#!/bin/sh\nexec {sys.executable} "$@"\n')


VERSION = "{}.{}".format(*sys.version_info)


def test_pyenvs_versions_are_found_without_asking_its_shims(tmp_path):
    name = f"python{VERSION}"
    shim = write_program(tmp_path / f"shims/{name}", "#!/bin/sh\necho not found >&2; exit 127\n")
    real = link_to_this_python(tmp_path / f"versions/{VERSION}.99/bin/{name}")
    environ = {"PATH": str(tmp_path / "shims"), "PYENV_ROOT": str(tmp_path)}

    assert shim not in candidate_paths(environ)
    assert real in candidate_paths(environ)
    assert probe(real).version == VERSION


def test_a_shim_that_does_not_answer_is_passed_over(tmp_path):
    shim = write_program(
        tmp_path / f"bin/python{VERSION}", "#!/bin/sh\necho not found >&2; exit 127\n"
    )
    environ = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}

    assert shim in candidate_paths(environ)
    assert probe(shim) is None
    assert os.path.realpath(sys.executable) in {each.path for each in find_interpreters(environ)}


def test_home_is_where_pyenv_is_looked_for_when_nothing_else_is_said(tmp_path):
    real = link_to_this_python(tmp_path / ".pyenv/versions/3.10.1/bin/python3.10")

    assert real in candidate_paths({"PATH": "", "HOME": str(tmp_path)})


def test_graft_python_is_the_only_candidate(tmp_path):
    mine = link_to_this_python(tmp_path / "mine")

    assert candidate_paths({"GRAFT_PYTHON": mine, "PATH": os.environ["PATH"]}) == [mine]
    assert [each.version for each in find_interpreters({"GRAFT_PYTHON": mine})] == [VERSION]
    assert find_interpreters({"GRAFT_PYTHON": str(tmp_path / "none")}) == ()


def test_an_environments_python_is_told_by_the_python_behind_it():
    assert probe(sys.executable).path == os.path.realpath(sys.executable)


def test_a_python_that_no_stack_has_wheels_for_is_left_out(tmp_path):
    facts = '{"path": "/opt/pypy", "version": "3.10", "usable": false}'
    pypy = write_program(tmp_path / "pypy", f"#!/bin/sh\necho '{facts}'\n")
    old = write_program(tmp_path / "old", "#!/bin/sh\necho 'Python 2.7'\n")

    assert probe(pypy) is None
    assert probe(old) is None
