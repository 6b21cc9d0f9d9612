# `make` lists the targets. Everything is made in .venv, node_modules, .local and build, inside this folder.
PYTHON ?= python3
BIN := .venv/bin
RUN_SET := .venv/.ready-run
TEST_SET := .venv/.ready-test
# Node and npm are in .venv/bin where the machine has none.
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

# A .venv that was moved, or whose Python was removed, is set up again.
$(shell { grep -qxF '$(CURDIR)' $(RUN_SET) && $(BIN)/python -c ''; } >/dev/null 2>&1 || rm -f $(RUN_SET) $(TEST_SET))

.DEFAULT_GOAL := help
.PHONY: browsers frameworks help setup run test lint types unit bench package checkov mutants chaos clean lock crawlers

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## set up or repair .venv and node_modules
	@$(PYTHON) -m scripts.set_up run

$(RUN_SET): requirements-run.lock package-lock.json pyproject.toml
	@$(PYTHON) -m scripts.set_up run

$(TEST_SET): requirements-test.lock package-lock.json pyproject.toml scripts/chromium/package-lock.json
	@$(PYTHON) -m scripts.set_up test

run: $(RUN_SET) ## serve the whole product on http://127.0.0.1:8000 (PORT=9000, EMPTY=1)
	@exec $(BIN)/abacus run

test: lint types unit ## run every check

lint: $(TEST_SET)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(WITH_NODE) node_modules/.bin/biome check --error-on-warnings .
	@$(BIN)/python scripts/check_prose.py

types: $(TEST_SET)
	@$(BIN)/mypy
	@$(WITH_NODE) node_modules/.bin/tsc -p .

unit: $(TEST_SET)
	@$(BIN)/pytest -n 2 --dist worksteal --timeout 600 --cov --cov-report=term-missing:skip-covered

browsers: ## install Firefox and WebKit for the snippet's tests (Debian, as root)
	@command -v firefox-esr >/dev/null && command -v WebKitWebDriver >/dev/null && command -v Xvfb >/dev/null || { \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		firefox-esr webkit2gtk-driver xvfb; }

frameworks: $(TEST_SET) ## try the snippet in Next and Astro (installs 500 MB into build/frameworks)
	@ABACUS_FRAMEWORKS=1 $(BIN)/pytest -q --timeout 2400 tests/browser/snippet/frameworks/test_site_builders.py

bench: $(TEST_SET) ## measure speed and price beside peers and floors
	@$(BIN)/python -m bench

package: $(RUN_SET) ## build the Lambda zip and its template in build/package
	@$(BIN)/abacus package --stage prod --out build/package

checkov: package ## look for unsafe settings in the templates (in an environment of its own, made once)
	@test -x build/checkov/bin/checkov || { $(PYTHON) -m venv build/checkov && build/checkov/bin/pip install -qq checkov==3.3.30; }
	@build/checkov/bin/checkov -d infra --framework cloudformation --compact --quiet --skip-download
	@build/checkov/bin/checkov -f build/package/sam.json --framework cloudformation --compact --quiet --skip-download

# Works on a copy. Its environment sees the packages of .venv, but not the product that is installed there. What it has
# found stays in build/mutants/tree/mutants; CONTRIBUTING.md says how to read it.
MUTANTS ?=
mutants: $(TEST_SET) ## break counting, ingestion and storage in small ways; list what no test notices (MUTANTS=NAMES)
	@test -x build/mutants/bin/mutmut || { $(PYTHON) -m venv build/mutants && build/mutants/bin/pip install -qq mutmut==3.8.1; }
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$(build/mutants/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/product.pth"
	@mkdir -p build/mutants/tree && cd build/mutants/tree && rm -rf mutants/tests && \
		find . -mindepth 1 -maxdepth 1 ! -name mutants -exec rm -rf {} +
	@git ls-files -z | tar -c --null -T - | tar -x -C build/mutants/tree
	@ln -sfn $(CURDIR)/node_modules build/mutants/tree/node_modules
	@cd build/mutants/tree && PATH="$(CURDIR)/$(BIN):$$PATH" ../bin/mutmut run $(MUTANTS) && ../bin/mutmut results

EVENTS ?= 100000
chaos: $(TEST_SET) ## kill and throttle everything while visitors send events; then count (EVENTS=100000)
	@$(BIN)/python -m tests.chaos --events $(EVENTS)

# requirements-test.lock holds everything; requirements-run.lock is the part of it that running needs.
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url

lock: $(TEST_SET) ## update the lock files from requirements-*.in and package.json
	@$(BIN)/python -m pip install -qq uv
	@$(UV_COMPILE) requirements-test.in -o requirements-test.lock
	@$(UV_COMPILE) requirements-run.in -c requirements-test.lock -o requirements-run.lock
	@$(WITH_NODE) npm install --package-lock-only --silent
	@$(WITH_NODE) npm install --package-lock-only --silent --prefix scripts/chromium

crawlers: $(TEST_SET) ## update the list of crawlers from its package
	@$(BIN)/python -m scripts.update_crawlers

clean: ## delete the local state and everything built (keeps .venv)
	@rm -rf .local build .coverage .hypothesis .mypy_cache .ruff_cache
