# The two commands a newcomer needs: `make run` and `make test`.
# Both make .venv from the lock file; nothing outside this folder is changed, except that
# `make test` installs Chromium and Mosquitto with apt where it may.

VENV      := .venv
PY        := $(VENV)/bin/python
PORTRAITS := $(VENV)/share/ringward/portraits
PYTHON    ?= $(shell command -v python3.11 || command -v python3)
PIP       := $(PY) -m pip --disable-pip-version-check --quiet

.PHONY: run up test check format bench chaos drill fuzz properties screenshots lock clean tools wheelhouse install-offline

run: $(VENV)/.run $(PORTRAITS)/.done   ## the demo, at the address that it prints
	$(VENV)/bin/ringward demo

up: $(VENV)/.run                       ## an empty Ringward of your own
	$(VENV)/bin/ringward up

# Processes of tests; a file's tests stay in one, in their order. 0 runs all in the one you see.
# Those that kill and stop processes come after the others, by themselves: what they wait for is
# a standby's seconds, which a neighbour at work would use up. 5: ARGS names tests of one kind alone.
JOBS ?= auto

test: $(VENV)/.dev $(PORTRAITS)/.done tools   ## everything that this machine can run
	@red=0; \
	$(PY) -m pytest --numprocesses $(JOBS) --dist loadfile -m "not alone" $(ARGS) || [ $$? = 5 ] || red=1; \
	$(PY) -m pytest -m alone $(ARGS) || [ $$? = 5 ] || red=1; \
	exit $$red

check: $(VENV)/.dev                    ## style, types, walls between rooms
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.dev $(PORTRAITS)/.done   ## every benchmark in full: an hour and more, on a quiet machine
	$(VENV)/bin/ringward bench all --full --page docs/performance.md $(ARGS)

MINUTES ?= 10

fuzz: $(VENV)/.fuzz                    ## every decoder, ten minutes each way; what it finds becomes a test
	$(PY) -m tests.fuzz hypothesis --minutes $(MINUTES)
	$(PY) -m tests.fuzz atheris --minutes $(MINUTES)

HISTORIES ?= 10000

properties: $(VENV)/.dev               ## what holds of all rules, on ten thousand made histories each
	RINGWARD_HISTORIES=$(HISTORIES) $(PY) -m pytest -q --timeout 0 tests/acceptance/rules/test_global_properties.py $(ARGS)

chaos: $(VENV)/.dev                    ## a million events over a thousand faults, 75 minutes; needs root
	$(PY) -m tests.chaos $(ARGS)

drill: $(VENV)/.dev                    ## burns a site down and brings it back from its copy, timed
	$(PY) -m tests.drill $(ARGS)

screenshots: $(VENV)/.dev $(PORTRAITS)/.done tools   ## docs/screenshots, from the running demo
	$(PY) -m tests.screenshots

lock:
	requirements/lock.sh

# Debian's Python comes without venv; the package is asked for where we may install it.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv; \
	  else echo "The venv module is missing: sudo apt-get install python3-venv"; exit 1; fi; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes --no-deps -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(PIP) install --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements/fuzz.txt
	$(PIP) install --require-hashes --no-deps -r requirements/fuzz.txt
	@touch $@

$(PORTRAITS)/.done: $(VENV)/.run requirements/portraits.txt
	@mkdir -p $(PORTRAITS)
	$(PIP) download --no-deps --no-binary :all: --no-build-isolation --require-hashes -r requirements/portraits.txt -d $(VENV)/share/ringward
	tar -xzf $(VENV)/share/ringward/face_recognition-1.3.0.tar.gz -C $(PORTRAITS) --strip-components=3 --wildcards '*/tests/test_images/*'
	@touch $@

WHEELHOUSE ?= build/wheelhouse
TARGET     ?= /opt/ringward

wheelhouse: $(VENV)/.run               ## what a machine without a network installs, in one folder
	deploy/offline/gather.sh $(PY) requirements/run.txt $(WHEELHOUSE)

install-offline:                       ## from that folder, without a network
	PYTHON=$(PYTHON) $(WHEELHOUSE)/install.sh $(TARGET)

tools:                                 # Chromium for the pages, Mosquitto as a second broker and client
	@sh deploy/test-tools.sh

clean:
	rm -rf $(VENV) data .mypy_cache .ruff_cache .pytest_cache
