"""As many rows as wanted of a table of texts."""

import csv
import hashlib
import random
from pathlib import Path


def sized_table(source: Path, cache: Path, count: int, seed: int = 0) -> Path:
    """Gives a CSV file with so many rows, drawn without order; made where it is not there yet.

    Args:
        source: A CSV file with a header.
        cache: Where the file is kept.
        count: Rows.
        seed: Of the draw.

    Returns:
        Its path.

    Raises:
        ValueError: If the source has fewer rows.
    """
    name = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
    target = cache / f"texts-{name}-{count}.csv"
    if target.exists():
        return target
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if len(rows) < count:
        raise ValueError(f"{source} has {len(rows):,} rows, fewer than {count:,}")
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".half")
    with half.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *random.Random(seed).sample(rows, count)])
    half.replace(target)
    return target
