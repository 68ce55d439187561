"""Our own TFX components, one folder each.

`components.ModelCard` and the other artifact types can be had from here, as
their TYPE_NAMEs say; TFX is imported when one is asked for.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Finds an artifact type (artifacts.py)."""
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from components import artifacts

    return getattr(artifacts, name)
