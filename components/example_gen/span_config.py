"""Spans in the path of a source, as the user writes them; imports no TensorFlow.

A placeholder is known here and understood by spans.py.
"""

import contextlib
import datetime
import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from preprocessing.config import Record
from preprocessing.errors import explain

DATE = ("YYYY", "MM", "DD")
_KNOWN = ("SPAN", "VERSION", *DATE)
_WRITTEN = tuple(f"{{{name}}}" for name in _KNOWN)

# Not ${VARIABLE}, which the environment fills in.
PLACEHOLDER = re.compile(r"(?<!\$)\{([A-Za-z]+)(?::([^}/]*))?\}")

_EPOCH = datetime.date(1970, 1, 1)


def date_number(year: int, month: int, day: int) -> int:
    """Numbers a day as TFX does: days since 1970-01-01.

    Raises:
        ValueError: If there is no such day.
    """
    return (datetime.date(year, month, day) - _EPOCH).days


class SpansConfig(Record):
    """Which spans of the data a run takes."""

    last: int | None = Field(
        None,
        gt=0,
        description="how many, the newest that are there; null: the newest alone, "
        "or with `from` all from there on",
    )
    from_: int | str | None = Field(
        None, alias="from", description="none before this span: a number, or a date as 2026-01-31"
    )
    to: int | str | None = Field(None, description="the last span, which must be there; see `from`")

    @field_validator("from_", "to")
    @classmethod
    def _is_a_span(cls, value: int | str | None) -> int | str | None:
        number_of(value)
        return value

    @property
    def count(self) -> int | None:
        """How many are taken at most; None for all."""
        return self.last if self.last or self.from_ is not None else 1


def number_of(value: int | str | None) -> int | None:
    """Reads a span, which may be written as a date.

    Raises:
        ValueError: If it is neither.
    """
    if value is None or isinstance(value, int) and value >= 0:
        return value
    if str(value).isdecimal():
        return int(value)
    date = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", str(value))
    with contextlib.suppress(ValueError):
        if date:
            return date_number(int(date[1]), int(date[2]), int(date[3]))
    raise ValueError(explain("must be the number of a span, or a date", value))


def find_placeholders(paths: str | Mapping[Any, str]) -> frozenset[str]:
    """Names the placeholders in the path or paths of a source.

    Args:
        paths: One path, or one for each split.

    Raises:
        ValueError: If they cannot be understood together.
    """
    each = [paths] if isinstance(paths, str) else list(paths.values())
    found = {path: _placeholders_of(path) for path in each}
    if len(set(found.values())) > 1:
        what = "source.path: the paths of all splits must have the same placeholders"
        raise ValueError(explain(what, list(found)))
    return next(iter(found.values()))


def _placeholders_of(path: str) -> frozenset[str]:
    names = []
    for name, width in PLACEHOLDER.findall(path):
        if name in _KNOWN:
            names.append(name)
            if width and not (name in ("SPAN", "VERSION") and width.isdecimal() and int(width)):
                what = "source.path: {SPAN:3} says how many digits a number has, and so {VERSION:3}"
                raise ValueError(explain(what, f"{{{name}:{width}}}"))
        elif difflib.get_close_matches(name.upper(), _KNOWN, cutoff=0.6):
            what = "source.path: there is no such placeholder"
            raise ValueError(explain(what, f"{{{name}}}", _WRITTEN))
    found = frozenset(names)
    wrong = None
    if len(names) > len(found):
        wrong = "each placeholder may stand in it once"
    elif found & set(DATE) and not found >= set(DATE):
        wrong = "a date needs {YYYY}, {MM} and {DD}"
    elif "SPAN" in found and found & set(DATE):
        wrong = "a span is a number or a date, not both"
    elif found == {"VERSION"}:
        wrong = "a {VERSION} is one of a {SPAN} or of a date"
    if wrong:
        raise ValueError(explain(f"source.path: {wrong}", path))
    return found
