# What people run. Every target makes `.venv` first, once: with the locked dependencies and the command `tag-history`.
# Flags for a command go into ARGS:  make up ARGS='--listen 127.0.0.1:9443 --data-dir /tmp/other'

ARGS ?=
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: up install test lint format generate faults bench lock clean
.DEFAULT_GOAL := up

up: $(INSTALLED)
	@exec $(BIN)/tag-history up $(ARGS)

install: $(INSTALLED)

test: $(INSTALLED)
	$(BIN)/pytest -n auto $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The protobuf messages, from the *.proto files beside them.
generate: $(INSTALLED)
	$(BIN)/python -m service.api.protobuf.generate

faults: $(INSTALLED)
	$(BIN)/python -m tests.faults $(ARGS)

bench: $(INSTALLED)
	$(BIN)/tag-history bench $(ARGS)

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo 'installing the dependencies into .venv' >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Debian keeps what venv needs in a package of its own.
$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'make: Python 3.11 or newer is needed, and not found' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		package=$$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'); \
		as_root=; test "$$(id -u)" = 0 || as_root='sudo -n'; \
		echo "installing $$package" >&2; \
		{ $$as_root apt-get update -qq && $$as_root apt-get install -qq -y "$$package"; } >/dev/null 2>&1 \
		|| { echo "make: please install $$package: $(PYTHON) cannot make virtual environments without it" >&2; exit 1; }; }
	@$(PYTHON) -m venv --clear .venv

# Needs uv (https://docs.astral.sh/uv/). requirements.lock is for working on the project, with what builds it;
# requirements-runtime.lock is its part that the service needs.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade
lock:
	$(LOCK) pyproject.toml --output-file requirements-runtime.lock
	printf 'hatchling\neditables\n' | $(LOCK) --constraints requirements-runtime.lock --extra dev pyproject.toml - --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
