import sys

import pytest

from pipeline.machine import Machine
from requirements import stamp

MACHINE = Machine("Linux", "x86_64", (2, 36))


@pytest.fixture
def checkout(tmp_path):
    for folder in ("requirements", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "requirements/tfx-1.16.lock").write_text("tfx==1.16.0\n")
    (tmp_path / "setup.py").write_text("setup()\n")
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    stamp.write(tmp_path, stamp.describe(tmp_path, "tfx-1.16", MACHINE, {}))
    return tmp_path


def test_nothing_changed_means_nothing_to_do(checkout):
    assert stamp.is_current(checkout, MACHINE, {"HOME": "/root"})


def change_lock(root):
    (root / "requirements/tfx-1.16.lock").write_text("tfx==1.16.1\n")


def change_setup(root):
    (root / "setup.py").write_text("setup(name='graft')\n")


def lose_the_interpreter(root):
    (root / ".venv/bin/python").unlink()


def change_the_interpreter(root):
    (root / ".venv/bin/python").unlink()
    (root / ".venv/bin/python").symlink_to("/bin/sh")


def damage_the_note(root):
    (root / ".venv" / stamp.NAME).write_text("{")


@pytest.mark.parametrize(
    "change",
    [
        change_lock,
        change_setup,
        lose_the_interpreter,
        change_the_interpreter,
        damage_the_note,
        stamp.remove,
    ],
    ids=lambda change: change.__name__,
)
def test_any_change_asks_for_a_new_environment(checkout, change):
    change(checkout)

    assert not stamp.is_current(checkout, MACHINE, {})


@pytest.mark.parametrize("name", ["GRAFT_STACK", "GRAFT_PYTHON"])
def test_another_wish_asks_for_a_new_environment(checkout, name):
    assert not stamp.is_current(checkout, MACHINE, {name: "other"})


def test_another_glibc_asks_for_a_new_environment(checkout):
    assert not stamp.is_current(checkout, Machine("Linux", "x86_64", (2, 41)), {})


def test_a_moved_checkout_asks_for_a_new_environment(checkout):
    moved = checkout.with_name("moved")
    checkout.rename(moved)

    assert not stamp.is_current(moved, MACHINE, {})
