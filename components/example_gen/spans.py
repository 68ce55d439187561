"""Which spans of a source are there, and which of them a run takes.

Spans, versions and dates mean what they mean to TFX's own drivers; those find one
span, the newest, where a window has several. What does not fit the pattern is
passed over: a span may be written under another name and renamed when it is whole.
"""

import collections
import re
from collections.abc import Iterator, Mapping

import tensorflow as tf

from components.example_gen.config import Paths
from components.example_gen.sources.split_names import paths_of
from components.example_gen.span_config import (
    PLACEHOLDER,
    SpansConfig,
    date_number,
    number_of,
)
from preprocessing.config import Record
from preprocessing.errors import DataError, explain

_LISTED = 20
_DIGITS = {"YYYY": r"\d{4}", "MM": r"\d{2}", "DD": r"\d{2}"}

# Of one path: the texts that stood in for its placeholders.
Tokens = dict[str, str]


class Span(Record):
    """One span of the data.

    Attributes:
        number: Of a date, the days since 1970-01-01.
        name: As it stands in the path; of a date, as 2026-01-31.
        version: The newest one, where the path has versions.
        path: Of the source, without placeholders.
        fingerprint: Changes when the span's data does.
    """

    number: int
    name: str
    version: int | None = None
    path: Paths
    fingerprint: str = ""


def find_spans(paths: Paths, wanted: SpansConfig) -> list[Span]:
    """Looks for the spans that a run takes.

    Args:
        paths: With placeholders.
        wanted: Which of those that are there.

    Returns:
        The spans, the oldest first; at least one.

    Raises:
        DataError: If there is none, `to` is not there, two are the same one, or
            a split lacks one or has it in another version.
    """
    found = {split: _listed(pattern, _key(split)) for split, pattern in paths_of(paths).items()}
    names = {number: versions.name for by in found.values() for number, versions in by.items()}
    if not names:
        see = str(paths) if isinstance(paths, str) else ", ".join(paths.values())
        pattern = next(iter(paths_of(paths).values()))
        what = "data.source.path: there is no span that fits it."
        raise DataError(explain(what, see, _beside(pattern)))
    start, end = number_of(wanted.from_), number_of(wanted.to)
    there = [names[number] for number in sorted(names)][-_LISTED:]
    if end is not None and end not in names:
        raise DataError(explain("data.spans.to: there is no such span.", wanted.to, there))
    inside = [
        number
        for number in sorted(names)
        if (start is None or start <= number) and (end is None or number <= end)
    ]
    if not inside:
        what = "data.spans.from: there is no span from there on."
        raise DataError(explain(what, wanted.from_, there))
    return [_span(number, paths, found) for number in inside[-(wanted.count or 0) :]]


class _Versions(dict[int | None, Tokens]):
    """The versions of one span in one path, and what it is called."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _span(number: int, paths: Paths, found: Mapping[str | None, dict[int, _Versions]]) -> Span:
    newest: dict[str | None, int | None] = {}
    filled: dict[str | None, str] = {}
    name = ""
    for split, pattern in paths_of(paths).items():
        versions = found[split].get(number)
        if versions is None:
            there = [one.name for one in found[split].values()][-_LISTED:]
            name = next(by[number].name for by in found.values() if number in by)
            raise DataError(
                explain(f"{_key(split)}: it lacks a span that another split has.", name, there)
            )
        name = versions.name
        newest[split] = max(versions, key=lambda version: version or 0)
        filled[split] = _fill(pattern, versions[newest[split]])
    if len(set(newest.values())) > 1:
        what = f"data.source.path: the newest version of span {name} is not the same in all splits."
        raise DataError(explain(what, newest))
    path = filled[None] if None in filled else {str(split): one for split, one in filled.items()}
    return Span(number=number, name=name, version=next(iter(newest.values())), path=path)


def _listed(pattern: str, key: str) -> dict[int, _Versions]:
    """Finds each span of one path, with its versions."""
    found: dict[int, _Versions] = {}
    written: dict[tuple[int, int | None], set[str]] = collections.defaultdict(set)
    for tokens in _matches(pattern):
        try:
            number, name = _number(tokens)
        except ValueError:
            # 2026-02-30
            continue
        version = int(tokens["VERSION"]) if "VERSION" in tokens else None
        written[number, version].add(_fill(pattern, tokens))
        found.setdefault(number, _Versions(name))[version] = tokens
    for (number, _), same in written.items():
        if len(same) > 1:
            what = f"{key}: two places are both span {number}."
            raise DataError(explain(what, sorted(same)))
    return found


def _number(tokens: Tokens) -> tuple[int, str]:
    if "SPAN" in tokens:
        return int(tokens["SPAN"]), str(int(tokens["SPAN"]))
    year, month, day = tokens["YYYY"], tokens["MM"], tokens["DD"]
    return date_number(int(year), int(month), int(day)), f"{year}-{month}-{day}"


def _matches(pattern: str) -> Iterator[Tokens]:
    """Lists folders down to the last placeholder; a bucket's glob knows no folders."""
    parts = pattern.split("/")
    last = max(place for place, part in enumerate(parts) if PLACEHOLDER.search(part))
    rest = "/".join(parts[last + 1 :])

    def below(folder: str, place: int, tokens: Tokens) -> Iterator[Tokens]:
        if place > last:
            if not rest or _exists(f"{folder}/{rest}"):
                yield tokens
            return
        part = parts[place]
        if not PLACEHOLDER.search(part) and not _is_glob(part):
            yield from below(f"{folder}/{part}" if place else part, place + 1, tokens)
            return
        fits = re.compile(_regex(part))
        for name in _names_in(folder or "/"):
            if match := fits.fullmatch(name):
                yield from below(f"{folder}/{name}", place + 1, tokens | match.groupdict())

    yield from below("", 0, {})


def _regex(part: str) -> str:
    regex, end = "", 0
    for one in PLACEHOLDER.finditer(part):
        regex += _glob_regex(part[end : one.start()])
        name, width = one.groups()
        digits = _DIGITS.get(name, rf"\d{{{int(width)}}}" if width else r"\d+")
        regex += f"(?P<{name}>{digits})"
        end = one.end()
    return regex + _glob_regex(part[end:])


def _glob_regex(text: str) -> str:
    return re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")


def _fill(pattern: str, tokens: Tokens) -> str:
    return PLACEHOLDER.sub(lambda one: tokens.get(one[1], one[0]), pattern)


def _is_glob(part: str) -> bool:
    return any(sign in part for sign in "*?")


def _exists(path: str) -> bool:
    return bool(tf.io.gfile.glob(path)) if _is_glob(path) else tf.io.gfile.exists(path)


def _names_in(folder: str) -> list[str]:
    # Of a bucket that does not let us in, `listdir` says that it is not there; this raises.
    if not tf.io.gfile.exists(folder):
        return []
    try:
        # Buckets end folders with a slash.
        return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(folder))
    except (tf.errors.NotFoundError, tf.errors.FailedPreconditionError):
        return []


def _beside(pattern: str) -> list[str]:
    parts = pattern.split("/")
    first = next(place for place, part in enumerate(parts) if PLACEHOLDER.search(part))
    return _names_in("/".join(parts[:first]) or "/")[:_LISTED]


def _key(split: str | None) -> str:
    return "data.source.path" if split is None else f"data.source.path.{split}"
