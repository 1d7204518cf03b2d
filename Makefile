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

# In two portions: a process that has compiled a thousand programs has crashed within XLA's compiler now and then.
PORTIONS := tests/conformance|--ignore=tests/conformance
test: $(READY) ## run the tests, eight to fifteen minutes: make test ARGS="-m slow" runs the slow ones
	@$(foreach portion,$(if $(ARGS),all,$(subst |, ,$(PORTIONS))),\
		.venv/bin/python -m pytest -n 2 --dist worksteal $(if $(ARGS),$(ARGS),$(portion)) &&) true

lint: $(READY) ## check style and types
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/pyright
