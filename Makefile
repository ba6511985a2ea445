# Every target does its own set-up; a second call finds it done. Needs Python >= 3.10 and make.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
PIP_ARGS ?=
INSTALLED = $(VENV)/.installed

.PHONY: train test lint bench docs install

train: $(INSTALLED)
	$(VENV)/bin/trafficrl-train $(ARGS)

# Two processes more than the two cores that this is meant for: tests wait for Slurm, and for jobs.
test: $(INSTALLED)
	$(VENV)/bin/python -m pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder $(ARGS)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(VENV)/bin/python -m bench $(ARGS)

# Pages in build/site; a link that leads nowhere is an error.
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict $(ARGS)

install: $(INSTALLED)

# The stamp comes last: an install that broke off is done again.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --editable '.[dev]'
	touch $@
