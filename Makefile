# What one does here. Every target first sees to .venv (quick when there is nothing to do).
#   make test ARGS="-k journal"     hands arguments on to pytest

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
PYTHON ?=
ARGS ?=
BIN := .venv/bin
# Where a shell or an image sets it, each start of a worker compiles six hundred files again, which
# is two thirds of its start; tests start a hundred and fifty of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup fuzz prove-chaos prove-cluster prove-recovery prove-upgrade prove-model prove-interleavings \
	prove-mutants prove-month prove-ten-thousand prove-invoicer-mutants prove-documents golden fonts bench bench-scale \
	bench-years demo test check format

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 30

setup:  ## make .venv from the hashed locks
	@PYTHON='$(PYTHON)' sh .ci/setup

demo: setup  ## tell the whole story on a stack of its own; KEEP=1 leaves the stack up
	@$(BIN)/onaccount demo $(if $(KEEP),--keep)

# Tests wait as much as they reckon: four at once fill two cores. By folder, for the last are short.
AT_ONCE ?= 4

test: setup  ## run all tests, on real Kafka, PostgreSQL and SMTP
	@$(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup  ## formatting, lint, types, import direction, generated files, tidiness
	@$(BIN)/ruff format --check --quiet . || { echo 'run make format'; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@if [ -f schemas/generate.py ]; then $(BIN)/python -m schemas.generate --check; fi
	@$(BIN)/python -m pytest -q tests/tidy

prove-chaos: setup  ## two minutes of sales, two of a whole story, while everything is killed: all must add up
	@ONACCOUNT_CHAOS_S=120 $(BIN)/python -m pytest -q -n 0 \
		tests/outside/killed_everywhere.py tests/outside/test_a_story.py

prove-cluster: setup  ## the same story for two minutes on three brokers that die, alone and together
	@ONACCOUNT_CHAOS_S=120 $(BIN)/python -m pytest -q -n 0 tests/outside/three_brokers.py $(ARGS)

prove-recovery: setup  ## records deleted unread, a power cut: what the runbook then says, on stacks
	@$(BIN)/python -m pytest -q -n 0 tests/journeys/after_a_gap.py tests/journeys/after_a_power_cut.py $(ARGS)

FROM ?= HEAD~20

prove-upgrade: setup  ## workers of an older commit (FROM=) and of this one on one database, while tills sell
	@ONACCOUNT_UPGRADE_FROM=$(FROM) $(BIN)/python -m pytest -q -x -n0 tests/journeys/upgrade.py

SEQUENCES ?= 10000
SEED ?= $(shell date +%s)

prove-model: setup  ## 10,000 random histories held against a reference model; SEQUENCES=, SEED=
	@echo "seed $(SEED), $(SEQUENCES) sequences (docs/proof.md)"
	@ONACCOUNT_MODEL_SEQUENCES=$(SEQUENCES) ONACCOUNT_MODEL_SEED=$(SEED) \
		$(BIN)/python -m pytest -v -n 2 --dist load tests/proof/test_model.py $(ARGS)

prove-interleavings: setup  ## all orders of small histories, and thousands of schedules of workers
	@ONACCOUNT_ALL_ORDERS=1 ONACCOUNT_SCHEDULES=2000 $(BIN)/python -m pytest -v -n 2 --dist load \
		tests/proof/test_interleavings.py tests/proof/test_schedules.py $(ARGS)

prove-mutants: setup  ## put more than 3,000 small faults into the code that guards money; tests must find each
	@$(BIN)/python -m tests.proof.mutants $(ARGS)

prove-month: setup  ## a month of 200 accounts and 20,000 sales, from the tills to paid, with kills in between
	@ONACCOUNT_MONTH_ACCOUNTS=200 ONACCOUNT_MONTH_SALES=20000 $(BIN)/python -m pytest -q -x -s tests/journeys/test_a_month.py

fuzz: setup  ## 2,000 workbooks damaged at random: each is read or refused
	@$(BIN)/python -m tests.services.importer.fuzz $(ARGS)

prove-documents: setup  ## 300 random invoices and credit notes before the UBL schema, EN 16931, Peppol and PDF/A
	@ONACCOUNT_TEST_DOCUMENTS=300 $(BIN)/python -m pytest -q tests/services/invoicer/documents/test_ubl.py tests/services/invoicer/documents/test_pdfa.py

golden: setup  ## make the pictures again that documents are compared with; then look at them
	@$(BIN)/python -m tests.services.invoicer.documents.golden

FONTS := services/invoicer/documents/fonts
LETTERS := 20-7e,a0-17f,200b,2013,2014,2018-201e,2022,2026,20ac,2212
fonts: setup  ## make the fonts of most documents again, where Noto Sans or their letters have changed
	@for each in 400:Regular 600:SemiBold 700:Bold; do \
		made=$(FONTS)/NotoSans-$${each#*:}.ttf; \
		$(BIN)/uv tool run fonttools@4.68.0 varLib.instancer -q --update-name-table \
			--no-recalc-timestamp -o $$made \
			"$$($(BIN)/python -c 'import manimgx_fonts as f; print(f.__path__[0])')/NotoSans[wght].ttf" \
			wght=$${each%:*} && \
		$(BIN)/uv tool run --from fonttools@4.68.0 pyftsubset $$made --output-file=$$made --unicodes=$(LETTERS) \
			--layout-features=kern,mark,mkmk,ccmp,locl,liga,clig,calt,tnum,lnum \
			--name-IDs='*' --notdef-outline --no-hinting || exit 1; \
	done

prove-ten-thousand: setup  ## one run over 10,000 accounts, killed in the middle, in memory that stays
	@ONACCOUNT_RUN_ACCOUNTS=10000 $(BIN)/python -m pytest -q -s tests/services/invoicer/test_many_accounts.py

prove-invoicer-mutants: setup  ## 83 small wrongs in the invoicer's rules: each must fail a test
	@$(BIN)/python -m tests.services.invoicer.mutants

bench: setup  ## measure: ratios in one run, best on a machine that does nothing else (docs/performance.md)
	@$(BIN)/python -m benchmarks.edge_cost
	@$(BIN)/python -m benchmarks.engine_authorizer
	@$(BIN)/python -m benchmarks.engine_side_by_side
	@$(BIN)/python -m benchmarks.engine_ledger
	@$(BIN)/python -m benchmarks.till_to_decision
	@$(BIN)/python -m benchmarks.all_workers
	@$(BIN)/python -m benchmarks.sign_on
	@$(BIN)/python -m benchmarks.reading
	@$(BIN)/python -m benchmarks.importing
	@$(BIN)/python -m benchmarks.invoicing

bench-scale: setup  ## a million accounts and ten million sales remembered: some minutes, 15 GB of disk
	@$(BIN)/python -m benchmarks.engine_at_scale

bench-years: setup  ## fill a venue of three years and look through its books: some minutes, 8 GB of disk
	@$(BIN)/python -m benchmarks.three_years

format: setup  ## format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .
