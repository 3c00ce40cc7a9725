# Every target sets up what it needs by itself: `make demo` on a fresh machine is enough.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
TYPED := portal sandbox demo deploy bench scripts wsgi.py worker.py

.PHONY: help setup browser demo run worker test test-browser test-google screens test-long lint format bench lock sbom

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## Make .venv and install the locked packages (every target does this by itself)
	@scripts/setup

browser: ## Find Chromium, or install Debian's package
	@scripts/chromium

demo: setup ## Start everything on a scratch database with an invented practice
	@exec $(BIN)/python -m demo

run: setup ## Start the web server, settings from the environment or .env
	@exec $(BIN)/gunicorn --no-control-socket --bind 127.0.0.1:5000 --workers 2 wsgi:app

worker: setup ## Start one worker, settings from the environment or .env
	@exec $(BIN)/python worker.py

test: setup ## Run the tests, one walk in the browser among them
	@scripts/test

test-browser: setup ## Run every browser test
	@chromium="$$(scripts/chromium)"; CHROMIUM="$$chromium" $(BIN)/python -m pytest -p no:randomly tests/browser

test-google: setup ## Run the contract suite, against the Google named in the environment (docs/google-contract.md)
	@$(BIN)/python -m pytest --confcutdir=tests/google_contract --tb=short tests/google_contract

screens: setup ## Take the pictures in docs/screens/ anew
	@chromium="$$(scripts/chromium)"; KEEP_SCREENS=1 CHROMIUM="$$chromium" $(BIN)/python -m pytest tests/browser
	@$(BIN)/python -m tests.browser.pictures

test-long: setup ## Run the long tests and write a summary to docs/measurements/
	@$(BIN)/python -m scripts.long_tests

lint: setup ## Check style (ruff), templates (djLint) and types (mypy)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/djlint --quiet --lint templates sandbox/templates
	@$(BIN)/mypy $(wildcard $(TYPED))
	@echo "lint: clean"

format: setup ## Format the code and fix what can be fixed by itself
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .

bench: setup ## Run the benchmarks
	@$(BIN)/python -m bench

lock: setup ## Write the lock files anew from requirements.in and requirements-dev.in
	@for name in requirements requirements-dev; do \
	  CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	    --allow-unsafe --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --output-file $$name.txt $$name.in; \
	done

sbom: setup ## Write build/sbom.json, the list of parts that a release carries (CycloneDX)
	@$(BIN)/python -m scripts.sbom
