# Everything one does with a clone. Each target calls what it needs first, so that any of
# them works on a fresh clone with nothing but Python 3.11+ (with venv), make and a package
# registry.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin

# The first suitable interpreter; say `make PYTHON=… setup` for another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

MEMBERS := platform $(sort $(wildcard plugins/*))
TRANSLATIONS := $(patsubst %.po,%.mo,$(shell find platform/src -name '*.po'))

# Written when the environment is complete; older than a file that decides what goes into
# it, it is made again.
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check check-format check-lint check-types check-imports \
	bench docs translations screenshots assets lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) $(TRANSLATIONS) ## Make the environment in .venv

$(READY): requirements.txt requirements-dev.txt platform/hatch_build.py platform/package.json \
		platform/package-lock.json $(MEMBERS:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Guiju needs Python 3.11 or newer." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements.txt --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation $(MEMBERS:%=--editable %)
	@touch $@

%.mo: %.po $(READY)
	$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

demo: setup ## Show a scored city in a browser; DEMO_ARGS=--once prints a summary and ends
	$(BIN)/guiju demo $(DEMO_ARGS)

test: setup ## Run every check and every test
	@status=0; \
	$(MAKE) --no-print-directory check || status=1; \
	$(BIN)/pytest --numprocesses auto $(PYTEST_ARGS) || status=1; \
	exit $$status

check: setup ## Run the static checks: format, lint, types, layers
	@$(MAKE) --no-print-directory --keep-going check-format check-lint check-types check-imports

check-format: setup
	$(BIN)/ruff format --check --quiet .

check-lint: setup
	$(BIN)/ruff check --quiet .

check-types: setup
	$(BIN)/mypy

check-imports: setup
	$(BIN)/lint-imports --no-logo

bench: setup ## Measure the rules engine at the size of a province; prints ratios
	$(BIN)/python -m benchmarks $(BENCH_ARGS)
	$(BIN)/python -m benchmarks.importing
	$(BIN)/python -m benchmarks.stories

docs: setup ## Write the pages that are made out of the code
	$(BIN)/python docs/generate.py

translations: setup ## Note new texts of the pages in the translation catalogue
	$(BIN)/python scripts/translations.py

screenshots: setup ## Save pictures of the demo's pages in docs/pictures and var/screenshots
	$(BIN)/python scripts/screenshots.py

assets: $(READY) ## Fetch the browser libraries again
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable platform

# Addresses are kept out: which registry serves the packages is the machine's business, and
# the hashes say that they are the same ones.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-header --no-emit-index-url $(LOCK_ARGS)

lock: ## Write requirements*.txt and package-lock.json; LOCK_ARGS=--upgrade takes newer versions
	$(COMPILE) platform/pyproject.toml --extra embedded --extra s3 --group pyproject.toml:build \
		--output-file requirements.txt
	$(COMPILE) --group pyproject.toml:dev --constraint requirements.txt \
		--output-file requirements-dev.txt
	$(BIN)/python scripts/lock_assets.py

clean: ## Remove the environment and everything that tools left
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
