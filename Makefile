# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_TO_WORK := $(VENV)/.ready-to-work
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SECONDS := 600
SEED := 1
# The journeys wait more than they reckon: two processes for each of the two cores that CI has.
TEST_PROCESSES := 4
# What the tests of a file share is then made once; the order stays, for the last files in it are short ones.
SHARED := --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
# Tests start hundreds of interpreters: what they import is compiled once, also where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run serve ui test check bench compose-ci container-test drill screenshots images format lint types schema vendor lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY_TO_WORK) ## a virtual environment in .venv with the locked dependencies

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "upswarm needs Python 3.11 or later; found $$($(PYTHON) --version). Say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# A first run should not wait for what only the tests need.
$(READY_TO_WORK): $(READY) requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	@touch $@

run: $(READY) ## the smoke scenario against the embedded server: summary, report, verdict
	$(BIN)/upswarm run smoke

serve: $(READY) ## the reference server alone
	$(BIN)/upswarm serve

ui: $(READY) ## Locust's web UI with the upload users
	$(BIN)/upswarm ui

test: $(READY_TO_WORK) ## the tests
	$(BIN)/pytest $(SHARED)

check: $(READY_TO_WORK) ## format, lint, types and tests: what main always passes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest $(SHARED)

bench: $(READY_TO_WORK) ## the reference server beside its peers and the machine's own limit
	$(BIN)/python -m benchmarks.line_rate

# The first time includes two images that are built from nothing.
container-test: $(READY_TO_WORK) ## the images, and runs in containers that are killed and stopped (needs Docker)
	$(BIN)/pytest --numprocesses 2 --dist loadfile --timeout 600 tests/containers
	@$(SIZES)

compose-ci: ## docker/compose-ci: a headless run in containers (needs Docker alone)
	@docker/compose-ci

drill: $(READY_TO_WORK) ## the crash drill, long: SECONDS=600 of kills, SEED=1 decides which
	$(BIN)/python -m tests.drill --seconds $(SECONDS) --seed $(SEED)

screenshots: $(READY_TO_WORK) ## the pictures of the docs, by real runs in a real browser (needs chromium)
	$(BIN)/python -m tests.browser.screenshots

# What a build needs of the network is the Docker engine's affair: BUILD_NETWORK=host where its own network has no way out.
BASE ?= python:3.11-slim-bookworm
BUILD_NETWORK ?= default
BUILD := docker build --file docker/Dockerfile --network $(BUILD_NETWORK) --build-arg BASE=$(BASE) \
	--build-arg VERSION=$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
	--build-arg REVISION=$(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
SIZES = docker image inspect upswarm-server upswarm-load --format '{{index .RepoTags 0}} {{.Size}} bytes'
images: ## build the container images upswarm-server and upswarm-load, and say how large they are
	$(BUILD) --target server --tag upswarm-server .
	$(BUILD) --target load --tag upswarm-load .
	@$(SIZES)

format: $(READY_TO_WORK) ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: $(READY_TO_WORK) ## write scenarios/scenario.schema.json and docs/run.schema.json from the types
	$(BIN)/python -m upswarm.scenario.schema > scenarios/scenario.schema.json
	$(BIN)/python -m upswarm.results.run_schema > docs/run.schema.json

VENDOR := upswarm/reports/vendor
ECHARTS := node_modules/echarts
# A licence that does not end with a line is given its end.
vendor: ## fetch the charts' library anew, as package-lock.json has it (needs npm)
	cd $(VENDOR) && npm ci --ignore-scripts --no-audit --no-fund \
		&& cp $(ECHARTS)/dist/echarts.common.min.js echarts.min.js && sha256sum echarts.min.js > echarts.min.js.sha256 \
		&& for each in LICENSE NOTICE; do awk 1 $(ECHARTS)/$$each > $$each; done \
		&& awk 1 $(ECHARTS)/licenses/LICENSE-d3 > LICENSE-d3 && awk 1 node_modules/zrender/LICENSE > LICENSE-zrender \
		&& rm -r node_modules

LOCKING := uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes
LOCK := $(LOCKING) pyproject.toml

lock: ## resolve all lock files anew (needs uv)
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group build --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(LOCK) --constraint requirements.lock --output-file docker/load.lock
	$(LOCKING) --group server --constraint requirements.lock --output-file docker/server.lock
	$(LOCKING) --group build --constraint requirements.lock --output-file docker/build.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
