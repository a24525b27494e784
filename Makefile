# rdinit: `make run` boots a demo, `make test` tests everything. Both set up what they need first.

BUN := node_modules/.bin/bun
STUB_FLAGS := -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -no-pie -fno-pie \
  -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
  -Wl,--build-id=none -Wl,-z,norelro -Wl,-z,noseparate-code -Wl,-Ttext-segment=0x100000
# No configuration file or variable of the machine it runs on changes the runtime. The tool is a chunk of its own: what
# it imports costs process 1 nothing.
COMPILE_FLAGS := --compile --splitting --bytecode --format=esm --minify-syntax --minify-whitespace \
  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
  --compile-exec-argv="--disallow-code-generation-from-strings=strict --no-ffi-cc"
SOURCES := $(shell find src syscalls -name '*.ts') package.json

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all help run test check fmt bench handover chart kernel hot-pages clean setup-build setup-run setup-test

help: ## list the targets
	@echo "make                 build build/rdinit, and build/init, its packed form for images"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r t d; do \
	  printf 'make %-15s %s\n' "$$t" "$$d"; done

all: build/rdinit build/init

run: setup-run build/rdinit build/init ## boot a demo root in QEMU: APPEND="kernel parameters", DISK=file, MEMORY=MiB, NET=unlock
	@$(BUN) qemu/run.ts --append "$$APPEND" --disk "$$DISK" --memory "$$MEMORY" --net "$$NET"

test: setup-test build/rdinit build/init ## check, then boot in QEMU: everything
	@$(BUN) test/run.ts

check: setup-test ## types, lint, format, unit and property tests: under a minute
	@$(BUN) test/run.ts --check

fmt: setup-build ## format the sources
	@$(BUN) fmt src syscalls test qemu

bench: setup-test build/rdinit build/init ## measure boots in deterministic virtual time, others' too: fifteen minutes or so, eight more the first time; BENCH="names or options"
	@$(BUN) qemu/bench.ts $(BENCH)

handover: setup-test build/rdinit build/init ## compare what a real init finds, through rdinit and others, with a start by the kernel: ten minutes or so
	@$(BUN) qemu/handover/table.ts

chart: setup-test build/rdinit build/init ## draw where the time of a real boot goes, qemu/bench/boot.svg: BOOT=plain|drivers|generic|stack
	@$(BUN) qemu/chart.ts $(BOOT)

kernel: setup-test build/rdinit ## build a small kernel with the image inside: FORM=directory|list|cpio, IMAGE="options of rdinit image"
	@$(BUN) qemu/embed.ts --form "$(FORM)" $(IMAGE)

hot-pages: setup-test build/rdinit ## record anew which pages of the runtime a boot needs
	@$(BUN) qemu/record.ts

clean: ## delete what was built (the kernels stay in the cache)
	rm -rf build

# ---- the static binary, and its packed form for images ----

LINK := $(wildcard src/stub/*.ts)

build/rdinit: build/rdinit.dynamic build/stub $(LINK) | node_modules/.ready
	@$(BUN) src/stub/link.ts build/rdinit.dynamic build/stub $@

build/init: build/rdinit.dynamic build/stub $(LINK) src/stub/hot-pages.txt | node_modules/.ready
	@echo "packing $@ (the first time compresses the runtime, a minute or so)"
	@$(BUN) src/stub/link.ts build/rdinit.dynamic build/stub $@ --packed

build/rdinit.dynamic: $(SOURCES) | node_modules/.ready
	@mkdir -p build
	@$(BUN) build src/main.ts $(COMPILE_FLAGS) --outfile $@ >build/compile.log 2>&1 || { cat build/compile.log; exit 1; }

build/stub: $(wildcard src/stub/*.c src/stub/*.h) | setup-build
	@mkdir -p build
	@$(CC) $(STUB_FLAGS) $(wildcard src/stub/*.c) -o $@

# ---- what it takes ----

setup-build:
	@sh qemu/setup.sh build

setup-run:
	@sh qemu/setup.sh build run $(if $(NET),unlock)

setup-test:
	@sh qemu/setup.sh build run test

node_modules/.ready: package.json package-lock.json | setup-build
	@touch $@
