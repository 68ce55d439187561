"""Beam in this process without what it does again and again, a third of a small job.

Each is a function of Beam's that gives the same answer faster, and has a test
that says so. Another one is a function here and a line in `lighten_beam`.
"""

import functools
import inspect
import types
import weakref
from collections.abc import Callable, MutableMapping
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.transforms import core


def lighten_beam() -> None:
    """Has Beam's jobs in this process remember more, and weigh less; once is enough."""
    # A worker remembers side inputs up to so many MB, and to know how much one takes it
    # goes through the globals of all modules. Here they are in memory anyway.
    worker_handlers.STATE_CACHE_SIZE_MB = 0
    for owner, name, wrap in (
        (PipelineOptions, "view_as", _remember_views),
        (core, "get_signature", _remember_signatures),
    ):
        given = getattr(owner, name)
        if not hasattr(given, "__wrapped__"):
            setattr(owner, name, functools.wraps(given)(wrap(given)))


def _remember_views(view_as: Callable[..., Any]) -> Callable[..., Any]:
    """Options parse the whole command line for each view, and are viewed for each step.

    Views of the same options share their values, so that one may be used again.
    """
    known: MutableMapping[Any, dict[type, Any]] = weakref.WeakKeyDictionary()

    def remembered(options: PipelineOptions, cls: type) -> Any:
        views = known.setdefault(options, {})
        if cls not in views:
            views[cls] = view_as(options, cls)
        return views[cls]

    return remembered


def _remember_signatures(get_signature: Callable[..., Any]) -> Callable[..., Any]:
    """All methods of a DoFn are inspected several times for each step."""
    known: MutableMapping[Any, inspect.Signature] = weakref.WeakKeyDictionary()

    def remembered(func: Any) -> inspect.Signature:
        # Of these alone nothing can change it but whoever replaces it.
        if type(func) is not types.MethodType or type(func.__func__) is not types.FunctionType:
            return get_signature(func)
        if func.__func__ not in known:
            known[func.__func__] = get_signature(func)
        return known[func.__func__]

    return remembered
