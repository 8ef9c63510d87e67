# make demo: fine-tune the embedded model and see what happens to three languages (minutes on a laptop).
# make check: style, types, import directions and the quick tests (a minute and a half).
# make test: the whole test suite.   make lint: check without tests.
# make test-minimum: the quick tests with the oldest supported version of everything.
# make coverage: which branches the quick tests leave out.
# make picture: run the quickstart and take the README's picture of its page.
# make docs: the documents as a site in site/; a broken link is an error.
# make package: wheel and sdist in dist/, checked, installed and tried with the dependencies of .venv.
# make release: the same, then tried in empty environments.
# make docker: an image that runs the demo.
# Each prepares what it needs first: a virtual environment in .venv, and system packages where they are
# missing and may be installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PUBLISHING := $(VENV)/.publishing
MINIMUM := .venv-min
# Tests of half a second or less, without compilers, attacks, several processes, browsers and the files of benchmarks (docs/testing.md).
QUICK := not slow and not toolchain and not hostile and not processes and not data and not browser

.PHONY: demo picture check test test-minimum coverage lint docs package release docker prepare system toolchains clean

demo: prepare
	$(BIN)/flextune quickstart

picture: prepare toolchains
	$(BIN)/flextune quickstart --runs build/runs
	$(BIN)/python scripts/page_picture.py build/runs/quickstart/report.html docs/quickstart.png

check: lint
	$(BIN)/pytest -n auto -m "$(QUICK)"

test: prepare toolchains
	$(BIN)/pytest -n auto

test-minimum: $(MINIMUM)/.installed
	$(MINIMUM)/bin/pytest -n auto -p no:cacheprovider -m "$(QUICK)"

coverage: prepare
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto -m "$(QUICK)"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: prepare
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(PUBLISHING)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

package: $(PUBLISHING)
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/python scripts/try_package.py dist --packages-of $(BIN)/python

release: package
	$(BIN)/python scripts/try_package.py dist

docker:
	@command -v docker >/dev/null || { echo "docker is not installed here"; exit 1; }
	docker build -t flextune .
	@echo "run the demo: docker run --rm --privileged -v \"\$$PWD/runs:/work/runs\" flextune"

prepare: system $(STAMP)

system:
	@PYTHON=$(PYTHON) scripts/system-packages.sh

toolchains:
	@PYTHON=$(PYTHON) scripts/system-packages.sh test

$(STAMP): pyproject.toml constraints.txt src/flextune/__init__.py | system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "flextune needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	@echo "installing torch, transformers and the rest into $(VENV): a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt 'torch==2.13.0'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	@touch $@

$(PUBLISHING): pyproject.toml constraints.txt $(STAMP) | system
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs,release]'
	@touch $@

# Python 3.11 is the oldest; PyPI's builds of torch for it bring 3 GB of CUDA libraries.
$(MINIMUM)/.installed: pyproject.toml scripts/minimum_versions.py | system
	python3.11 -m venv $(MINIMUM)
	python3.11 scripts/minimum_versions.py > $(MINIMUM)/requirements.txt
	$(MINIMUM)/bin/pip install --quiet --disable-pip-version-check -r $(MINIMUM)/requirements.txt
	$(MINIMUM)/bin/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) $(MINIMUM) .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist site
