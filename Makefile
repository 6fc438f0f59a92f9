# Every command here is a few lines over public tools; the README shows each one plain.
PYTHON  ?= python3
VENV    ?= .venv
CHAPTER ?= 03_denoise
SITE    ?= _site
ARGS    ?=

# A thread that waits gives its core away: on a machine that does other work as well, training is several times faster.
export OMP_WAIT_POLICY ?= passive

BIN      = $(VENV)/bin

.PHONY: help run paper test lab docs
help:
	@echo 'make run                        train a chapter in minutes and print its scores (CHAPTER=$(CHAPTER))'
	@echo 'make paper CHAPTER=$(CHAPTER)   the full run, as published (GPU); run it again to resume it'
	@echo '     SEEDS="0 1 2", PRESET=source, several chapters: one run after the other'
	@echo 'make lab                        open the notebooks in JupyterLab'
	@echo 'make docs                       build the site into $(SITE)/'
	@echo 'make test                       check and run every notebook, then pytest'

# Set up once: the stamp files say that it is done, and a change of the requirements undoes them.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.version_info >= (3, 11) or sys.exit("ecg_nb needs Python 3.11 or later, $(PYTHON) is " + v + ": try make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.book $(VENV)/.dev: $(VENV)/.%: settings.ini setup.py pyproject.toml | $(VENV)/.python
	$(BIN)/python -m pip install -e '.[$*]'
	@touch $@

# CHAPTER and SEEDS may be several words: one run after the other, each seed in a folder of its own.
run: PRESET = quick
paper: PRESET = paper
run paper: $(VENV)/.book
	@set -e; for chapter in $(CHAPTER); do for seed in $(or $(SEEDS),preset); do \
	    name=$(PRESET); given=; \
	    if [ $$seed != preset ]; then name=$(PRESET)-seed$$seed; given="-p seed $$seed -p run_name $$name"; fi; \
	    folder=$(or $(ECG_NB_OUTPUTS),outputs)/$$chapter/$$name; mkdir -p $$folder; \
	    $(BIN)/papermill nbs/$$chapter.ipynb $$folder/$$chapter.ipynb -p preset $(PRESET) $$given $(ARGS); \
	    $(BIN)/jupyter nbconvert --log-level=WARN --to html $$folder/$$chapter.ipynb; \
	    $(BIN)/python book/scores.py $$folder; \
	done; done

# Notebooks clean, exported and by the rules first (seconds); then all of them, run from top to bottom; then the rest.
# Nothing is downloaded: on recordings that are here, else on the offline sample.
test: export OMP_NUM_THREADS = 1
test: export ECG_NB_OFFLINE = 1
test: $(VENV)/.dev
	$(BIN)/ruff check -q ecg_nb book tests
	$(BIN)/pytest tests/test_notebooks.py
	outputs=$$(mktemp -d) && trap 'rm -rf $$outputs' EXIT && ECG_NB_OUTPUTS=$$outputs $(BIN)/nbdev_test --n_workers 2 --timing
	$(BIN)/pytest --ignore=tests/test_notebooks.py

lab: $(VENV)/.book
	$(BIN)/jupyter lab nbs

docs: $(VENV)/.dev
	$(BIN)/sphinx-build -M html nbs $(SITE) -c book -W --keep-going -n -q
	$(BIN)/python book/links.py $(SITE)/html
	@echo 'The site is in $(SITE)/: open $(SITE)/html/index.html'
