"""What every test needs before it imports anything, and the models that tests share."""

import os
from pathlib import Path

import pytest

# As every entry point does: hub layers and TFT are Keras 2, and TensorFlow
# decides which Keras it offers from this, in subprocesses too.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def minilm():
    """Folder of all-MiniLM-L6-v2, as `make minilm` leaves it."""
    folder = Path(os.environ.get("GRAFT_MINILM", ROOT / ".backbones" / "all-MiniLM-L6-v2"))
    if not (folder / "config.json").is_file():
        pytest.skip(f"all-MiniLM-L6-v2 is not in {folder}: run `make minilm`")
    return folder
