# Two commands are enough: `make demo` shows the product, `make test` checks it. `make help` lists the rest.
# Needs Python 3.11 or newer, git and make; everything else is brought into this folder (.venv, .tools, var).

# Another Python's folders would leak into ours.
unexport PYTHONPATH PYTHONHOME
# Without compiled modules each of the hundred processes of a test run compiles the product anew: 0.4 s of a processor.
unexport PYTHONDONTWRITEBYTECODE

PYTHON = .venv/bin/python

SET_UP = python=$$(sh infra/setup/find_python.sh) && "$$python" -Es infra/setup/make_venv.py

.PHONY: help setup setup-product demo check test test-long bench web format lock records clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

setup: ## bring .venv to requirements.lock (the other commands do it by themselves)
	@$(SET_UP) everything

setup-product: ## bring .venv to what the product alone needs; `make demo` does it by itself
	@$(SET_UP) product

demo: setup-product ## play the story with one family, then stay up; ONCE=1 ends after the story
	@.venv/bin/smartwatch demo $(if $(ONCE),--once)

check: setup ## the quick checks: format, lint, types, layers, left-overs, unit tests; SEED=1234 repeats an order
	@$(PYTHON) infra/checks.py quick $(if $(SEED),--randomly-seed=$(SEED))

test: setup ## every check: those of `make check` and all tests that are not marked long; SEED=1234 for another order
	@$(PYTHON) infra/checks.py all $(if $(SEED),--randomly-seed=$(SEED))

test-long: setup ## the tests that are marked long (hours)
	@$(PYTHON) -m pytest -m long

bench: setup ## measure the product against baselines, end to end (40 minutes); ONLY=voice for the rows of that name
	@$(PYTHON) -m tests.bench.end_to_end.run $(if $(ONLY),--only $(ONLY))

web: setup ## write the types of the API and build the pages from web/ into services/web/built
	@$(PYTHON) infra/web/pages.py build

format: setup ## format the code and apply the linter's safe fixes
	@$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix .

lock: ## make the locks from pyproject.toml; UPGRADE=1 moves to the newest versions
	@python=$$(sh infra/setup/find_python.sh) && "$$python" -Es infra/setup/make_lock.py $(if $(UPGRADE),--upgrade)

records: setup ## write the simulated parent's records from the OpenAPI document
	@$(PYTHON) infra/openapi_records.py --write

clean: ## remove everything that the commands made, the demo's rows included
	@if [ -x .venv/bin/python ] && [ -d var ]; then .venv/bin/python infra/setup/check_stopped.py; fi
	rm -rf .venv .tools var web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
