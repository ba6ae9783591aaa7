# Every target first sees to what the machine lacks (.ci/bootstrap).
# `make help` lists them.

PREFIX  ?= /usr/local
GO       = $(eval GO := $(or $(shell .ci/toolchain),$(error no go command)))$(GO)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
ROOT    := $(if $(filter-out 0,$(shell id -u)),sudo -E)
WR      := $(ROOT) bin/wr
LINT    := bin/tools/golangci-lint
GO_PATH  = PATH="$$(dirname '$(GO)'):$$PATH" # for tools that start go themselves

# One set of flags for all, so that build, lint and tests share Go's cache.
export GOFLAGS := $(GOFLAGS) -trimpath -buildvcs=false
export CGO_ENABLED := 0

# Directories are listed too: their time changes when a file goes away.
SOURCES := go.mod go.sum $(shell find $(wildcard cmd host plugins runtime sdk) \
	\( -name testdata -o -name embedded -o -name __pycache__ \) -prune -o \
	\( -type d -o -type f ! -name '*_test.go' \) -print)
HELPERS := bin/helper/wr-agent bin/helper/containerd-shim-runc-v2 bin/helper/wr-plugin
HELPER_SOURCES := $(filter go.% runtime/agent% runtime/shim% runtime/wire% runtime/spec% runtime/helper/pack%,$(SOURCES))
HOST_SOURCES := $(filter go.% host/plugin/sandbox% host/plugin/vfs% host/plugin/view% host/plugin/scope% host/plugin/trace% host/plugin/module% host/plugin/confine% sdk/go/abi% runtime/wire% runtime/spec%,$(SOURCES))
PLUGIN_SOURCES := $(filter go.% plugins% sdk% host/pyscan% host/plugin/pack% host/plugin/manifest% host/plugin/module%,$(SOURCES))
PLUGINS := $(patsubst %.toml,bin/plugins/%,$(notdir $(wildcard plugins/*/*.wasm.toml)))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help build wasm demo test test-full soundness lint fmt bench install clean FORCE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: need-build bin/wr ## bin/wr, a static binary with its helpers and plugins inside

wasm: need-build $(PLUGINS) ## bin/plugins, wr's own plugins, each with its manifest inside

demo: need-demo bin/wr ## the main job: build and test examples/acme in real containers
	$(WR) -C examples/acme ls
	$(WR) -C examples/acme image base create
	$(WR) -C examples/acme build --recursive
	$(WR) -C examples/acme exec infra -- versions
	$(WR) -C examples/acme test --recursive --suite all

test: need-test bin/wr ## all tests, at most 20 minutes on 2 cores
	@.ci/test fast

test-full: need-full bin/wr ## also fuzzing, other platforms, Chromium, pytest plugins, the raced engine; kept in docs/evidence
	@.ci/test full

soundness: need-test bin/wr ## change a workspace in 500 ways: what the cache of test results tells is what a run gives
	@.ci/test soundness

lint: need-lint $(LINT) ## formatting, golangci-lint, go.mod
	$(GO_PATH) $(LINT) run ./...
	$(GO) mod tidy -diff
	cd sdk/go && $(GO_PATH) '$(CURDIR)/$(LINT)' run ./... && $(GO) mod tidy -diff

fmt: need-lint $(LINT) ## format all Go files in place
	$(GO_PATH) $(LINT) fmt ./... sdk/go/...

bench: need-test bin/wr $(PLUGINS) bin/peers/built ## wr beside its floor and its peers, medians and ratios; then Go's benchmarks
	@.ci/peers/docker bin/peers/docker
	@.ci/peers/turbo bin/peers/turbo
	$(ROOT) $(GO) run ./cmd/bench -wr bin/wr -ctr bin/peers/ctr -docker bin/peers/docker -buildkit bin/peers -turbo "$$(ls bin/peers/turbo/node_modules/@turbo/*/bin/turbo 2>/dev/null)"
	$(GO) test -run '^$$' -bench . -benchmem ./host/... ./runtime/...
	$(ROOT) $(GO) test -tags engine -run '^$$' -bench Run ./runtime/daemon

bin/peers/built: .ci/peers/go.mod .ci/peers/go.sum $(wildcard .ci/peers/*/*.go)
	@mkdir -p bin/peers
	$(GO) -C .ci/peers build -o '$(CURDIR)/bin/peers/' tool ./plughost
	GOOS=wasip1 GOARCH=wasm $(GO) -C .ci/peers build -buildmode=c-shared -ldflags '-s -w' -o '$(CURDIR)/bin/peers/extism.wasm' ./extism
	@touch $@

install: build ## copy wr to $(PREFIX)/bin (PREFIX=/usr/local)
	install -D -m 755 bin/wr '$(DESTDIR)$(PREFIX)/bin/wr'

clean: ## remove what make built
	rm -rf bin
	find runtime/helper/embedded host/plugin/builtin/embedded -type f ! -name .gitignore -delete

need-%:
	@.ci/bootstrap $* >/dev/null

bin/wr: $(SOURCES) bin/version bin/helper/packed bin/plugins/packed
	$(GO) build -ldflags '-s -w -X github.com/wr-build/wr/cmd/wr/cli.buildVersion=$(VERSION)' -o $@ ./cmd/wr
	@touch $@

# Written only when the version changes, so that nothing is linked for nothing.
bin/version: FORCE
	@mkdir -p bin && { echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@; }

bin/helper/wr-agent: $(HELPER_SOURCES)
	GOOS=linux $(GO) build -ldflags '-s -w' -o $@ ./runtime/agent/wr-agent
	@touch $@

bin/helper/containerd-shim-runc-v2: $(HELPER_SOURCES)
	GOOS=linux $(GO) build -tags no_grpc -ldflags '-s -w' -o $@ ./runtime/shim
	@touch $@

bin/helper/wr-plugin: $(HOST_SOURCES)
	GOOS=linux $(GO) build -ldflags '-s -w' -o $@ ./host/plugin/sandbox/wr-plugin
	@touch $@

bin/helper/packed: $(HELPERS)
	env -u GOOS -u GOARCH $(GO) run ./runtime/helper/pack runtime/helper/embedded $(HELPERS)
	@touch $@

bin/plugins/shfmt.wasm: PROGRAM = mvdan.cc/sh/v3/cmd/shfmt
bin/plugins/%.wasm: $(PLUGIN_SOURCES)
	GOOS=wasip1 GOARCH=wasm $(GO) build -ldflags '-s -w' -o $@ $(or $(PROGRAM),./plugins/$*)
	env -u GOOS -u GOARCH $(GO) run ./host/plugin/pack $@ plugins/$*/$*.wasm.toml
	@touch $@

bin/plugins/packed: $(PLUGINS) $(filter host/plugin/builtin%,$(SOURCES))
	env -u GOOS -u GOARCH $(GO) run ./host/plugin/builtin/pack host/plugin/builtin/embedded $(PLUGINS)
	@touch $@

$(LINT): .ci/tools/go.mod .ci/tools/go.sum
	$(GO) -C .ci/tools build -o '$(CURDIR)/bin/tools/' tool
	@touch $(LINT)
