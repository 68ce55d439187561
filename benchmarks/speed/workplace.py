"""Where the benchmark keeps its inputs and lets contenders work, and what it starts them with."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed import texts
from benchmarks.speed.measure import folder_bytes
from benchmarks.speed.pictures import picture_folder

ROOT = Path(__file__).parents[2]
CONTENDERS = "benchmarks.speed.contenders"


@dataclass(frozen=True)
class Workplace:
    """Folders and inputs of one benchmark.

    Attributes:
        folder: Holds everything; `data/` may be taken over by the next one.
        pictures: Class folders of real pictures, the source of all sizes.
        backbone: Folder or address of a SavedModel for pictures.
        texts: A table of texts, None where texts are not measured.
        text_backbone: Folder or id of a HuggingFace model.
        text_columns: The columns of the text and of the label.
    """

    folder: Path
    pictures: Path
    backbone: str
    texts: Path | None = None
    text_backbone: str = ""
    text_columns: tuple[str, str] = ("text", "category")

    @property
    def data(self) -> Path:
        """Holds inputs made of what the user gave."""
        return self.folder / "data"

    def sized_pictures(self, count: int) -> Path:
        """Gives a folder of so many pictures."""
        return picture_folder(self.pictures, self.data, count)

    def sized_records(self, count: int) -> Path:
        """Gives the same pictures as TFRecords."""
        pictures = self.sized_pictures(count)
        records = pictures.with_name(pictures.name.replace("pictures", "records"))
        if not (records / "counts.json").exists():
            shutil.rmtree(records, ignore_errors=True)
            command = script("records", pictures, records)
            subprocess.run(command, cwd=ROOT, env=environ(), check=True, capture_output=True)
        return records

    def sized_texts(self, count: int) -> Path:
        """Gives a table of so many rows."""
        assert self.texts is not None  # No text is planned without.
        return texts.sized_table(self.texts, self.data, count)

    def fresh(self, name: str) -> Path:
        """Gives an empty folder to work in."""
        folder = self.folder / "work" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def log(self, name: str) -> Path:
        """Names the file that gets what a contender writes to the terminal."""
        return self.folder / "logs" / f"{name}.log"


def script(name: str, *arguments: Any) -> list[str]:
    """Gives the command of a script in contenders/."""
    return [sys.executable, "-m", f"{CONTENDERS}.{name}", *map(str, arguments)]


def graft(*arguments: Any) -> list[str]:
    """Gives the command that a user types."""
    return [str(Path(sys.executable).parent / "graft"), *map(str, arguments)]


def environ() -> dict[str, str]:
    """Gives what contenders find in their environment: all the same, as on a user's machine.

    Python may keep what it compiles, so that imports take what they take from
    the second time on.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": str(ROOT)}


def left_bytes(folder: Path, *inputs: str) -> tuple[int, dict[str, int]]:
    """Measures what a contender leaves behind.

    Args:
        folder: Where it worked.
        inputs: Names in it that are its input.

    Returns:
        All bytes, and those of each thing by its name: a component's artifacts
        by the component.
    """
    parts: dict[str, int] = {}
    for path in folder.iterdir():
        if path.name in inputs:
            continue
        inner = [path] if path.is_file() else list(path.iterdir())
        for one in inner:
            deeper = list(one.iterdir()) if one.name == "artifacts" and one.is_dir() else [one]
            for part in deeper:
                size = part.stat().st_size if part.is_file() else folder_bytes(part)
                name = f"{path.name}/{part.name}" if part != path else path.name
                parts[name] = parts.get(name, 0) + size
    return sum(parts.values()), parts
