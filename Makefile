# What a person types. Every target sets up what it needs, from Python 3.11 or newer with pip, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := core plugins/gateio plugins/mexc cli
MANIFESTS := constraints.txt $(addsuffix /pyproject.toml,$(PACKAGES))
SOURCES := core plugins cli tests benchmarks docs
TOOLS := build grpcio-tools hypothesis import-linter mkdocs mypy pytest pytest-asyncio pytest-benchmark pytest-cov pytest-xdist ruff setuptools types-protobuf wheel
# pip of the virtual environment, or ours looking into it, where Python came without ensurepip (as on a plain Debian)
PIP = $$($(BIN)/python -m pip --version >/dev/null 2>&1 && echo $(BIN)/python -m pip || echo $(PYTHON) -m pip --python $(BIN)/python) --disable-pip-version-check

.PHONY: help demo test check bench docs proto format lint types layers bench-once packages clean

help:
	@echo "make demo    ten seconds of live books, trades and best bid/ask, from an exchange in a box"
	@echo "make test    the tests, with coverage"
	@echo "make check   all that CI runs: format, lint, types, layers, tests, benchmarks once, docs, packages"
	@echo "make bench   the benchmarks, as one table"
	@echo "make docs    the documentation, into site/"
	@echo "make proto   MEXC's descriptor set, from plugins/mexc/proto"

demo: $(VENV)/.runtime
	@$(BIN)/exwire demo

test: $(VENV)/.tools
	$(BIN)/pytest -n 2 --cov --cov-report=term $(ARGS)

check: lint types layers test bench-once docs packages
	@echo "all of make check passed"

format: $(VENV)/.tools
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lint: $(VENV)/.tools
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: $(VENV)/.tools
	$(BIN)/mypy core/src plugins/gateio/src plugins/mexc/src cli/src tests benchmarks

layers: $(VENV)/.tools
	$(BIN)/lint-imports

bench: $(VENV)/.tools
	$(BIN)/pytest benchmarks --benchmark-only -q $(ARGS)

bench-once: $(VENV)/.tools
	$(BIN)/pytest benchmarks --benchmark-disable -q

docs: $(VENV)/.tools
	$(BIN)/mkdocs build --strict --quiet

packages: $(VENV)/.tools
	rm -rf dist
	for package in $(PACKAGES); do $(BIN)/python -m build --no-isolation --outdir dist $$package >/dev/null || exit 1; done
	ls dist

proto: $(VENV)/.tools
	$(BIN)/python plugins/mexc/proto/build.py

clean:
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .coverage*
	find $(SOURCES) -name '*.egg-info' -o -name __pycache__ -o -name build -type d | xargs rm -rf

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "exwire needs Python 3.11 or newer; say which one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }

# picows and uvloop are compiled: where there is no wheel for them, exwire works without
$(VENV)/.runtime: $(BIN)/python $(MANIFESTS)
	$(PIP) install --quiet -c constraints.txt $(addprefix -e ,$(PACKAGES))
	$(PIP) install --quiet -c constraints.txt -e 'core[fast]' || echo "picows and uvloop could not be installed; exwire goes on with websockets and asyncio"
	@touch $@

$(VENV)/.tools: $(VENV)/.runtime
	$(PIP) install --quiet -c constraints.txt $(TOOLS)
	@touch $@
