# Consignor's tasks; `make` lists them. Only python3 (3.11 or newer, with pip or venv), make and git are needed.
# What a task takes, it takes from ARGS:  make dev ARGS=--once   make test ARGS="-k postgres -x"

PYTHON ?= python3
ARGS ?=
UV := .tools/bin/uv
BIN := .venv/bin
STAMP := .venv/.installed
TOOLS := .venv/.tools-installed
# Packages are downloaded, a Python is not.
export UV_PYTHON_DOWNLOADS := never
# Without bytecode each of the many processes that the tests start compiles all of our modules again: a fifth of its CPU.
unexport PYTHONDONTWRITEBYTECODE
# Behind a company's proxy only the system's certificates are the right ones; a minimal system has none.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= true
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
.DEFAULT_GOAL := help
.PHONY: help dev test lifecycle check format types contracts migrate migration histories bench hostile docs openapi clients conformance fuzz lock clean FORCE
.DELETE_ON_ERROR:

help: ## list these tasks
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r task text; do printf '%-18s %s\n' "$$task" "$$text"; done

dev: $(STAMP) ## start everything, load a sample catalogue, fulfil a first order (--once, --fresh, --port, --data)
	@$(BIN)/consignor dev $(ARGS)

ifdef PG_BIN
export PG_BIN
endif
test: $(TOOLS) ## run the tests, three at a time, for many wait (PG_BIN=/usr/lib/postgresql/15/bin for another PostgreSQL)
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

lifecycle: $(TOOLS) ## live two hundred random lives of orders, thirty steps each, with crashes and time jumps
	@LIFECYCLE_RUNS=200 $(BIN)/python -m pytest tests/workflows/test_lifecycle_machine.py --timeout 3600 --durations 1 $(ARGS)

check: $(TOOLS) ## lint, format, types and contracts: what CI runs first
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(TOOLS) ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(TOOLS) ## check the types
	@$(BIN)/mypy $(ARGS)

contracts: $(TOOLS) ## check that imports point down only
	@$(BIN)/lint-imports $(ARGS)

migrate: $(STAMP) ## bring the database (DATABASE_URL, else the running stack's) up to date
	@$(BIN)/consignor migrate $(ARGS)

migration: $(TOOLS) ## write the next migration from what the tables have changed (ARGS="what it does")
	@$(BIN)/python -m cli.dev.draft_migration '$(subst ','\'',$(ARGS))'
	@$(BIN)/ruff check -q --fix migrations/versions
	@$(BIN)/ruff format -q migrations/versions

histories: $(TOOLS) ## record the workflow histories of the replay tests, and their fingerprints
	@$(BIN)/python -m tests.workflows.record_histories $(ARGS)

bench: $(TOOLS) ## measure the archive engine beside its peers (ARGS=--small for a first look); needs 10 GB in /tmp
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements-bench.lock || echo "the Python peers cannot be installed; the rest runs"
	@$(BIN)/python -m bench.archives $(ARGS)

hostile: $(TOOLS) ## have hostile clients do their worst to a stack of its own, and measure a bystander (ARGS="--seconds 60")
	@$(BIN)/python -m bench.hostile $(ARGS)

openapi: $(TOOLS) ## write the contract of the API, docs/openapi.json; breaking it takes a line in the changelog
	@$(BIN)/python -m docs.contract $(ARGS)

clients: $(TOOLS) ## generate clients in TypeScript and Python from the contract and compile them (ARGS=folder)
	@$(BIN)/python -m tests.clients.generating $(ARGS)

fuzz: $(TOOLS) ## have schemathesis ask the API several thousand things as three people (ARGS=examples per operation)
	@$(BIN)/python -m tests.api.fuzzing $(ARGS)

conformance: $(TOOLS) ## have Spectral, Redocly, client generators, REDbot and stac-api-validator judge (ARGS=contract or running)
	@$(BIN)/python -m tests.conformance $(ARGS)

docs: $(TOOLS) ## write the parts of the documentation that are derived from the code
	@$(BIN)/python -m docs $(ARGS)

LOCK = $(UV) pip compile -q --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header
# One resolution for all: the dev stack's lock and the build's are what they leave of the tests' lock.
lock: $(UV) ## resolve the dependencies into requirements.lock (dev stack), requirements-dev.lock (tests), requirements-build.lock and requirements-bench.lock
	@$(LOCK) pyproject.toml --extra dev -o requirements-dev.lock $(ARGS)
	@$(LOCK) pyproject.toml --extra embedded -c requirements-dev.lock --no-annotate -o requirements.lock
	@$(LOCK) --group build -c requirements-dev.lock --no-annotate -o requirements-build.lock
	@$(LOCK) --group bench --no-annotate -o requirements-bench.lock

clean: ## remove what is installed and cached; the data in .consignor stays
	@rm -rf .tools .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -not -path './.consignor/*' -prune -exec rm -rf {} +

# The stamp holds the folder: a moved checkout is installed again, for scripts name their interpreter by its whole path.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): FORCE
endif
# Bytecode is compiled here, by all cores at once, and not by the first start, which is half as long then.
$(STAMP): requirements.lock pyproject.toml $(UV)
	@echo "Installing into .venv: 500 MB on disk, once, in a minute or so where the line is good …"
	@test "$$(cat $@ 2>/dev/null)" = "$(CURDIR)" && $(BIN)/python -c "" 2>/dev/null || $(UV) venv -q --clear --python "$(PYTHON)" .venv
	@$(UV) pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps --build-constraints requirements-build.lock --editable .
	@printf %s "$(CURDIR)" > $@

# What tests and checks need in addition; the dev stack does not wait for it.
$(TOOLS): $(STAMP) requirements-dev.lock
	@echo "Installing the tools of tests and checks …"
	@$(UV) pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

# pip installs uv without touching the system's Python: --target works where the system's packages are locked (PEP 668).
# A Python without pip brings one in its venv module. What builds and installs is itself known by its hashes.
INSTALL_UV = -m pip install -q --upgrade --target .tools --require-hashes -r requirements-build.lock
$(UV): requirements-build.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=…"; exit 1; }
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; then $(PYTHON) $(INSTALL_UV); \
	elif $(PYTHON) -m venv .tools/pip >/dev/null 2>&1; then .tools/pip/bin/python $(INSTALL_UV); \
	else echo "this Python has neither pip nor venv: install python3-pip or python3-venv"; exit 1; fi
	@touch $(UV)
