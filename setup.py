"""Package metadata and the `graft` command.

Versions are pinned in requirements/, one lock for each TFX stack; the
requirements here only say what Graft itself imports.
"""

from pathlib import Path

from setuptools import find_packages, setup

# What `graft demo` copies; it lies outside of the packages, so that people see it.
DEMO = Path("examples/digits")
DEMO_FILES = ("digits.yaml", "pictures.py", "backbone/*.pb", "backbone/variables/*")

setup(
    name="graft-tfx",
    version="0.1.0",
    description="TFX pipelines from pictures, texts and tables to a validated model",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    if Path(__file__).with_name("README.md").exists()
    else "",
    long_description_content_type="text/markdown",
    python_requires=">=3.10,<3.14",
    packages=find_packages(
        include=["pipeline*", "serving*", "components*", "trainer*", "preprocessing*"],
    ),
    package_data={
        "components.exporter": ["tfjs.js"],
        "components.serving_validator": ["stock_ops/*.txt"],
    },
    data_files=[
        (f"share/graft/{path.parent.relative_to('examples')}", [str(path)])
        for pattern in DEMO_FILES
        for path in sorted(DEMO.glob(pattern))
    ],
    install_requires=[
        "tfx>=1.16,<1.22",
        "tensorflow-hub>=0.16.1",
        "tensorflow-text",
        "tf-keras",
        "transformers>=4.46.3,<4.54",
        "keras-tuner",
        "pydantic>=2.7,<3",
        "PyYAML",
        "click",
        "rich",
        "google-cloud-aiplatform",
        "google-crc32c",
        "httpx",
        "kfp>=2.5",
        "starlette",
        "tensorflow-serving-api",
        "uvicorn",
    ],
    entry_points={"console_scripts": ["graft=pipeline.cli:main"]},
)
