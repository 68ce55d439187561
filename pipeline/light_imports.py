"""Imports TFX without what a run here never uses, which is half of the time that it takes.

`tfx.components` of TFX 1.16 imports all components with all that they need, and so the
clients of Kubernetes and Docker and a second Keras; TFMA, for one metric, a
library for languages; BigQuery's client the widgets of notebooks. None of it is
taken away: a postponed package runs when something of it is first asked for,
and what is set aside is back when the imports are done.

Another one is a line in one of the tables.
"""

import ast
import contextlib
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Packages of which a submodule is needed and the whole is not.
POSTPONED = ("nltk", "nltk.stem")
# The same, if they do nothing but import: TFX 1.21's repairs other libraries, too.
POSTPONED_IF_IDLE = ("tfx.components",)
# What libraries look for, and do without.
OPTIONAL = ("bson", "pymongo", "tqdm.notebook")


class _Postponed(types.ModuleType):
    """A package whose `__init__` has not run; its submodules can be imported."""

    def __getattr__(self, name: str) -> Any:
        # Asked for by the import system, of packages as they are.
        if name.startswith("__"):
            raise AttributeError(name)
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(f"{self.__name__}.{name}")
        self._run()
        return getattr(self, name)

    def _run(self) -> None:
        """Becomes the whole package, its parent first, in the order that they are made for."""
        parent = self.__name__.rpartition(".")[0]
        if isinstance(sys.modules.get(parent), _Postponed):
            sys.modules[parent]._run()  # type: ignore[attr-defined]
        if sys.modules.get(self.__name__) is not self:
            # The parent has imported it anew.
            self.__dict__.update(vars(sys.modules[self.__name__]))
        else:
            for other, module in list(sys.modules.items()):
                if isinstance(module, _Postponed) and other.startswith(f"{self.__name__}."):
                    del sys.modules[other]
            object.__setattr__(self, "__class__", types.ModuleType)
            spec = self.__spec__
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(self)


@contextlib.contextmanager
def light_imports() -> Iterator[None]:
    """Imports inside leave out what the tables name, where nobody has imported it yet."""
    for name in (*POSTPONED, *filter(_only_imports, POSTPONED_IF_IDLE)):
        if name not in sys.modules:
            _postpone(name)
    hidden = [name for name in OPTIONAL if name not in sys.modules]
    # What Python takes for a module that is not there.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def _only_imports(name: str) -> bool:
    """Whether a package's `__init__` has nothing but imports and what it exports."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return False
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    return all(
        isinstance(one, ast.Import | ast.ImportFrom)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        or (isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "__all__")
        for one in body
    )


def _postpone(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        return
    module = importlib.util.module_from_spec(spec)
    module.__class__ = _Postponed
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        # As the import system does, without which `import a.b` gives an `a` that has no `b`.
        setattr(sys.modules[parent], child, module)
