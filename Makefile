# Two commands on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export ASK

.PHONY: demo test lint bench bench-full format lock manifest pictures clean

demo: $(VENV)/.installed  ## the sandbox with the real bot; ASK='/usage last 7 days' plays one question
	@$(BIN)/python -m bot demo $${ASK:+--ask "$$ASK"}

test: $(VENV)/.installed  ## every test
	$(BIN)/python -m pytest

lint: $(VENV)/.installed  ## style and types
	$(BIN)/ruff check bot handlers providers tests
	$(BIN)/ruff format --check bot handlers providers tests
	$(BIN)/mypy

bench: $(VENV)/.installed  ## the benchmarks, ratios side by side, in under two minutes
	$(BIN)/python -m tests.bench

bench-full: $(VENV)/.installed
	$(BIN)/python -m tests.bench --full

format: $(VENV)/.installed
	$(BIN)/ruff check --fix bot handlers providers tests
	$(BIN)/ruff format bot handlers providers tests

lock:  ## requirements.lock anew: pinned, hashed, for every platform, without URLs (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock

manifest: $(VENV)/.installed
	$(BIN)/python -m bot manifest > manifest.yml

pictures: $(VENV)/.installed  ## the pictures of the README, taken from the demo page (needs Chromium)
	$(BIN)/python -m tests.pictures

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache artifacts

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Opswatch needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) …"
	@if command -v uv >/dev/null 2>&1; \
	  then VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r requirements.lock; \
	  else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; fi
	@touch $@
