# Every target does its own set-up; a second call finds it done. Needs Python >= 3.10 and make.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
INSTALLED = $(VENV)/.installed

.PHONY: train test lint bench install

train: $(INSTALLED)
	$(VENV)/bin/trafficrl-train $(ARGS)

# What mostly waits comes first, with one process more than the two cores that this is meant for.
test: $(INSTALLED)
	$(VENV)/bin/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder \
	    tests/slurm tests/app tests $(ARGS)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(VENV)/bin/python -m bench $(ARGS)

install: $(INSTALLED)

# The stamp comes last: an install that broke off is done again.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
