"""The two TFX stacks, and which of them can work on a machine.

A stack is a lock under requirements/ with the glibc and the Pythons that its
wheels exist for. To move to a new TFX, add its input file under requirements/,
one record to STACKS, and run `make locks`. Everything here is plain rules over
facts that machine.py and requirements/interpreters.py read; it runs before
anything is installed, so standard library and Python 3.8 only.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.machine import Machine, install_command


@dataclass(frozen=True)
class Stack:
    """One set of pinned versions.

    Attributes:
        name: Name of its lock under requirements/, without the suffix.
        pythons: Versions its wheels exist for, the preferred one first.
        min_glibc: Oldest glibc that its wheels load on.
    """

    name: str
    pythons: tuple[str, ...]
    min_glibc: tuple[int, int]


# Preferred first. 1.21: ml-metadata and TFDV have only manylinux_2_39 wheels.
# 1.16: h5py, pillow and others of its lock have none below manylinux_2_28.
STACKS = (
    Stack("tfx-1.21", ("3.13", "3.12", "3.11"), (2, 39)),
    Stack("tfx-1.16", ("3.10",), (2, 28)),
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that was found and answered.

    Attributes:
        path: Where it is.
        version: Such as "3.10".
        include: Folder where its headers should be.
        has_headers: Whether Python.h is in it.
    """

    path: str
    version: str
    include: str = ""
    has_headers: bool = True


class CannotSetUpError(Exception):
    """Set-up cannot work here; the message says what is missing and what mends it.

    Outside the tree of preprocessing/errors.py, because set-up must start on
    Pythons that Graft itself does not run on.
    """


def find_stack(name: str) -> Stack:
    """Returns the stack of that name.

    Raises:
        CannotSetUpError: If there is none.
    """
    for stack in STACKS:
        if stack.name == name:
            return stack
    valid = ", ".join(stack.name for stack in STACKS)
    raise CannotSetUpError(f"There is no such stack.\n  Received: {name!r}\n  Valid: {valid}")


def runs_on(stack: Stack, machine: Machine) -> bool:
    """Tells whether the stack's wheels load on the machine, whatever its Pythons."""
    return (
        machine.system == "Linux"
        and machine.processor == "x86_64"
        and machine.glibc is not None
        and machine.glibc >= stack.min_glibc
    )


def choose(
    machine: Machine, stacks: tuple[Stack, ...], interpreters: tuple[Interpreter, ...]
) -> tuple[Stack, Interpreter] | None:
    """Picks the stack and the interpreter to install.

    Args:
        machine: Where they must run.
        stacks: Candidates, preferred first.
        interpreters: What was found, in the order of search.

    Returns:
        The first stack that runs here with its most preferred Python, one that
        has its headers where any has; None when no pair fits.
    """
    pairs = [
        (stack, interpreter)
        for stack in stacks
        if runs_on(stack, machine)
        for version in stack.pythons
        for interpreter in interpreters
        if interpreter.version == version
    ]
    with_headers = [pair for pair in pairs if pair[1].has_headers]
    return next(iter(with_headers or pairs), None)


def explain_no_stack(
    machine: Machine, stacks: tuple[Stack, ...], interpreters: tuple[Interpreter, ...]
) -> str:
    """Says for each stack what it needs, what of it is missing, and what mends that."""
    found = ", ".join(f"{each.version} ({each.path})" for each in interpreters) or "none"
    lines = [
        "No TFX stack can be installed here.",
        f"  Found: {describe(machine)}; Python: {found}",
    ]
    for stack in stacks:
        lines.append(f"  {stack.name} needs {_needs(stack, machine, interpreters)}")
    lines.append(f"  To mend it: {_mend(machine, stacks)}")
    return "\n".join(lines)


def describe(machine: Machine) -> str:
    """Names system, processor and C library in a few words."""
    library = "no glibc" if machine.glibc is None else f"glibc {_dotted(machine.glibc)}"
    return f"{machine.system} on {machine.processor}, {library}"


def explain_unbuildable(machine: Machine, interpreter: Interpreter, reason: str) -> str:
    """Says why pyfarmhash, which exists only as source, cannot be compiled here.

    Args:
        machine: Where it should be compiled.
        interpreter: What it should be compiled for.
        reason: The compiler's complaint; empty when there is no compiler.

    Returns:
        The message: what is missing and the command that installs it.
    """
    lines = ["TFX's dependency pyfarmhash must be compiled, and that cannot work yet."]
    commands = []
    if not reason:
        lines.append("  Missing: a C++ compiler (neither $CXX nor c++ nor g++ is on PATH)")
        commands.append(install_command(machine.distribution, "compiler"))
    if not interpreter.has_headers:
        lines.append(f"  Missing: {interpreter.include}/Python.h, headers of {interpreter.path}")
        commands.append(install_command(machine.distribution, "headers", interpreter.version))
    if not commands:
        lines.append(f"  The compiler says: {reason}")
        commands.append(install_command(machine.distribution, "compiler"))
    return "\n".join([*lines, f"  To mend it: {' && '.join(commands)}"])


def _needs(stack: Stack, machine: Machine, interpreters: tuple[Interpreter, ...]) -> str:
    """Lists a stack's needs, each with whether it is met."""
    on_linux = machine.system == "Linux" and machine.processor == "x86_64"
    has_glibc = machine.glibc is not None and machine.glibc >= stack.min_glibc
    has_python = any(each.version in stack.pythons for each in interpreters)
    needs = (
        ("Linux on x86_64", on_linux),
        (f"glibc {_dotted(stack.min_glibc)} or newer", has_glibc),
        (f"Python {' or '.join(stack.pythons)}", has_python),
    )
    return ", ".join(f"{need} ({'found' if met else 'MISSING'})" for need, met in needs)


def _mend(machine: Machine, stacks: tuple[Stack, ...]) -> str:
    """Names what brings the machine to one of the stacks."""
    fitting = [stack for stack in stacks if runs_on(stack, machine)]
    if not fitting:
        return "use Debian 13 or Ubuntu 24.04 on x86_64, for example `docker run -it debian:13`"
    version = fitting[0].pythons[0]
    return (
        f"install Python {version}, for example with `pyenv install {version}` or "
        f"`uv python install {version}`, or point GRAFT_PYTHON at one"
    )


def _dotted(version: tuple[int, ...]) -> str:
    """Writes (2, 39) as 2.39."""
    return ".".join(map(str, version))
