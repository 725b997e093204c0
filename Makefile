# Two commands on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export ASK PORT

.PHONY: docs reference demo test test-postgres test-replicas soak test-hours coverage mutants lint bench bench-compare bench-full format lock manifest example pictures wheel image image-test clean

# What was typed wrong (2) is said in one line, to which make would add its own.
demo: $(VENV)/.installed  ## the sandbox with the real bot; ASK='/usage last 7 days' plays one question, PORT=0 takes a free port
	@$(BIN)/python -m bot demo $${PORT:+--port "$$PORT"} $${ASK:+--ask "$$ASK"} || [ $$? = 2 ]

# How many processes share the tests of `make test` and `make coverage`, each with whole files.
WORKERS ?= 2
SHARED = -n $(WORKERS) --dist loadfile

test: $(VENV)/.installed  ## every test
	$(BIN)/python -m pytest $(SHARED)

test-postgres: $(VENV)/.installed  ## the store and every scenario on PostgreSQL, started privately
	$(BIN)/python -m pytest $(SHARED) tests/store tests/scenarios --database postgres -k "not sqlite" -rs

test-replicas: $(VENV)/.installed  ## replicas on both databases, killed and paused while the database is away, three times each
	$(BIN)/python -m tests.replicas

soak: $(VENV)/.installed  ## a day of three replicas in SOAK_MINUTES: 10,000 rules and 500 digests, with memory that stays flat
	$(BIN)/python -m tests.replicas.soak --minutes $${SOAK_MINUTES:-20}

lint: $(VENV)/.installed  ## style, types, the map of imports and prose
	$(BIN)/ruff check bot handlers providers tests
	$(BIN)/ruff format --check bot handlers providers tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.prose

HOURS = 2026-11-01T00:10 2026-11-27T04:30 2026-11-27T12:00 2026-11-30T23:55 2028-02-29T00:10 2028-02-29T23:55 \
  2026-03-29T00:10 2026-03-29T01:30 2026-10-25T00:30 2026-03-08T06:30 2026-11-01T05:30
TIMED = tests/store $(addprefix tests/bot/test_,alerts.py alert_commands.py alert_semantics.py backtest.py \
  baseline.py baseline_reader.py compared_answers.py comparison_windows.py config.py cron.py formatting.py \
  honest_answers.py log_history.py novelty.py on_call.py question.py question_forms.py reports.py retention.py \
  schedule.py several_accounts.py subscriptions.py unusual_alerts.py window_forms.py windows.py) $(addprefix \
  tests/scenarios/test_,alert_words.py alerts.py asking.py backtest.py buttons.py calls.py check_command.py \
  cli.py comparisons.py database_health.py demo.py digests.py direct_messages.py escalation.py hints.py \
  home.py http_mode.py kept_words.py log_answers.py log_queries.py long_work.py missing_data.py modals.py novelty.py \
  outbox.py outbox_channels.py outbox_order.py refused_messages.py reload.py response_urls.py run.py \
  saved_questions.py slack.py slack_refusals.py targets.py timetable.py unusual.py workflow_step.py wrong_clock.py)

test-hours: $(VENV)/.installed  ## the tests at odd hours, on the first and the last of a month, on 29 February, and on days when clocks change
	@for now in $(HOURS); do echo "At $$now UTC"; $(BIN)/python -m pytest $(SHARED) --now $$now $(TIMED) || exit 1; done

coverage: $(VENV)/.installed  ## every test, and which lines and branches they run; fails below the floor
	$(BIN)/python -m pytest $(SHARED) --cov --cov-report=term

mutants: $(VENV)/.installed  ## changes the pure modules in small ways and shows which changes no test notices
	$(BIN)/mutmut run
	$(BIN)/mutmut results

docs: $(VENV)/.installed  ## the pages of docs/ as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

BENCH ?=

bench: $(VENV)/.installed  ## the benchmarks, ratios side by side; BENCH='--json FILE' writes them, BENCH='decoding' runs a part
	$(BIN)/python -m tests.bench $(BENCH)

bench-compare: $(VENV)/.installed  ## the same, compared with the stored baseline
	$(BIN)/python -m tests.bench --compare tests/bench/baseline.json $(BENCH)

bench-full: $(VENV)/.installed
	$(BIN)/python -m tests.bench --full

format: $(VENV)/.installed
	$(BIN)/ruff check --fix bot handlers providers tests
	$(BIN)/ruff format bot handlers providers tests

LOCK_OPTIONS = --no-header --no-annotate --no-emit-index-url --no-emit-find-links

lock:  ## requirements.lock, and what of it an image needs, anew: pinned, hashed, for every platform, without URLs (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	  $(LOCK_OPTIONS) -o requirements.lock
	uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	  $(LOCK_OPTIONS) -o deploy/requirements.lock
	echo hatchling | uv pip compile - --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	  $(LOCK_OPTIONS) -o deploy/build-requirements.lock

manifest: $(VENV)/.installed
	$(BIN)/python -m bot manifest > manifest.yml

example: $(VENV)/.installed  ## bot.example.toml, anew from bot/cli/example.toml and the account that each vendor brings
	rm -f bot.example.toml
	$(BIN)/python -m bot init --full bot.example.toml
	chmod 644 bot.example.toml

reference: $(VENV)/.installed  ## docs/words.md and docs/settings.md, anew from the commands and the models
	$(BIN)/python -m tests.reference

pictures: $(VENV)/.installed  ## the pictures of the README, taken from the demo page (needs Chromium)
	$(BIN)/python -m tests.pictures

wheel: $(VENV)/.installed  ## what `pip install` takes, in dist/
	$(BIN)/python -m hatchling build -t wheel

BUILDER ?= $(firstword $(foreach name,buildah podman docker,$(shell command -v $(name) 2>/dev/null)))

image:  ## the container image, with buildah, podman or docker
	@test -n "$(BUILDER)" || { echo "No buildah, podman or docker is installed."; exit 1; }
	$(BUILDER) build $(if $(findstring docker,$(BUILDER)),,--format docker) $(if $(BASE),--build-arg BASE=$(BASE)) $(IMAGE_OPTIONS) \
	  -f deploy/Containerfile -t opswatch .

image-test: $(VENV)/.installed  ## the image built and asked, or its steps carried out in a clean folder
	@.ci/image

clean:
	rm -rf $(VENV) .coverage mutants site .pytest_cache .mypy_cache .ruff_cache artifacts

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Opswatch needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) …"
	@if command -v uv >/dev/null 2>&1; \
	  then VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r requirements.lock; \
	  else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; fi
	@touch $@
