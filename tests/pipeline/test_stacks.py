import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.machine import Machine
from pipeline.stacks import (
    STACKS,
    CannotSetUpError,
    Interpreter,
    choose,
    explain_no_stack,
    explain_unbuildable,
    find_stack,
    runs_on,
)

DEBIAN_12 = Machine("Linux", "x86_64", (2, 36), ("debian",))
DEBIAN_13 = Machine("Linux", "x86_64", (2, 41), ("debian",))
ALPINE = Machine("Linux", "x86_64", None, ("alpine",))
MAC = Machine("Darwin", "arm64", None)
ROOT = Path(__file__).parents[2]


def pythons(*versions):
    return tuple(Interpreter(f"/usr/bin/python{version}", version) for version in versions)


@pytest.mark.parametrize(
    ("machine", "found", "expected"),
    [
        (DEBIAN_13, pythons("3.13"), ("tfx-1.21", "3.13")),
        (DEBIAN_13, pythons("3.11", "3.12"), ("tfx-1.21", "3.12")),
        (DEBIAN_13, pythons("3.10", "3.11"), ("tfx-1.21", "3.11")),
        (DEBIAN_13, pythons("3.10"), ("tfx-1.16", "3.10")),
        (DEBIAN_12, pythons("3.11", "3.10", "3.13"), ("tfx-1.16", "3.10")),
        (Machine("Linux", "x86_64", (2, 39)), pythons("3.12"), ("tfx-1.21", "3.12")),
        (Machine("Linux", "x86_64", (2, 38)), pythons("3.12", "3.10"), ("tfx-1.16", "3.10")),
        (Machine("Linux", "x86_64", (2, 28)), pythons("3.10"), ("tfx-1.16", "3.10")),
    ],
)
def test_the_newest_stack_that_runs_is_chosen(machine, found, expected):
    stack, interpreter = choose(machine, STACKS, found)

    assert (stack.name, interpreter.version) == expected


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        (DEBIAN_12, pythons("3.11", "3.12", "3.13")),
        (DEBIAN_13, ()),
        (Machine("Linux", "x86_64", (2, 27)), pythons("3.10")),
        (Machine("Linux", "aarch64", (2, 41)), pythons("3.13")),
        (ALPINE, pythons("3.10", "3.13")),
        (MAC, pythons("3.10", "3.13")),
    ],
)
def test_nothing_is_chosen_where_no_stack_can_work(machine, found):
    assert choose(machine, STACKS, found) is None


def test_an_interpreter_with_headers_is_preferred_even_if_its_stack_is_the_older_one():
    bare = Interpreter("/usr/bin/python3.13", "3.13", has_headers=False)
    complete = Interpreter("/opt/python3.10", "3.10")

    assert choose(DEBIAN_13, STACKS, (bare, complete))[1] == complete
    assert choose(DEBIAN_13, STACKS, (bare,))[1] == bare


@given(
    st.tuples(st.integers(1, 3), st.integers(0, 60)),
    st.lists(st.sampled_from(["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])),
)
def test_what_is_chosen_always_runs_here_on_a_python_that_was_found(glibc, versions):
    machine = Machine("Linux", "x86_64", glibc)
    found = pythons(*versions)

    chosen = choose(machine, STACKS, found)

    possible = [s for s in STACKS if runs_on(s, machine) and set(s.pythons) & set(versions)]
    assert (chosen is not None) == bool(possible)
    if chosen:
        assert chosen[0] == possible[0]
        assert chosen[1] in found
        assert chosen[1].version in chosen[0].pythons


def test_a_missing_python_is_named_with_what_installs_it():
    assert explain_no_stack(DEBIAN_12, STACKS, pythons("3.11")) == (
        "No TFX stack can be installed here.\n"
        "  Found: Linux on x86_64, glibc 2.36; Python: 3.11 (/usr/bin/python3.11)\n"
        "  tfx-1.21 needs Linux on x86_64 (found), glibc 2.39 or newer (MISSING), "
        "Python 3.13 or 3.12 or 3.11 (found)\n"
        "  tfx-1.16 needs Linux on x86_64 (found), glibc 2.28 or newer (found), "
        "Python 3.10 (MISSING)\n"
        "  To mend it: install Python 3.10, for example with `pyenv install 3.10` or "
        "`uv python install 3.10`, or point GRAFT_PYTHON at one"
    )


@pytest.mark.parametrize(
    ("machine", "missing", "mend"),
    [
        (ALPINE, "no glibc", "docker run -it debian:13"),
        (MAC, "Linux on x86_64 (MISSING)", "docker run -it debian:13"),
        (Machine("Linux", "x86_64", (2, 17)), "glibc 2.28 or newer (MISSING)", "Debian 13"),
        (DEBIAN_13, "Python 3.13 or 3.12 or 3.11 (MISSING)", "install Python 3.13"),
    ],
)
def test_each_lack_is_named_with_its_mend(machine, missing, mend):
    message = explain_no_stack(machine, STACKS, ())

    assert missing in message
    assert mend in message.splitlines()[-1]


def test_a_missing_compiler_and_missing_headers_are_mended_in_one_line():
    bare = Interpreter("/usr/bin/python3.13", "3.13", "/usr/include/python3.13", has_headers=False)

    assert explain_unbuildable(DEBIAN_13, bare, "") == (
        "TFX's dependency pyfarmhash must be compiled, and that cannot work yet.\n"
        "  Missing: a C++ compiler (neither $CXX nor c++ nor g++ is on PATH)\n"
        "  Missing: /usr/include/python3.13/Python.h, headers of /usr/bin/python3.13\n"
        "  To mend it: sudo apt-get install g++ && sudo apt-get install python3.13-dev"
    )


def test_a_compiler_that_fails_is_quoted():
    message = explain_unbuildable(DEBIAN_13, pythons("3.13")[0], "fatal error: string: not found")

    assert "  The compiler says: fatal error: string: not found\n" in message


def test_an_unknown_stack_is_refused_with_the_valid_ones():
    with pytest.raises(CannotSetUpError, match=r"'tfx-2'\n  Valid: tfx-1.21, tfx-1.16"):
        find_stack("tfx-2")


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_every_stack_has_a_lock_of_hashed_pins_that_names_no_index(stack):
    lock = (ROOT / "requirements" / f"{stack.name}.lock").read_text(encoding="utf-8")

    assert lock.splitlines()[1] == "#    make locks"
    assert "://" not in lock
    assert "tensorflow-hub==0.16.1 " in lock
    assert int(re.search(r"^setuptools==(\d+)", lock, re.MULTILINE).group(1)) < 81
    pins = re.findall(r"^[\w.-]+==\S+(?: ; .*)? (\\)$", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z]", lock, re.MULTILINE)) > 150
