# Set up, test, check and demonstrate icelens; `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INTEROP := build/interop
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all test-browser test-cluster interop check format bench vendor clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	# torch first and pinned: a machine with a local CPU wheel takes it, a GPU machine the CUDA build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "torch==$$(sed -n 's/^torch==//p' constraints.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	touch $(STAMP)

install: $(STAMP)  ## make .venv with pinned dependencies; .venv/bin/icelens then works

demo: $(STAMP)  ## restore, pick, pose and hetero on small simulated data, scored; writes demo/report.html
	$(BIN)/icelens demo --output demo

test: $(STAMP)  ## the tests that CI runs (at most 15 minutes on 2 cores)
	$(BIN)/python -m pytest -m "not slow and not gpu and not cluster and not browser" -n 2
	@command -v chromium >/dev/null && echo "the browser's tests: make test-browser" || echo "notice: chromium is absent, so the workbench was not tried in a browser; make test-browser installs it"

test-all: $(STAMP)  ## every test, the slow ones too
	$(BIN)/python -m pytest -n 2

test-browser: $(STAMP)  ## the workbench as a person uses it, in Debian's Chromium (installed where possible)
	@command -v chromium >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium; } \
		|| echo "notice: chromium is absent and cannot be installed here (root and apt are needed); the tests are skipped"
	# on a busy machine a browser can be late: what failed is tried once more, alone
	$(BIN)/python -m pytest -m browser -n 2 --dist loadfile tests/browser \
		|| $(BIN)/python -m pytest -m browser -n 0 --last-failed --last-failed-no-failures none tests/browser

test-cluster: $(STAMP)  ## cluster lanes on a real SLURM, started and stopped for it (root, slurm-wlm, munge)
	$(BIN)/python -m pytest -m cluster -n 0 tests/cluster

$(INTEROP)/.installed: tests/interop/requirements.txt tests/interop/constraints.txt
	$(PYTHON) -m venv $(INTEROP)
	$(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check -c tests/interop/constraints.txt -r tests/interop/requirements.txt
	touch $@

interop: $(INTEROP)/.installed  ## the real copick reads what we write, and the other way round
	PYTHONPATH=src $(INTEROP)/bin/python -m pytest -c tests/interop/pytest.ini --rootdir tests/interop --confcutdir tests/interop -p no:cacheprovider tests/interop

check: $(STAMP)  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## let ruff order imports and lay out lines
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## speed, memory and quality figures (see bench/RESULTS.md)
	$(BIN)/python -m bench

vendor:  ## take the workbench's JavaScript libraries from the npm registry anew (needs npm)
	$(PYTHON) vendor/vendor.py

clean:  ## remove the environment and the demo
	rm -rf $(VENV) $(INTEROP) demo
