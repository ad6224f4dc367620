# Everything runs in .venv, which is made from requirements.lock when it is missing or out of date.
# ARGS="..." is handed on: make demo ARGS="--from 2010-12-01 --limit 200"
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo up down status hooks test check bench

help: ## what there is
	@awk -F ' *## *' '/^[a-z ]+:.*##/ { sub(/:.*/, "", $$1); printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'ARGS="..." is handed on, as in make demo ARGS="--from 2010-12-01 --limit 200"'

install: ## make .venv from requirements.lock
	@sh deploy/bootstrap.sh

demo: install ## start the platform, replay a real shop, reconcile, open the shop
	@$(BIN)/ecommerce demo $(ARGS)

up: install ## start the platform
	@$(BIN)/ecommerce up $(ARGS)

down: install ## stop it; what it holds stays
	@$(BIN)/ecommerce down $(ARGS)

status: install ## what runs, since when, how far behind
	@$(BIN)/ecommerce status $(ARGS)

hooks: install ## the quick checks at every commit
	@$(BIN)/uvx pre-commit install

# Two processes with servers of their own: tests mostly wait. In the order of the files, the longest come first.
TOGETHER := -n 2 --dist loadfile --no-loadscope-reorder
# The domains' rules are held to every branch, where the whole suite has run.
test: install ## the whole test suite, on real servers
	@$(BIN)/pytest --cov --cov-report=term:skip-covered $(if $(ARGS),$(ARGS),$(TOGETHER))
	@$(if $(ARGS),,$(BIN)/coverage report --include='streams/*/*' --omit='streams/kernel/*' --fail-under=100)

check: install ## format, lint, types, layers, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ecommerce schemas check
	$(BIN)/ecommerce docs check

bench: install ## measure, against a baseline of the same run
	@$(BIN)/python -m tests.bench $(ARGS)
