# What a planner and a developer need. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Checks and tests decide their settings themselves, whatever the shell has exported.
PLAIN := env -u DATABASE_URL -u REDIS_URL -u SECRET_KEY -u SECRET_KEY_FALLBACKS -u ALLOWED_HOSTS -u DEBUG -u HTTPS \
	-u LOG_FORMAT -u MONITORING_TOKEN
SCRATCH := $(PLAIN) DATABASE_URL=sqlite://:memory:
PRODUCTION := $(SCRATCH) ALLOWED_HOSTS=planner.example.org

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-postgresql check format screenshots docs serve worker worker-pool .queue

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.setup ## Install what runs the application, into .venv

setup-dev: $(VENV)/.setup-dev ## Install the tools for checks and tests too

# A virtual environment always: Debian's own python3 refuses pip outside one. One that was left
# without pip (python3-venv was missing) is made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is " + sys.version)'
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.setup: requirements.txt | $(BIN)/pip
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.setup-dev: requirements-dev.txt $(VENV)/.setup
	$(PIP) install -r requirements-dev.txt
	@touch $@

demo: setup ## Make the sample plant, plan it, and say how to log in
	$(MANAGE) demo

test: setup-dev ## Run all tests
	$(PLAIN) $(BIN)/python -m pytest -n auto --dist worksteal

test-postgresql: setup-dev ## Run all tests, or those in TESTS, on a private PostgreSQL server
	$(PLAIN) $(BIN)/python tests/private_postgresql.py $(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

check: setup-dev ## Run linters, types, import contracts, migration and deployment checks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(SCRATCH) $(BIN)/mypy
	$(BIN)/lint-imports
	$(SCRATCH) $(MANAGE) makemigrations --check --dry-run
	$(PRODUCTION) SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
		$(MANAGE) check --deploy --fail-level WARNING

format: setup-dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

screenshots: setup-dev ## Check each screen, and keep its pictures in docs/screens
	SCREENSHOTS=docs/screens $(PLAIN) $(BIN)/python -m pytest tests/browser/test_screens.py

docs: setup ## Write the reference of planning.lx from its docstrings
	$(BIN)/python docs/make_reference.py

serve: setup ## Serve the site on http://127.0.0.1:8000
	$(MANAGE) migrate --no-input
	$(MANAGE) reconcile_runs
	$(BIN)/gunicorn --config python:planner_site.serving planner_site.wsgi --bind 127.0.0.1:8000 --workers 2

worker: setup .queue ## Execute queued runs, one at a time; needs REDIS_URL
	$(MANAGE) rqworker short long

WORKERS ?= 2
worker-pool: setup .queue ## Execute queued runs, WORKERS at a time (2); needs REDIS_URL
	$(MANAGE) rqworker-pool short long --num-workers $(WORKERS)

.queue:
	@test -n "$$REDIS_URL" || { echo "REDIS_URL is not set. Set it to the queue's address, for example redis://127.0.0.1:6379/0."; exit 2; }
