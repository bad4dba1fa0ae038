# oclasp -- a thin front door; meson, ninja and tools/ do the work.
#
# `make` needs only what `tools/deps build` installs.  `make demo` and `make
# check` install what they need by themselves.

PREFIX = /usr/local
BUILD = build

.POSIX:
.PHONY: all deps demo check check-fast lint format unit corpus fuzz lab \
	scenarios bench man docs install uninstall clean help

all: $(BUILD)/build.ninja ## build the program: build/oclasp
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { \
		echo "meson is missing: 'make deps' installs what the build needs" >&2; \
		exit 1; }
	@meson setup $(BUILD) --prefix=$(PREFIX) >$(BUILD).log 2>&1 </dev/null || \
		{ cat $(BUILD).log; rm -rf $(BUILD) $(BUILD).log; \
		echo "'make deps' installs what the build needs" >&2; exit 1; }
	@rm -f $(BUILD).log

deps: ## install what the build needs (apt), or print the list
	@tools/deps build

demo: ## the main job on a built-in playground: a lying resolver, a real nginx
	@tools/deps demo
	@$(MAKE) --no-print-directory all
	@playground/demo

check: ## every check there is; installs what it needs
	@tools/deps check
	@tools/check

check-fast: ## layers, budget, lint and unit tests: before each commit
	@tools/deps check
	@tools/check fast

lint: ## clang-format, cppcheck, shellcheck, banned functions, layers, budget
	@tools/check-layers
	@tools/check-budget
	@tools/lint

format: ## bring the C sources into the house's form
	@find . -path './build*' -prune -o -name '*.[ch]' -print | \
		xargs clang-format-14 -i

unit: ## unit tests under sanitizers; T=name for one, CC=clang for clang
	@case '$(CC)' in *clang*) cc=clang ;; *) cc=gcc ;; esac; \
		tools/run-unit $$cc $(T)

corpus: ## `oclasp verify` judged by a corpus of real responses; CORPUS=folder
	@CORPUS='$(CORPUS)' tools/run-corpus

fuzz: ## one fuzz target, T=name SECONDS=60; without T each for SECONDS=20
	@case '$(T)' in \
	'') FUZZ_SECONDS='$(SECONDS)' tools/fuzz-smoke ;; \
	*) tools/build fuzz && tools/fuzz-seeds build-check/fuzz-seeds && \
		s='$(SECONDS)' && VERBOSE=1 tools/fuzz-one '$(T)' "$${s:-60}" ;; \
	esac

lab: ## real servers and a lying network (root); K=expression chooses tests
	@tools/run-lab $${K:+tests/lab -k "$$K"}

scenarios: all ## networks that lie, and what doctor says (root); writes docs/SCENARIOS.md
	@tools/scenarios-page $(BUILD)/oclasp >docs/SCENARIOS.new
	@mv docs/SCENARIOS.new docs/SCENARIOS.md

bench: all ## measure; nothing passes or fails
	@tools/deps bench
	@bench/run

man: all ## render the manual: man -l build/man/oclasp.1
	@ls $(BUILD)/man/*.[1-9]

docs: all ## manual, READMEs and program agree; rewrites oclasp-reasons(7) and docs/FINDINGS.md
	@tools/reasons-page >man/oclasp-reasons.7.scd
	@tools/findings-page $(BUILD)/oclasp >docs/FINDINGS.md
	@tools/check-docs $(BUILD)/oclasp

install: all ## install to DESTDIR and PREFIX (/usr/local)
	@tools/install add $(BUILD) '$(PREFIX)' '$(DESTDIR)'

uninstall: all ## remove what install put there
	@tools/install remove $(BUILD) '$(PREFIX)' '$(DESTDIR)'

clean: ## remove everything that was built
	@rm -rf build build-* tests/lab/__pycache__

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | \
		awk -F '	' '{ printf "make %-11s %s\n", $$1, $$2 }'
