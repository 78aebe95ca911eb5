# `make help` says what there is. Everything a run writes is in STATE_DIR; everything that is installed in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# From the environment or the command line: make up PORT=9000 STATE_DIR=/tmp/second
export PORT STATE_DIR HOST DEMO RATE_LIMITS DATABASE_URL RABBITMQ_URL FILES_URL SQL CHROMIUM

PYTHON_IN_VENV := .venv/bin/python
LOCAL := $(PYTHON_IN_VENV) -m examhall_local
NPM := deploy/local/web.sh npm
MEMBERS := protos/gen $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml)) gateway deploy/local
SOURCES := $(wildcard $(addsuffix /src/*,$(filter-out protos/gen,$(MEMBERS))))
MEASURED := $(notdir $(patsubst %/metrics.py,%,$(wildcard gateway/src/*/metrics.py services/*/src/*/metrics.py)))
DISTRIBUTIONS := $(shell sed -n 's/^name = "\(.*\)"/\1/p' $(addsuffix /pyproject.toml,$(MEMBERS)))
PINNED := .venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11
LOCKED := $(PINNED) pyproject.toml $(addprefix --no-emit-package ,$(DISTRIBUTIONS))

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
		printf '  make %-11s %s\n' "$$name" "$$text"; done
	@echo
	@echo '  PORT (8000)  STATE_DIR (.run)  HOST (127.0.0.1)  DEMO=0  RATE_LIMITS=0  DATABASE_URL  RABBITMQ_URL'

.PHONY: setup
setup: ## install what is missing: system packages, .venv, locked Python packages
	@deploy/local/bootstrap.sh

.PHONY: web
web: setup ## the pages, where their sources changed; WEB=0 goes without
	@$(if $(filter 0 no false,$(WEB)),,deploy/local/web.sh build)

.PHONY: run
run: web ## everything in the foreground; Ctrl-C ends it
	@exec $(LOCAL) run

.PHONY: up
up: web ## everything in the background, back when it is ready
	@exec $(LOCAL) up

.PHONY: down
down: ## end what up started; the data stays
	@if [ -x $(PYTHON_IN_VENV) ]; then exec $(LOCAL) down; else echo 'nothing is up'; fi

.PHONY: clean
clean: ## down, and remove STATE_DIR with all data
	@if [ -x $(PYTHON_IN_VENV) ]; then exec $(LOCAL) clean; else echo 'nothing to clean'; fi

.PHONY: admin
admin: ## an administrator in the running system: make admin EMAIL=you@example.com; asks for the password
	@[ -n "$(EMAIL)" ] || { echo 'EMAIL is missing: make admin EMAIL=you@example.com' >&2; exit 2; }
	@exec $(LOCAL) admin --email '$(EMAIL)' --name '$(NAME)'

.PHONY: backup
backup: ## everything that must survive into one file, while exams go on; TO=folder or file (backups/)
	@exec $(LOCAL) backup --to '$(TO)'

.PHONY: restore
restore: setup ## make restore FROM=backups/….tar, with the system down; FORCE=1 replaces the data that is there
	@[ -n "$(FROM)" ] || { echo 'FROM is missing: make restore FROM=backups/examhall-….tar' >&2; exit 2; }
	@exec $(LOCAL) restore --from '$(FROM)' $(if $(filter 1 yes true,$(FORCE)),--force)

.PHONY: attempt
attempt: ## what happened in one attempt: make attempt ID=<student_exam_id>
	@[ -n "$(ID)" ] || { echo 'ID is missing: make attempt ID=<student_exam_id>' >&2; exit 2; }
	@exec $(LOCAL) attempt '$(ID)'

.PHONY: queues
queues: ## what waits in RabbitMQ, and what failed for good; RESEND=grading.attempts sends the latter again
	@exec $(LOCAL) queues --resend '$(RESEND)'

.PHONY: psql
psql: ## the system's database, as its administrator; SQL='select 1' for one statement
	@exec $(LOCAL) psql --sql "$$SQL"

.PHONY: service
service: ## a command of a service, with the settings it runs with: make service RUN='auth rotate-keys'
	@$(if $(RUN),exec $(LOCAL) service $(RUN),echo "RUN is missing: make service RUN='auth rotate-keys'" >&2; exit 2)

.PHONY: observe
observe: setup ## Prometheus and Alertmanager beside the running system, in the foreground
	@deploy/local/bootstrap.sh observe
	@exec $(LOCAL) observe

