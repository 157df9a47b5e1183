# Everything a person runs. Set-up happens by itself: a fresh machine needs git, make, Python 3.11+ and the internet.

# The first Python that is new enough; name another with `make PYTHON=/path/to/python3.12 ...`.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && exit; done; echo python3)

VENV := .venv
BIN := $(VENV)/bin
HOUSE := multicluster providers/airflow_multicluster
TESTBED := infra/testbed/run

# Without .pyc files the demo takes half as long again, and some machines forbid them by this variable.
unexport PYTHONDONTWRITEBYTECODE

# Give the environment a requirements file: with uv, or, where uv cannot be had or cannot reach the index, with pip.
define INSTALL
@echo "installing $(1) into $(VENV) (the first time takes a minute or two)"
@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/installer.txt \
	&& $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --requirement $(1); \
then \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
else \
	echo "uv could not do it (see above); pip does it, more slowly"; \
	$(BIN)/python -m pip install --disable-pip-version-check --requirement $(1) \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; \
fi
@$(BIN)/python -m compileall -q $(HOUSE)
endef

.PHONY: help
help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(VENV)/.demo  ## Run the main job on the simulator and print the proof. Options: make demo ARGS="--scenario pod-fails"
	@$(BIN)/multicluster demo $(ARGS)

.PHONY: test
test: $(VENV)/.dev  ## Run all tests but those of the testbed. Options: make test ARGS="-k registry"
	@$(BIN)/pytest -m "not testbed" --numprocesses 4 --dist loadfile $(ARGS)

.PHONY: conformance
conformance: $(VENV)/.dev  ## Hold the simulator against the running testbed, case by case, and print where they differ.
	@$(BIN)/pytest tests/conformance/kubernetes --both-grounds --quiet --numprocesses 4 --dist loadgroup $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev  ## Check style, format, types and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/.dev  ## Measure each figure beside its anchor; writes benchmarks/results.json.
	@$(BIN)/python benchmarks/run.py $(ARGS)

.PHONY: testbed
testbed: $(VENV)/.demo  ## Start a real Kubernetes on this machine (Linux, root, no Docker); builds it the first time.
	@$(TESTBED) up $(ARGS)

.PHONY: testbed-down
testbed-down:  ## End it and take away all that it made.
	@$(TESTBED) down $(ARGS)

.PHONY: test-testbed
test-testbed: $(VENV)/.dev  ## Run the tests that need a real Kubernetes. Options as for make test.
	@$(BIN)/pytest -m testbed --timeout 600 --numprocesses 2 --dist loadfile $(ARGS)

.PHONY: test-endings
test-endings: $(VENV)/.dev  ## Kill a real Airflow in every way and look what is left (six minutes; better with PostgreSQL's server).
	@$(BIN)/pytest tests/endings -m endings $(ARGS)

.PHONY: crash-matrix
crash-matrix: $(VENV)/.dev  ## Play 10,000 seeded worlds of crashes, faults and people, in virtual time (five minutes). ARGS="--seed 7" shows one.
	@$(BIN)/python tests/crash_matrix/run.py $(ARGS)

.PHONY: kills
kills: $(VENV)/.dev  ## Kill fifty parts of a real Airflow at random and look for node pools (seven minutes; needs PostgreSQL's server).
	@$(BIN)/pytest tests/kills -m endings $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev  ## A virtual day of a hundred clusters, each asked every five minutes (two minutes).
	@MULTICLUSTER_SOAK=often $(BIN)/pytest tests/soak -k hundred $(ARGS)

.PHONY: setup
setup: $(VENV)/.dev  ## Only install what development needs.

.PHONY: requirements
requirements: $(VENV)/.dev  ## Pin the newest versions of everything again.
	$(BIN)/uv pip compile --upgrade --quiet $(PIN) --extra dev --group build --output-file requirements/dev.txt pyproject.toml
	$(BIN)/uv pip compile --upgrade --quiet $(PIN) --no-annotate --extra all --group build --constraint requirements/dev.txt \
		--output-file requirements/demo.txt pyproject.toml

PIN := --universal --python-version 3.11 --no-emit-index-url --custom-compile-command "make requirements"

.PHONY: clean
clean:  ## Remove the environment and everything made.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are older than what they were made from when a pin or the project's metadata changes.
$(VENV)/.demo: requirements/demo.txt requirements/installer.txt pyproject.toml | $(VENV)/.python
	$(call INSTALL,requirements/demo.txt)
	@touch $@

# Development holds all that the demo needs, at the same versions.
$(VENV)/.dev: requirements/dev.txt requirements/installer.txt pyproject.toml | $(VENV)/.python
	$(call INSTALL,requirements/dev.txt)
	@touch $(VENV)/.demo $@

$(VENV)/.python:
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "airflow-multicluster needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
		echo "name a newer one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; \
		exit 1; } >&2
	@touch $@
