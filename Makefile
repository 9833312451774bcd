# make test is all that a change must pass; each of its steps is a target of
# its own. make help lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CHECKS := setup fmt-check vet tidy-check libc-check lint cross unit

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## every check, in this order: setup fmt-check vet tidy-check libc-check lint cross unit
	@scripts/steps $(CHECKS)

.PHONY: setup
setup: ## look for PostgreSQL, ffmpeg and a C compiler; install what is missing on Debian
	@scripts/setup

.PHONY: fmt-check
fmt-check: ## every Go file is formatted by gofmt
	@scripts/fmt-check

.PHONY: vet
vet: ## go vet, also of what is behind the tag failpoint
	go vet ./...
	go vet -tags failpoint ./internal/failpoint

.PHONY: tidy-check
tidy-check: ## go.mod and go.sum are what go mod tidy would write
	go mod tidy -diff

.PHONY: libc-check
libc-check: ## modernc.org/libc is the version that modernc.org/sqlite was made with
	@scripts/libc-check

.PHONY: lint
lint: ## golangci-lint; the first run builds it, about 3 minutes
	@scripts/lint

.PHONY: cross
cross: ## build for every system that is released, without cgo
	@scripts/cross

.PHONY: unit
unit: ## every test, with the race detector, on SQLite and PostgreSQL
	@scripts/with-postgres scripts/unit

.PHONY: bench
bench: ## measure a mention's way, start and memory
	go run ./internal/app/bench

.PHONY: sandbox
sandbox: ## play a mention in the terminal, without network or tokens
	go run ./cmd/rookery sandbox --story mention

.PHONY: build
build: ## the program, in bin/rookery
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/rookery ./cmd/rookery

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin .cache
