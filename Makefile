# One line a target for people and for CI. Everything is made inside the checkout; no root is needed.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Python 3.11 or 3.12, whichever is there.
PYTHON ?= $(firstword $(foreach python,python3.12 python3.11 python3,$(shell \
	$(python) -c 'import sys; sys.version_info[:2] in ((3, 11), (3, 12)) and print(sys.executable)' 2>/dev/null)))
NEED_PYTHON = $(if $(PYTHON),,$(error setup: Python 3.11 or 3.12 is needed, and neither is on the PATH))
UV := $(or $(shell command -v uv),build/bootstrap/bin/uv)
BIN := .venv/bin
EMBEDDER := build/models/minilm

.PHONY: help setup demo test unit check bench bench-retrieval bench-quality bench-parity bench-fuzz bench-gateway bench-neighbours bench-overflow bench-differential bench-adapters bench-operator bench-fleet bench-tuning bench-drift bench-observations bench-scrape images chart e2e crds monitoring docs dex lock clean

help:
	@echo 'make setup   everything that the rest needs: about 7 GB, minutes the first time'
	@echo 'make demo    two tenants on one engine, and a tour of it (ARGS=--once stops after the tour)'
	@echo 'make test    all tests, on the real engine and the real store'
	@echo 'make unit    the tests that need no engine, no cluster and no store'
	@echo 'make check   lint, types, import contracts, dependencies'
	@echo 'make bench   every benchmark (make bench-NAME for one; ARGS=--quick for a short run)'
	@echo 'make images  an image for each part, by docker, podman or buildah'
	@echo 'make chart   the chart’s tests: lint, safe defaults, who reaches whom, a dry run on a real API server'
	@echo 'make e2e     the chart on a real cluster: install, serve, break, upgrade, delete'
	@echo 'make crds    write the chart’s definitions of our kinds from contract'
	@echo 'make docs    write the reference pages in docs from the code'
	@echo 'make dex     build Dex, the provider of sign-ins that tests/console/test_dex.py tries (needs Go)'
	@echo 'make lock    resolve requirements/ anew'

setup: .venv/ready .venv-engine/ready $(EMBEDDER)/model.onnx

demo: setup
	@$(BIN)/python -m examples.demo $(ARGS)

test: setup .venv-clients/ready
	@$(BIN)/python -m tests
	@$(BIN)/pytest $(ARGS)

# What needs neither an engine nor a cluster nor a store: a minute.
unit: .venv/ready
	@$(BIN)/pytest --quiet --numprocesses auto -m 'not engine and not cluster and not store' $(ARGS)

check: .venv/ready
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && echo 'ruff: clean'
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/deptry . --no-ansi

BENCHES := retrieval drift observations scrape console quality parity fuzz gateway neighbours overflow differential adapters operator fleet tuning
bench: $(BENCHES:%=bench-%)

$(BENCHES:%=bench-%): bench-%: setup
	@$(BIN)/python -m benchmarks.$* $(ARGS)

# The first of these that works.
BUILDER ?= $(firstword $(foreach builder,docker podman buildah,$(shell $(builder) info >/dev/null 2>&1 && echo $(builder))))
BUILD_ARGS ?=
REPOSITORY ?= quiver
TAG ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGES ?= gateway agent operator operator-kserve retrieval drift management console milvus

images: .venv/ready $(EMBEDDER)/model.onnx
	$(if $(BUILDER),,$(error images: neither docker nor podman nor buildah works here))
	@for part in $(IMAGES); do \
		echo "images: $(REPOSITORY)/$$part:$(TAG) …" && \
		$(BUILDER) build $(BUILD_ARGS) --target $$part --tag $(REPOSITORY)/$$part:$(TAG) . || exit; done
	@mkdir -p build/sbom
	@for part in $(filter-out engine-runtime,$(IMAGES)); do \
		lock=requirements/$${part/retrieval/ingest}.txt && \
		$(BIN)/cyclonedx-py requirements $$lock --output-reproducible -o build/sbom/$$part.cdx.json || exit; done
	@echo 'images: the Python packages of each stand in build/sbom, as CycloneDX'

chart: setup
	@$(BIN)/python -m tests
	@$(BIN)/pytest tests/charts $(ARGS)

