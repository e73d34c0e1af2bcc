# Two commands for a new machine with Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: pictures compare demo test torture torture-rotation check bench fmt lock
.DEFAULT_GOAL := demo

demo: $(VENV)/runtime          ## the main job on this machine, without an account
	$(BIN)/aep-agent demo

test: $(VENV)/dev              ## every test; `make test T=tests/core` for some
ifdef T
	$(BIN)/python -m pytest $(T)
else
	@failed=0; \
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/core \
	  --cov=agent.core --cov-branch --cov-fail-under=100 || failed=1; \
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not alone" --ignore=tests/core || failed=1; \
	$(BIN)/python -m pytest -m alone || failed=1; \
	exit $$failed
endif

torture: $(VENV)/dev           ## kill, starve and mislead the agent, then count; `make torture SEED=7 KILLS=200`
	PYTHONPATH=tests:. $(BIN)/python -m torture --kills $(or $(KILLS),30) $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ROUND),--round $(ROUND)) $(T)

torture-rotation: $(VENV)/dev  ## rotate files in every way meanwhile; `make torture-rotation SEED=7 LINES=50000 KILLS=4`
	PYTHONPATH=tests:. $(BIN)/python -m torture.rotation $(if $(SEED),--seed $(SEED)) $(if $(LINES),--lines $(LINES)) $(if $(KILLS),--kills $(KILLS))

check: $(VENV)/dev             ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

pictures: $(VENV)/dev          ## of the status page and the emulator's, in Chromium; `make pictures P=docs/pictures`: of documents
	PYTHONPATH=tests:. $(BIN)/python -m pictures $(or $(P),pictures)

bench: $(VENV)/dev             ## measure, beside the limit, in one run; `make bench B=--quick`
	$(BIN)/python -m benchmarks $(B)

compare: $(VENV)/dev           ## beside other shippers that are installed here; `make compare B=--quick`
	$(BIN)/python -m benchmarks.beside $(B)

fmt: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --exit-zero .

lock: $(VENV)/dev              ## choose new versions of everything CI installs
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --no-emit-index-url pyproject.toml -o .ci/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --no-annotate --no-header --no-emit-index-url --group dev pyproject.toml -o .ci/requirements-dev.txt

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "aep-agent needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime: $(VENV)/python pyproject.toml .ci/requirements.txt
	$(PIP) -r .ci/requirements.txt
	$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/dev: $(VENV)/runtime .ci/requirements-dev.txt
	$(PIP) -r .ci/requirements-dev.txt
	@touch $@
