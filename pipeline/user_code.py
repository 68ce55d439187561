"""The user's own Python that a config names: found, looked into and digested, never run.

Running it is the Trainer's, which imports it from the folder that
`importable` puts on the path.
"""

import ast
import contextlib
import hashlib
import importlib
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from preprocessing.errors import ConfigError, explain


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Puts a folder behind everything else on the path, so that it hides nothing."""
    before = list(sys.path)
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def check_function(function: str, base: Path) -> None:
    """Looks whether a function is there, without running its module.

    Args:
        function: `package.module:function`.
        base: The config's folder.

    Raises:
        ConfigError: If the module is not found, is no Python, or lacks the name.
    """
    module, _, name = function.partition(":")
    path = find_module(module, base)
    if path is None:
        beside = sorted(file.stem for file in base.glob("*.py"))
        what = f"no such module beside the config ({base}) or on Python's path"
        raise ConfigError(explain(what, module, beside))
    try:
        names = defined_names(path)
    except (SyntaxError, ValueError, UnicodeDecodeError) as error:
        raise ConfigError(explain(f"the module cannot be read: {error}", str(path))) from None
    if name not in names and "*" not in names:
        raise ConfigError(explain(f"{path.name} does not define it", name, sorted(names)))


def find_module(name: str, base: Path) -> Path | None:
    """Finds a module's file as an import would, without importing its packages.

    Args:
        name: Dotted name.
        base: Searched after Python's path.

    Returns:
        The file, a package's `__init__.py`; None where there is none.
    """
    importlib.invalidate_caches()
    folders: list[str] | None = [*sys.path, str(base)]
    spec = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), folders)
        if spec is None:
            return None
        folders = list(spec.submodule_search_locations or [])
    origin = spec.origin if spec else None
    return Path(origin) if origin and origin.endswith(".py") else None


def defined_names(path: Path) -> set[str]:
    """Names that a module's top level defines or imports; `*` where it imports all of another."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8"), path.name).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def digest_function(function: str | None, base: Path) -> str | None:
    """Digests the code behind a function: its file, or the whole package that it is in.

    Args:
        function: `package.module:function`, or None.
        base: The config's folder.

    Returns:
        `sha256:…` over names and contents; None without a function.
    """
    if function is None:
        return None
    package, dot, _ = function.partition(":")[0].partition(".")
    path = find_module(function.partition(":")[0], base)
    top = find_module(package, base) if dot else None
    root = top.parent if top else path
    files = [root] if root and root.is_file() else sorted(root.rglob("*.py")) if root else []
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"