e2e: setup
	@$(BIN)/python -m tests.e2e $(ARGS)

# The engine preloads libraries by their paths, which it cuts at spaces.
NO_SPACES = $(if $(filter 1,$(words $(CURDIR))),,$(error setup: $(CURDIR) has a space in its path; move the checkout to one without))

# The product and its tools: no torch.
.venv/ready: requirements/dev.txt pyproject.toml | $(UV)
	@echo 'setup: the product and its tools (0.7 GB) …' $(NEED_PYTHON)$(NO_SPACES)
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv
	@$(UV) pip install --python .venv --quiet --require-hashes --no-deps -r requirements/dev.txt
	@$(UV) pip install --python .venv --quiet --no-deps --editable .
	@touch $@

# vLLM for CPUs in an environment of its own; also what trains and converts models.
.venv-engine/ready: requirements/engine.txt pyproject.toml | $(UV)
	@echo 'setup: the engine (6 GB) …' $(NEED_PYTHON)
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv-engine
	@$(UV) pip install --python .venv-engine --quiet --require-hashes --no-deps -r requirements/engine.txt
	@$(UV) pip install --python .venv-engine --quiet --no-deps --editable .
	@touch $@

# What people call the API with, for the tests.
.venv-clients/ready: requirements/clients.txt | $(UV)
	@echo 'setup: clients for the tests (0.3 GB) …' $(NEED_PYTHON)
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv-clients
	@$(UV) pip install --python .venv-clients --quiet --require-hashes -r requirements/clients.txt
	@touch $@

# What bench-retrieval compares the worker with.
.venv-peers/ready: requirements/peers.txt | $(UV)
	@echo 'setup: LangChain, to be compared with (0.5 GB) …' $(NEED_PYTHON)
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv-peers
	@$(UV) pip install --python .venv-peers --quiet --require-hashes -r requirements/peers.txt
	@touch $@

bench-retrieval: .venv-peers/ready

$(EMBEDDER)/model.onnx: | .venv-engine/ready
	@echo 'setup: the embedding model …'
	@PYTHONPATH=. .venv-engine/bin/python -m retrieval.embedding.export $(EMBEDDER)

build/bootstrap/bin/uv:
	@echo 'setup: uv …' $(NEED_PYTHON)
	@$(PYTHON) -m venv build/bootstrap
	@build/bootstrap/bin/pip install --quiet --require-hashes -r requirements/uv.txt

LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade
dex:
	@mkdir -p build/dex
	@cd tests/console/dex && CGO_ENABLED=0 go build -mod=readonly -o ../../../build/dex/dex github.com/dexidp/dex/cmd/dex

crds: .venv/ready
	@$(BIN)/python -m operators.crd charts/quiver/templates/crds

monitoring: .venv/ready
	@PYTHONPATH=. $(BIN)/python -m monitoring charts/quiver/monitoring

docs: .venv/ready
	@$(BIN)/python -m serving.gateway.requests.table docs/parameters.md
	@PYTHONPATH=. $(BIN)/python docs/reference.py

lock: | $(UV)
	@printf 'uv\nsetuptools\n' | $(LOCK) - -o requirements/uv.txt
	@$(LOCK) pyproject.toml --extra local --extra operator-kserve --group dev --override requirements/dev.override -o requirements/dev.txt
	@for part in gateway agent drift ingest operator management console; do \
		$(LOCK:--upgrade=) pyproject.toml --extra $$part -c requirements/dev.txt -o requirements/$$part.txt; done
	@$(LOCK:--upgrade=) pyproject.toml --extra operator-kserve -c requirements/operator.txt -o requirements/operator-kserve.txt
	@printf 'milvus-lite\npymilvus\n' | $(LOCK:--upgrade=) - -c requirements/dev.txt -o requirements/milvus.txt
	@$(LOCK) requirements/clients.in -o requirements/clients.txt
	@$(LOCK) requirements/peers.in -o requirements/peers.txt
	@$(LOCK) requirements/engine.in --override requirements/engine.override -o requirements/engine.txt

clean:
	@rm -rf .venv .venv-engine .venv-clients .venv-peers build $${XDG_CACHE_HOME:-$$HOME/.cache}/quiver-tools
	@echo 'clean: the packages that uv fetched are kept for other projects too; uv cache clean removes them'
