"""Where keys are: sorted arrays in place of a dictionary, 48 bytes a key.

Keys are SHA-256, so their first eight bytes sort and search as well as all of
them do; the rest is compared where those match.
"""

from typing import NamedTuple

import numpy as np

# Small tables are put together when there are so many.
_TABLES = 32


class Table(NamedTuple):
    """Keys in order.

    Attributes:
        prefixes: `[keys]` uint64, ascending.
        keys: `[keys, 32]` uint8.
        places: `[keys, 2]` int32: number of the segment, row in it.
    """

    prefixes: np.ndarray
    keys: np.ndarray
    places: np.ndarray


class KeyIndex:
    """From keys to segments and rows."""

    def __init__(self) -> None:
        self._tables: list[Table] = []

    def __len__(self) -> int:
        return sum(len(table.prefixes) for table in self._tables)

    def add(self, keys: np.ndarray, segment: int) -> None:
        """Adds all keys of a segment.

        Args:
            keys: `[rows, 32]` uint8.
            segment: Its number.
        """
        rows = np.arange(len(keys), dtype=np.int32)
        places = np.stack([np.full_like(rows, segment), rows], axis=1)
        self._tables.append(_sorted(keys, places))
        if len(self._tables) > _TABLES:
            self.merge()

    def merge(self) -> None:
        """Puts all tables together, for faster searching."""
        if len(self._tables) > 1:
            keys = np.concatenate([table.keys for table in self._tables])
            places = np.concatenate([table.places for table in self._tables])
            self._tables = [_sorted(keys, places)]

    def drop(self, segment: int) -> None:
        """Forgets a segment."""
        kept = [(table, table.places[:, 0] != segment) for table in self._tables]
        self._tables = [
            Table(table.prefixes[chosen], table.keys[chosen], table.places[chosen])
            for table, chosen in kept
        ]

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Says where keys are.

        Args:
            keys: `[wanted, 32]` uint8.

        Returns:
            `[wanted, 2]` int32: segment and row, -1 where there is none.
        """
        found = np.full((len(keys), 2), -1, np.int32)
        prefixes = _prefixes(keys)
        for table in self._tables:
            if not len(table.prefixes):
                continue
            at = np.searchsorted(table.prefixes, prefixes)
            at = np.minimum(at, len(table.prefixes) - 1)
            same = np.flatnonzero((table.prefixes[at] == prefixes) & (found[:, 0] < 0))
            same = same[(table.keys[at[same]] == keys[same]).all(axis=1)]
            found[same] = table.places[at[same]]
        return found


def _sorted(keys: np.ndarray, places: np.ndarray) -> Table:
    prefixes = _prefixes(keys)
    order = np.argsort(prefixes, kind="stable")
    return Table(prefixes[order], keys[order], places[order])


def _prefixes(keys: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(keys[:, :8]).view(">u8").ravel().astype(np.uint64)
