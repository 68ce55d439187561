from pipeline.stacks import find_stack
from requirements.locks import compile_command


def test_one_lock_serves_every_python_of_a_stack():
    command = " ".join(compile_command(find_stack("tfx-1.21"), upgrade=False))

    assert "tfx-1.21.in --override overrides.txt --python-version 3.11 --universal" in command
    assert "--upgrade" not in command


def test_a_stack_with_one_python_is_resolved_for_its_oldest_glibc():
    command = " ".join(compile_command(find_stack("tfx-1.16"), upgrade=True))

    assert "--python-version 3.10 --python-platform x86_64-manylinux_2_28" in command
    assert command.endswith("--output-file tfx-1.16.lock --upgrade")
