# `make` alone lists the targets and the variables, from the `##` comments below.

## CONFIG=NAME      what to train, one of the names that `.venv/bin/mt config` lists, or a YAML file; of study: `.venv/bin/mt study`
## RUN=DIR          a run directory; unset, train names one after the configuration and eval takes the last
## SPLIT=NAME       the split that eval scores; unset, the test split
## ARGS=...         added to the command as it is: ARGS='model.hidden=128 train.epochs=3', or to eval ARGS=search.beam=10
## PYTHON=python3   makes .venv; 3.11 or newer
## TORCH_INDEX=URL  package index to take PyTorch from, e.g. the one with its CPU builds
## PIP_ARGS=...     added to `pip install`
CONFIG ?=
RUN ?=
SPLIT ?=
ARGS ?=
PYTHON ?= python3
TORCH_INDEX ?=
PIP_ARGS ?=

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
INSTALLED := .venv/.installed
DEVELOPING := .venv/.developing
PIP := $(BIN)/python -m pip --disable-pip-version-check $(if $(CI),--quiet)
DEMO := runs/demo
PYTEST := $(BIN)/python -m pytest -n auto --dist loadscope

.DEFAULT_GOAL := help
.PHONY: help install train eval translate demo study test check clean

train: $(INSTALLED) ## train, ends with validation scores; again: resumes, or says that it is trained
	$(BIN)/mt train $(if $(CONFIG),"$(CONFIG)") $(ARGS) $(if $(RUN),--run "$(RUN)") --resume

eval: $(INSTALLED) ## translate a split with beam search, score it, write everything to the run
	$(BIN)/mt eval $(if $(RUN),"$(RUN)") $(if $(SPLIT),--split "$(SPLIT)") $(ARGS)

translate: $(INSTALLED) ## translate standard input, or what you type, with RUN=DIR
	$(if $(RUN),,$(error RUN is not set. Write `make translate RUN=runs/NAME`))
	@$(BIN)/mt translate "$(RUN)" $(ARGS)

demo: $(INSTALLED) ## train on a toy grammar for a few minutes, then translate
	$(BIN)/mt train toy train.epochs=4 --run $(DEMO) --resume
	$(BIN)/mt translate $(DEMO) "Die alte Katze hat den Brief nicht vergessen." \
	  "Wann holt der König seinen schwarzen Koffer ab?" "Natürlich hofft sie, dass der Riese in Berlin geblieben ist."

study: $(INSTALLED) ## train and score all points of a study: CONFIG=attention; one table
	$(BIN)/mt study $(if $(CONFIG),"$(CONFIG)") $(ARGS)

test: $(DEVELOPING) ## run the tests
	$(PYTEST) $(ARGS)

check: $(DEVELOPING) ## format, lint, types, and tests with warnings as errors
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(PYTEST)

install: $(INSTALLED) ## make .venv with the versions of constraints.txt; the others do it when needed, test and check with their tools

clean: ## remove .venv and caches; never data/ or runs/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
	find mt scripts tests -name __pycache__ -prune -exec rm -rf {} +

help: ## say this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@awk '/^## / {sub(/^##/, " "); print}' Makefile

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mt needs Python 3.11 or newer, and '$(PYTHON)' is not: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { \
	  echo "'$(PYTHON)' cannot make a virtual environment; Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv. PyTorch for Linux is several GB with CUDA; README.md says how to get its CPU build."
	$(if $(TORCH_INDEX),$(PIP) install $(PIP_ARGS) --index-url "$(TORCH_INDEX)" --no-deps -c constraints.txt torch)
	$(PIP) install -c constraints.txt -e '.[neighbours,papers,paragraphs,web]' $(PIP_ARGS)
	@touch $@

$(DEVELOPING): $(INSTALLED)
	$(PIP) install -c constraints.txt -e '.[dev]' $(PIP_ARGS)
	@touch $@
