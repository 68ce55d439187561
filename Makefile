# What a user types and what CI runs. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup minilm tfjs demo test test-all lint bench bench-speed image locks flink spark clean

# hub layers and TFT are Keras 2; TensorFlow reads this when Python starts.
export TF_USE_LEGACY_KERAS := 1

# Any Python from 3.8 on starts set-up, which then finds the right one. A pyenv
# shim may be first on PATH and not answer.
START = for each in python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null \
	&& exec "$$each" -m $(1); done; \
	echo "Python 3.8 or newer is not on PATH; on Debian: apt-get install python3 python3-venv python3-dev" >&2; \
	exit 2

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1	\2/' | expand -t 16

setup:  ## make .venv with the TFX stack that fits this machine
	@$(call START,requirements.install)

minilm:  ## fetch all-MiniLM-L6-v2, a text backbone, into .backbones/
	@$(call START,requirements.minilm)

tfjs:  ## fetch what TensorFlow.js exports need, into .tfjs/
	@$(call START,requirements.tfjs)

demo: setup  ## from handwritten digits to a pushed model, offline
	@.venv/bin/graft demo

test: setup  ## quick tests
	.venv/bin/python -m pytest -q -n 2 --dist loadfile -m "not slow and not e2e"

test-all: setup minilm tfjs  ## every test, with whole pipelines and the other stack
	.venv/bin/python -m pytest -q

lint: setup  ## formatting, style, types, import directions
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup  ## the README's measured tables
	.venv/bin/python benchmarks/few_labels.py

bench-speed: setup  ## Graft beside what one would run instead (ARGS="--pictures … --help")
	.venv/bin/python -m benchmarks.speed $(ARGS)

image:  ## the container image that tasks run in (IMAGE=name, deploy/image.sh for more)
	@deploy/image.sh $(or $(IMAGE),graft)

flink: setup  ## a Flink cluster on this machine (ARGS="stop", "start --local", …); docs/beam.md
	@.venv/bin/python -m deploy.flink.cluster $(or $(ARGS),start)

spark: setup  ## Spark on this machine (ARGS="stop", …); docs/beam.md
	@.venv/bin/python -m deploy.spark.server $(or $(ARGS),start)

locks:  ## make requirements/*.lock from their inputs (UPGRADE=1: newest versions)
	@$(call START,requirements.locks)

clean:  ## remove .venv and the tools' caches; runs stay
	rm -rf .venv build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
