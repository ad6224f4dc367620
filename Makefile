# Everything runs in .venv, which is made from requirements.lock when it is missing or out of date.
# ARGS="..." is handed on: make demo ARGS="--from 2010-12-01 --limit 200"
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo up down status test check bench

help:
	@echo 'make demo    start the platform, replay a real shop, reconcile, open the shop'
	@echo 'make up      start the platform (make down stops it, make status shows it)'
	@echo 'make test    the whole test suite, on real servers'
	@echo 'make check   format, lint, types, imports, generated files'
	@echo 'make bench   measure, against a baseline of the same run'
	@echo 'ARGS="..." is handed on, as in make demo ARGS="--from 2010-12-01 --limit 200"'

install:
	@sh deploy/bootstrap.sh

demo up down status: install
	@$(BIN)/ecommerce $@ $(ARGS)

# Two processes with servers of their own: tests mostly wait. In the order of the files, the longest come first.
TOGETHER := -n 2 --dist loadfile --no-loadscope-reorder
# The rules themselves are held to every branch, where the whole suite has run.
test: install
	@$(BIN)/pytest --cov --cov-report=term:skip-covered $(if $(ARGS),$(ARGS),$(TOGETHER))
	@$(if $(ARGS),,$(BIN)/coverage report --include='streams/*/decide.py,streams/*/*/decide.py' --fail-under=100)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ecommerce schemas check
	$(BIN)/ecommerce docs check

bench: install
	@$(BIN)/python -m tests.bench $(ARGS)