.PHONY: doctor
doctor: ## what is missing or wrong on this machine, and what to do about it
	@if [ -x $(PYTHON_IN_VENV) ]; then exec $(LOCAL) doctor; \
	else PYTHONPATH=deploy/local/src exec python3 -m examhall_local doctor; fi

.PHONY: test
test: web ## every test that needs no cluster, by J=3 at a time; T=path (or path::name) for some, one by one; T=web for the pages' own
	@$(if $(and $(T),$(if $(findstring browser,$(T))$(findstring observe,$(T)),,no)),,deploy/local/bootstrap.sh tests)
	@$(if $(filter-out web,$(T)),,$(NPM) test)
	@$(if $(filter web,$(T)),,exec $(PYTHON_IN_VENV) -m pytest $(if $(CI),-q) $(if $(T),$(T),-n $(or $(J),3) --dist loadfile --no-loadscope-reorder))

.PHONY: bench
bench: setup ## measurements against a copy of its own; B='save curve' for some scenarios, SECONDS=15, STUDENTS=5000
	@exec $(PYTHON_IN_VENV) -m tests.load $(B) $(if $(filter command line environment,$(origin SECONDS)),--seconds $(SECONDS)) \
		$(if $(STUDENTS),--students $(STUDENTS))

.PHONY: chaos
chaos: setup ## kill, hang and cut off everything under load, and check that no promise broke; SECONDS=600 SEED=
	@exec $(PYTHON_IN_VENV) -m tests.chaos --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

.PHONY: images
images: ## container images of all services and the gateway, by podman or docker; BUILDER= REPOSITORY= VERSION= BUILD_ARGS= SBOM=folder
	@exec deploy/docker/build.sh

.PHONY: test-images
test-images: setup ## the images together, hardened as in the chart, through the scenarios of an exam
	@exec $(PYTHON_IN_VENV) -m pytest -q tests/deploy/images/scenarios.py

.PHONY: chart
chart: setup ## render and check the chart with every values file
	@exec $(PYTHON_IN_VENV) -m pytest -q tests/deploy

.PHONY: lint
lint: setup ## formatters, linters, type checks, generated code; of the pages too
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	MYPYPATH=$(subst $() ,:,$(sort $(dir $(SOURCES)))) .venv/bin/mypy $(SOURCES)
	.venv/bin/protolint lint -config_path protos/.protolint.yaml protos/examprotos
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && protos/generate.sh "$$fresh" && \
		diff -r -x __pycache__ "$$fresh/examprotos" protos/gen/examprotos || \
		{ echo 'protos/gen is not what the sources give: make protos' >&2; exit 1; }
	$(NPM) run check
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
		$(PYTHON_IN_VENV) -m exam_gateway openapi >"$$fresh/openapi.json" && cmp "$$fresh/openapi.json" web/openapi.json && \
		$(NPM) run --silent generate "$$fresh" && cd web/src/api && \
		for client in *.gen.ts; do diff -q "$$fresh/$$client" "$$client" || exit 1; done || \
		{ echo 'the API client in web/ is not what the gateway gives: make api' >&2; exit 1; }

.PHONY: fmt
fmt: setup ## format, and repair what the linter can repair
	.venv/bin/ruff check --fix-only -q .
	.venv/bin/ruff format .

.PHONY: protos
protos: setup ## generate protos/gen from protos/examprotos
	protos/generate.sh

.PHONY: metrics
metrics: setup ## generate docs/metrics.md from what the programs measure
	$(PYTHON_IN_VENV) -m examkit.metrics_catalogue $(MEASURED) >docs/metrics.md

.PHONY: dashboards
dashboards: setup ## generate deploy/grafana/dashboards from the code beside them
	$(PYTHON_IN_VENV) -m deploy.grafana

.PHONY: api
api: setup ## generate web/openapi.json from the gateway, and the pages' API client from it
	$(PYTHON_IN_VENV) -m exam_gateway openapi >web/openapi.json
	$(NPM) run --silent generate

.PHONY: lock
lock: setup ## take newer packages into the lock files (U=--upgrade for all of them)
	$(LOCKED) $(U) -o requirements.lock
	$(LOCKED) $(U) --group dev -c requirements.lock -o requirements-dev.lock
	$(PINNED) $(U) --group node -o requirements-node.lock
