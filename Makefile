# make demo: fine-tune the embedded model and see what happens to three languages (minutes on a laptop).
# make test: the whole test suite.   make lint: style, types, import directions.
# Each prepares what it needs first: a virtual environment in .venv, and system packages where they are
# missing and may be installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint prepare system toolchains clean

demo: prepare
	$(BIN)/flextune quickstart

test: prepare toolchains
	$(BIN)/pytest -n auto

lint: prepare
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

prepare: system $(STAMP)

system:
	@PYTHON=$(PYTHON) scripts/system-packages.sh

toolchains:
	@PYTHON=$(PYTHON) scripts/system-packages.sh test

$(STAMP): pyproject.toml constraints.txt | system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "flextune needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt 'torch==2.13.0'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist
