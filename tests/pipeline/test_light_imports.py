"""A run imports what it uses, and whoever wants the rest still gets it."""

import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_a_run_imports_neither_kubernetes_nor_mongodb_nor_another_keras():
    # TFX 1.21's own package of components has to run, for it repairs others.
    idle = metadata.version("tfx").startswith("1.16")
    unused = [
        "nltk.chunk",
        "pymongo",
        *(["kubernetes", "keras_tuner", "keras.src"] if idle else []),
    ]
    script = f"""
        import sys
        from pipeline.light_imports import light_imports
        with light_imports():
            from pipeline import local
        print(*[one for one in {unused} if one in sys.modules])
        # And all of it is there for a head or a component of the user's.
        from tfx.components import InfraValidator, Tuner
        import tfx.components, nltk, bson, tqdm.notebook
        from tensorflow_model_analysis.metrics import rouge
        assert tfx.components.Tuner is Tuner
        print(Tuner.__name__, rouge.Rouge.__name__, nltk.stem.PorterStemmer().stem("grafting"))
    """
    assert run(script) == ["Tuner", "Rouge", "graft"]


def test_a_package_that_is_imported_already_is_left_alone():
    script = """
        import sys, nltk
        from pipeline.light_imports import POSTPONED, light_imports
        with light_imports():
            import nltk as again
        print(again is nltk, type(sys.modules["nltk"]).__name__)
    """
    assert run(script) == ["True", "module"]


def test_what_is_set_aside_is_back_also_after_an_import_that_failed():
    script = """
        import sys
        from pipeline.light_imports import OPTIONAL, light_imports
        try:
            with light_imports():
                import tqdm.notebook
        except ImportError:
            print("missing")
        print(len([one for one in OPTIONAL if one in sys.modules]))
        import tqdm.notebook
    """
    assert run(script) == ["missing", "0"]
