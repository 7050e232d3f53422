# Every target with a sentence behind ## is listed by `make help`.

# A pipe fails with its first part, and a recipe stops at its first failure.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# How tests are run. The race detector adds checks of pointers; SQLite, which was C, has
# so many that they are a third of its time.
RACE := -race -gcflags=modernc.org/sqlite/...=-d=checkptr=0 -timeout 15m

# Time for each fuzz target.
FUZZTIME ?= 60s

# The tools have a module of their own, so that their dependencies are not ours.
TOOL := go tool -modfile=tools/go.mod

# What is generated from the code and checked in.
GENERATED := api docs

OPENAPI_LINT := tools/openapi/node_modules/.bin/spectral

.PHONY: help
help: ## list these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: build
build: ## build bin/parley, one static binary
	CGO_ENABLED=0 go build -trimpath -o bin/parley ./cmd/parley

.PHONY: test
test: ## run all tests with the race detector, on SQLite and on a PostgreSQL of their own
	scripts/need gcc curl openssl postgresql node python3
	go run ./internal/testpg/withpg go test $(RACE) ./...
	go run ./internal/testpg/withpg go test -run '/postgres$$' ./internal/dialect/...

.PHONY: storm
storm: ## have 10,000 sockets come back at once; make test has 2,000
	go test -count=1 -v ./test/storm

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (60s)
	scripts/fuzz $(FUZZTIME)

.PHONY: vet
vet: ## check formatting and go vet: the quick part of lint
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || \
		{ echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; }
	go vet ./...

.PHONY: lint
lint: vet ## check the Go code with vet, golangci-lint and deadcode
	$(TOOL) golangci-lint run
	@dead=$$($(TOOL) deadcode -test ./...); test -z "$$dead" || \
		{ echo "never called, not even by a test:"; echo "$$dead"; exit 1; }

.PHONY: lint-openapi
lint-openapi: $(OPENAPI_LINT) ## check the OpenAPI documents in api/
	$(OPENAPI_LINT) lint --ruleset tools/openapi/ruleset.yaml --fail-severity warn \
		--ignore-unknown-format --fail-on-unmatched-globs 'api/*.json'

# No scripts of packages are run: one of them reports to its makers.
$(OPENAPI_LINT): tools/openapi/package-lock.json
	scripts/need node
	npm ci --prefix tools/openapi --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: generate
generate: ## write what is generated from the code: api/ and parts of docs/
	go generate ./...

.PHONY: check-generated
check-generated: generate ## fail when generated files differ from those checked in (or staged)
	git diff --exit-code -- $(GENERATED)
	@new=$$(git ls-files --others --exclude-standard -- $(GENERATED)); test -z "$$new" || \
		{ echo "generated but not checked in:"; echo "$$new"; exit 1; }

.PHONY: bench
bench: ## measure the send path: messages per second and latency
	go run ./cmd/parley bench send

.PHONY: ci
ci: ## run what CI runs
	.ci/run
