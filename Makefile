# Two commands are enough: `make demo` to see it, `make test` to check it. `make help` lists the rest.
# Needs Python 3.11 or newer, git and make; everything else is brought into this folder (.venv, .tools, var).

# Another Python's folders would leak into ours.
unexport PYTHONPATH PYTHONHOME

PYTHON = .venv/bin/python

.PHONY: help setup demo test test-long format lock records clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

setup: ## make .venv equal to requirements.lock (the others do it by themselves)
	@python=$$(sh infra/setup/find_python.sh) && "$$python" -Es infra/setup/make_venv.py

demo: setup ## play the story with one family, then stay up; ONCE=1 ends after the story
	@.venv/bin/smartwatch demo $(if $(ONCE),--once)

test: setup ## every check: format, lint, types, layers, left-overs, tests
	@$(PYTHON) infra/checks.py

test-long: setup ## the tests that take their time
	@$(PYTHON) -m pytest -m long

format: setup ## bring the code into its form
	@$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix .

lock: ## make requirements.lock from pyproject.toml; UPGRADE=1 takes the newest versions
	@python=$$(sh infra/setup/find_python.sh) && "$$python" -Es infra/setup/make_lock.py $(if $(UPGRADE),--upgrade)

records: setup ## write the simulated parent's records from the OpenAPI document
	@$(PYTHON) infra/openapi_records.py --write

clean: ## remove what the commands made, rows of the demo included
	@if [ -x .venv/bin/python ] && [ -d var ]; then .venv/bin/python infra/setup/check_stopped.py; fi
	rm -rf .venv .tools var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
