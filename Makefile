# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests

# Caches stay in this folder, too: nothing is written anywhere else.
export UV_CACHE_DIR := $(CURDIR)/.venv/uv-cache
export PIP_NO_CACHE_DIR := 1
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.venv/pyright-cache

.PHONY: demo test up check coverage integration bench pins clean

demo: .venv/local
	$(BIN)/tuneway demo

up: .venv/local
	$(BIN)/tuneway up

test: .venv/dev
	$(BIN)/python -m pytest $(TESTS) $(DEPLOYED:%=--ignore %) -n 2 --dist loadgroup --basetemp .pytest_tmp

# Every function from its zip, alone in its environment, joined by emulators as Terraform declares; figures at the end.
DEPLOYED := tests/integration/deployed
integration: .venv/dev
	$(BIN)/python -m pytest $(DEPLOYED) --durations 5 --basetemp .pytest_tmp

# The same tests, measured: every branch of the dialects and the lifecycle, nine tenths of the rest.
coverage: .venv/dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(TESTS) $(DEPLOYED:%=--ignore %) -n 2 --dist loadgroup --basetemp .pytest_tmp
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under 90
	$(BIN)/python -m coverage report --fail-under 100 --include '*/prediction/dialects/*,*/tuning/jobs.py,*/tuning/lifecycle.py'

# These run in `make test`: Terraform itself, and checkov from an environment of its own.
SLOW := tests/infra/test_plan.py tests/infra/test_checkov.py

check: .venv/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	if command -v terraform > /dev/null; then terraform fmt -check -recursive infra; fi
	$(BIN)/python -m pytest tests/house tests/infra $(SLOW:%=--ignore %) -q -n 2 --dist loadgroup

bench: .venv/dev
	$(BIN)/python -m tests.bench

# Compiled together: every group takes its pins from the development group, which holds them all.
pins: .venv/dev
	sh requirements/compile.sh $(BIN)/uv

.venv/bin/uv: requirements/uv.txt
	$(PYTHON) -c 'import sys; sys.exit("tuneway needs Python 3.11 or newer; set PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $@

.venv/local: .venv/bin/uv requirements/local.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/local.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev: .venv/local requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	touch $@

clean:
	rm -rf .venv dist .tuneway
