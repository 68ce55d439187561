"""Work done ahead of whoever takes its results, in order and bounded."""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Maps in order on `ahead` threads.

    Args:
        function: What is done with each item.
        items: Taken by the caller's own thread, as results are taken.
        ahead: How many are worked on at a time; one more at most waits to be
            taken.

    Yields:
        The results.
    """
    with ThreadPoolExecutor(ahead) as pool:
        pending: collections.deque = collections.deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
