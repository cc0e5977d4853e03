# SPDX-License-Identifier: GPL-2.0-only
# The front door. Each target installs what it needs (scripts/bootstrap says what and why), builds, and does its one thing.
# BUILD=dir chooses the build directory, V=1 shows the commands of the build.
BUILD ?= build
MESON_FLAGS ?=
NINJA = ninja -C $(BUILD) $(if $(V),-v)
QUIET = $(if $(V),,>$(BUILD)/ninja.log 2>&1 || { cat $(BUILD)/ninja.log; exit 1; })

.PHONY: help build demo test check bench honesty repeat lint install clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

$(BUILD)/build.ninja:
	@scripts/bootstrap build
	@meson setup $(BUILD) $(MESON_FLAGS) >/dev/null || { cat $(BUILD)/meson-logs/meson-log.txt; exit 1; }

build: $(BUILD)/build.ninja ## the program, build/ktstr
	@$(NINJA) $(QUIET)

demo: build ## boot a stock Debian kernel in our own machine and judge its scheduler
	@scripts/bootstrap run
	@scripts/demo $(BUILD)

test: ## everything that is tested: lint, unit, fuzz corpora, system (in real machines)
	@scripts/bootstrap build run test
	@$(MAKE) --no-print-directory build
	@scripts/run-tests $(BUILD)

check: ## what a change must pass before it is pushed: both compilers, sanitizers, fuzzers, and all of `make test`
	@scripts/bootstrap build run test
	@scripts/check

bench: ## speed and memory, each as a ratio against a reference in the same run
	@scripts/bootstrap build run test
	@scripts/bench

lint: ## room table, headers, format, sizes
	@scripts/bootstrap build lint
	@$(MAKE) --no-print-directory build
	@meson test -C $(BUILD) --suite lint --no-rebuild --print-errorlogs

honesty: build ## put faults into scenarios and count which claims see them; REPEAT=n
	@scripts/bootstrap run
	@scripts/honesty --repeat $(or $(REPEAT),1)

repeat: build ## every shipped scenario again and again on an unchanged kernel, no FAIL allowed; REPEAT=n
	@scripts/bootstrap run
	@scripts/repeat --repeat $(or $(REPEAT),20)

install: build ## ktstr, libktstr, headers, ktstr.pc and the man page, below DESTDIR and the prefix
	@meson install -C $(BUILD) --no-rebuild

clean: ## remove the build directories
	@rm -rf $(BUILD) build-*
