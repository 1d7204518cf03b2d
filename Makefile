SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install train test lint

# Made last by scripts/install.sh, so it is there only after a complete installation.
READY := .venv/.ready

help: ## print these targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

$(READY): requirements.lock pyproject.toml
	@bash scripts/install.sh $(READY)

install: $(READY) ## put the locked environment into .venv
	@:

train: $(READY) ## train a model: make train ARGS="--help" shows what can be set
	@.venv/bin/counterpoint train $(ARGS)

test: $(READY) ## run the tests: make test ARGS="-m slow" runs the slow ones
	@.venv/bin/python -m pytest -n 2 $(ARGS)

lint: $(READY) ## check style and types
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/pyright
