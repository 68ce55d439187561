"""Refuses configs that hold a password or a token.

A config is committed, copied into artifacts and written into summary.json, so
a secret in it is a secret given away. Add a form of secret to `_VALUES`.
"""

import re
from typing import Any

from pipeline.yaml_source import Document, Path
from preprocessing.errors import ConfigError

_KEYS = re.compile(
    r"(^|[_-])(token|password|passwd|secret|api_?key|access_?key|credentials?)$", re.IGNORECASE
)
_VALUES = (
    (re.compile(r"\b(hf|ghp|gho|ghs|glpat|xox[abp])[_-][A-Za-z0-9_-]{16,}"), "a token"),
    (re.compile(r"\bgithub_pat_\w{20,}"), "a token"),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), "an access key"),
    (re.compile(r"\bAIza[\w-]{35}"), "an API key"),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"), "a token"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), "a password in a URL"),
    (
        re.compile(r"[?&](token|access_token|api_?key|key|sig|signature)=[^&\s]{8,}", re.I),
        "a token",
    ),
)


def check_secrets(document: Document) -> None:
    """Checks every text in a config, without repeating it in the error.

    Raises:
        ConfigError: A key asks for a secret, or a value looks like one.
    """
    found = _find(document.data, ())
    if found is None:
        return
    path, what = found
    place = document.places.get(path)
    where = ".".join(str(part) for part in path)
    raise ConfigError(
        (
            f"{where} looks like {what}"
            if place is None or place.startswith("--set")
            else f"{place}: {where} looks like {what}"
        )
        + "; a config is no place for secrets\n"
        "  Received: (not shown)\n"
        "  Valid: a path or handle that needs no secret, such as a local copy of the model"
    )


def _find(value: Any, path: Path) -> tuple[Path, str] | None:
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    elif isinstance(value, str):
        if path and value and isinstance(path[-1], str) and _KEYS.search(path[-1]):
            return path, "a secret"
        return next(((path, what) for form, what in _VALUES if form.search(value)), None)
    else:
        return None
    return next((hit for key, item in items if (hit := _find(item, (*path, key)))), None)
