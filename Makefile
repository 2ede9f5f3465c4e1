# pyloader's tasks. `make` lists them. Options: V=1 shows every command, ARGS="…" is passed to `pyloader run`,
# VENV=… is where `make install` and `make run` install, PYTHON=… is the interpreter that makes the environments.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV   ?= .build/env
ARGS   ?=

NATIVE := $(shell uname -m)
CROSS  := $(if $(filter aarch64,$(NATIVE)),x86_64,aarch64)
ROOT_USER := $(filter 0,$(shell id -u))

Q    := $(if $(V),,@)
say  = @printf '  %-9s %s\n' $(1) '$(2)'
# Runs a command and shows what it prints only if it fails.
quietly = $(Q)$(if $(V),$(1),out=$$($(1) 2>&1) || { printf '%s\n' "$$out" >&2; exit 1; })
PIP  := --disable-pip-version-check $(if $(V),,-qq)

# One environment per purpose: TOOLS builds, DEV checks and tests the installed wheel, VENV is what a user has.
TOOLS := .build/tools
DEV   := .build/dev
# The system's pip only fetches this one, so that every machine installs with the same pip.
PINNED_PIP := pip==26.3

BPF_FILES     := $(wildcard bpf/*.bpf.[ch] vmlinux/*.h)
CHAIN_FILES   := $(wildcard bpf/build/*.py bpf/build/*.toml)
LIBRARY_FILES := $(wildcard bpf/library/*)
PACKAGE_FILES := $(shell find pyloader -type f -not -path '*/__pycache__/*' -not -path 'pyloader/lib/*' -not -path 'pyloader/objects/*')

WHEEL := .build/done/wheel-$(NATIVE)
BUILT := $(BPF_FILES) $(CHAIN_FILES) $(LIBRARY_FILES) $(PACKAGE_FILES) pyproject.toml README.md LICENSE .build/file-list

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What `doctor` finds missing is advice; `run` itself decides whether it can start.
.PHONY: run
run: $(VENV)/done ## build, install into a private environment, and run: make run ARGS="--duration 5"
	$(Q)$(VENV)/bin/pyloader doctor || :
	$(Q)exec $(VENV)/bin/pyloader run $(ARGS)

.PHONY: install
install: $(VENV)/done ## install the wheel into a private environment: make install VENV=DIR
	@echo '  $(VENV)/bin/pyloader is ready'

.PHONY: objects lib
objects: $(TOOLS)/done ## compile the BPF programs into pyloader/objects/
	$(call say,OBJECTS,pyloader/objects)
	$(call quietly,$(TOOLS)/bin/python -m bpf.build objects)

lib: $(TOOLS)/done ## build the bundled library into pyloader/lib/
	$(call say,LIBRARY,pyloader/lib)
	$(call quietly,$(TOOLS)/bin/python -m bpf.build lib)

.PHONY: wheel
wheel: $(WHEEL) .build/done/wheel-$(CROSS) .build/done/sdist ## build both wheels and the sdist into dist/

.build/done/wheel-%: $(BUILT) $(TOOLS)/done
	$(call say,WHEEL,dist/pyloader_ebpf-*-manylinux2014_$*.whl)
	$(Q)rm -f dist/pyloader_ebpf-*_$*.whl
	$(call quietly,PYLOADER_TARGET_ARCH=$* $(TOOLS)/bin/python -m hatchling build -t wheel)
	$(Q)mkdir -p $(@D) && touch $@

.build/done/sdist: $(BUILT) $(TOOLS)/done
	$(call say,SDIST,dist/pyloader_ebpf-*.tar.gz)
	$(Q)rm -f dist/pyloader_ebpf-*.tar.gz
	$(call quietly,$(TOOLS)/bin/python -m hatchling build -t sdist)
	$(Q)mkdir -p $(@D) && touch $@

# A file that is removed and a compiler that is exchanged make nothing newer; this list notices both.
.build/file-list: FORCE
	@mkdir -p $(@D)
	@echo '$(BPF_CLANG) $(sort $(BPF_FILES) $(PACKAGE_FILES))' | cmp -s - $@ \
		|| echo '$(BPF_CLANG) $(sort $(BPF_FILES) $(PACKAGE_FILES))' > $@

.PHONY: FORCE
FORCE:

.PHONY: check
check: export PYLOADER_REQUIRE_KERNEL := $(if $(ROOT_USER),1)
check: export PYLOADER_VM := ends
check: $(if $(ROOT_USER),test-tools) lint generated test test-nats test-kernel test-wheel test-vm ## everything that must pass before a change is merged

.PHONY: lint
lint: $(DEV)/done ## ruff and mypy
	$(call say,LINT,ruff and mypy)
	$(Q)$(DEV)/bin/ruff check --quiet
	$(Q)$(DEV)/bin/ruff format --quiet --check
	$(Q)$(DEV)/bin/mypy $(if $(V),,--no-error-summary)

.PHONY: test
test: $(DEV)/installed ## tests that need no privileges
	$(call say,TEST,everything but NATS, kernel, VM and wheel tests)
	$(Q)$(DEV)/bin/pytest -q -m 'not kernel and not vm' --ignore tests/wheel --ignore tests/nats

.PHONY: test-nats
test-nats: $(DEV)/installed ## tests with a real nats-server
	$(call say,TEST,NATS)
	$(Q)$(DEV)/bin/pytest -q -m 'not kernel' tests/nats

.PHONY: test-kernel
test-kernel: $(DEV)/installed ## tests that load the programs into this kernel
	$(call say,TEST,kernel)
	$(Q)$(DEV)/bin/pytest -q -m kernel --ignore tests/wheel

.PHONY: test-wheel
test-wheel: $(DEV)/installed wheel ## tests of what ships
	$(call say,TEST,wheel)
	$(Q)$(DEV)/bin/pytest -q tests/wheel

.PHONY: test-vm
test-vm: $(DEV)/installed wheel ## tests that boot other kernels and run the wheel there (PYLOADER_VM=ends: two of them)
	$(call say,TEST,other kernels)
	$(Q)$(DEV)/bin/pytest -q -m vm tests/vm

.PHONY: bench
bench: $(DEV)/installed ## measure: make bench BENCH="ring latency"; tests/bench/README.md
	$(call say,BENCH,tests/bench)
	$(Q)$(DEV)/bin/python tests/bench $(BENCH)

.PHONY: generate
generate: $(DEV)/done ## write bpf/records.bpf.h from the record types
	$(call say,GENERATE,bpf/records.bpf.h)
	$(Q)$(DEV)/bin/python -m pyloader.records.generate > .build/records.bpf.h
	$(Q)cmp -s .build/records.bpf.h bpf/records.bpf.h || cp .build/records.bpf.h bpf/records.bpf.h

.PHONY: generated
generated: $(DEV)/done ## fail if bpf/records.bpf.h is not what `make generate` writes
	$(call say,GENERATED,bpf/records.bpf.h)
	$(Q)$(DEV)/bin/python -m pyloader.records.generate | diff -u bpf/records.bpf.h - \
		|| { echo 'bpf/records.bpf.h differs from the record types: run `make generate`' >&2; exit 1; }

.PHONY: support-table
support-table: $(DEV)/done ## write the README's support table from the last results of make test-vm
	$(call say,SUPPORT,README.md)
	$(Q)$(DEV)/bin/python -m tests.vm.support

.PHONY: test-tools
test-tools: ## install the Debian packages that tests use (needs root)
	$(Q)missing=$$(for package in $$(cat tests/debian-packages.txt); do \
		dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || echo $$package; done); \
	test -z "$$missing" || { printf '  %-9s %s\n' APT "$$(echo $$missing)"; apt-get -qq update \
		&& DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $$missing >/dev/null; }

# pip is brought along instead of made by venv: Debian splits off what venv needs for that. Installing into an
# environment of our own is also what keeps Debian's externally managed Python out of this.
define environment
	$(Q)$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'pyloader needs Python 3.11 or newer: set PYTHON to one' >&2; exit 1; }
	$(Q)$(PYTHON) -m pip --version >/dev/null 2>&1 \
		|| { echo '$(PYTHON) has no pip: install it (Debian: apt-get install python3-pip)' >&2; exit 1; }
	$(Q)$(PYTHON) -m venv --without-pip $(1) \
		|| { echo '$(PYTHON) cannot make environments (Debian: apt-get install python3-venv)' >&2; exit 1; }
endef

$(TOOLS)/done: pyproject.toml
	$(call say,TOOLS,$(@D))
	$(call environment,$(@D))
	$(Q)$(PYTHON) -m pip --python $(@D)/bin/python install $(PIP) $(PINNED_PIP)
	$(Q)$(@D)/bin/python -m pip install $(PIP) --group build
	$(Q)touch $@

$(DEV)/done: pyproject.toml
	$(call say,TOOLS,$(@D))
	$(call environment,$(@D))
	$(Q)$(PYTHON) -m pip --python $(@D)/bin/python install $(PIP) $(PINNED_PIP)
	$(Q)$(@D)/bin/python -m pip install $(PIP) --group dev
	$(Q)touch $@

$(DEV)/installed: $(WHEEL) $(DEV)/done
	$(call say,INSTALL,$(@D))
	$(Q)$(@D)/bin/python -m pip install $(PIP) --no-deps --force-reinstall dist/pyloader_ebpf-*_$(NATIVE).whl
	$(Q)touch $@

$(VENV)/done: $(WHEEL)
	$(call say,INSTALL,$(@D))
	$(call environment,$(@D))
	$(Q)$(PYTHON) -m pip --python $(@D)/bin/python install $(PIP) dist/pyloader_ebpf-*_$(NATIVE).whl
	$(Q)$(PYTHON) -m pip --python $(@D)/bin/python install $(PIP) --no-deps --force-reinstall dist/pyloader_ebpf-*_$(NATIVE).whl
	$(Q)touch $@

.PHONY: clean
clean: ## remove everything that was built
	$(Q)rm -rf .build dist/*.whl dist/*.tar.gz pyloader/lib pyloader/objects .mypy_cache .pytest_cache .ruff_cache .hypothesis
