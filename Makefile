# A thin front door to Meson. Every target below sets up what it needs by itself (Debian packages,
# the engine, build folders), so that it works on a fresh machine; see `make help`.
#
#   N=60           seconds for each target of fuzz and fuzz-smoke
#   JOBS=2         compile and test jobs
#   ARGS='…'       passed on: make test ARGS='--suite http --verbose'
#   TACIT_SETUP=0  install nothing (the packages are there, or this is not Debian)

SHELL := /bin/bash
.DEFAULT_GOAL := all
# One recipe at a time: they share build folders, and ninja inside each uses all cores.
.NOTPARALLEL:

JOBS ?= $(shell nproc)
N ?= 60
VECTORS ?= ../shared/vectors
DIR ?= $(VECTORS)/tdx
comma := ,
SANE := -Dc_args=-fno-sanitize-recover=all -Doptimization=1

ifeq ($(TACIT_SETUP),0)
setup = @true
else
setup = @tools/setup.sh $(1)
endif
# $(call configure,FOLDER,OPTIONS) makes or refreshes a build folder (new files are noticed).
configure = @if [ -f build/$(1)/build.ninja ]; then \
	    meson setup --reconfigure build/$(1) -Dvectors=$(VECTORS) >build/$(1).log 2>&1 || { tail -n 30 build/$(1).log; exit 1; }; \
	else \
	    mkdir -p build && $(3) meson setup build/$(1) -Dvectors=$(VECTORS) $(2) >build/$(1).log 2>&1 || { tail -n 30 build/$(1).log; exit 1; }; \
	fi
compile = @ninja -C build/$(1) -j $(JOBS) $(2)

.PHONY: all test check asan tsan fuzz fuzz-smoke lint analyze cover bench demo vectors engine clean help

all: ## the release build: build/release/src/tacit
	$(call setup)
	$(call configure,release,--buildtype=release)
	$(call compile,release,src/tacit)

test: ## everything: house rules, unit tests, end-to-end tests, fuzz replays, with ASan and UBSan
	$(call setup)
	@tools/engine.sh >/dev/null
	$(call configure,asan,-Db_sanitize=address$(comma)undefined $(SANE))
	$(call compile,asan)
	@tools/run_tests.py --build build/asan --jobs $(JOBS) $(ARGS)

check: ## the tests that need no engine, quickly: house rules, unit tests, fuzz replays
	$(call setup)
	$(call configure,asan,-Db_sanitize=address$(comma)undefined $(SANE))
	$(call compile,asan)
	@tools/run_tests.py --build build/asan --jobs $(JOBS) --not-suite e2e $(ARGS)

asan: test

tsan: ## the tests under the thread sanitizer
	$(call setup)
	@tools/engine.sh >/dev/null
	$(call configure,tsan,-Db_sanitize=thread $(SANE))
	$(call compile,tsan)
	@tools/run_tests.py --build build/tsan --jobs $(JOBS) --not-suite house --not-suite fuzz --scale 3 $(ARGS)

fuzz: ## builds the libFuzzer programs: build/fuzz/fuzz/fuzz_*
	$(call setup,fuzz)
	@CC=clang tools/fuzz.sh build $(JOBS)

fuzz-smoke: ## runs each fuzz target for N seconds (default 60) from its corpus
	$(call setup,fuzz)
	@tools/fuzz.sh smoke $(JOBS) $(N)

lint: ## house rules, clang-format, clang-tidy
	$(call setup,lint)
	$(call configure,lint,,CC=clang)
	@tools/lint.sh build/lint

analyze: ## gcc -fanalyzer over everything in src/
	$(call setup)
	$(call configure,analyze,-Dc_args=-fanalyzer -Dwerror=true -Doptimization=1)
	$(call compile,analyze,src/tacit)
	@echo 'gcc -fanalyzer: nothing to report'

cover: ## line coverage of the tests: build/cover/coverage.txt
	$(call setup,cover)
	@tools/engine.sh >/dev/null
	$(call configure,cover,-Db_coverage=true -Doptimization=0 -Dwerror=false -Dc_args=-fprofile-update=atomic)
	$(call compile,cover)
	@tools/run_tests.py --build build/cover --jobs $(JOBS) --no-total $(ARGS) >build/cover/tests.log || { tail -n 40 build/cover/tests.log; exit 1; }
	@gcovr -r . build/cover --filter 'src/' --gcov-ignore-parse-errors --print-summary >build/cover/coverage.txt
	@tools/cover.py build/cover/coverage.txt

bench: all ## requests a second and added latency of direct, node, gateway+node; verification
	$(call compile,release)
	@tools/engine.sh >/dev/null
	@bench/run.sh build/release
	@bench/verify.sh build/release $(VECTORS)

demo: all ## set-up, gateway and two nodes on this machine, a verified answer, a tampered one refused
	@TACIT_ENGINE=$$(tools/engine.sh) && export TACIT_ENGINE && tools/demo.sh build/release/src/tacit $(ARGS)

engine: ## builds the pinned llama-server into the cache and prints its path
	$(call setup)
	@tools/engine.sh

vectors: ## runs the table-driven tests over the folder DIR (TDX, SNP, GPU manifests alike)
	$(call setup)
	$(call configure,asan,-Db_sanitize=address$(comma)undefined $(SANE))
	$(call compile,asan,test/vectors/tacit-vectors)
	@build/asan/test/vectors/tacit-vectors $(DIR)

clean: ## removes build/ (the engine's cache stays)
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@sed -n 's/^#   \([A-Z_]*=.*\)/\1/p' $(firstword $(MAKEFILE_LIST))


