# Jacinth: everything starts here. The work is done by scripts/ and qemu/; see README.md.
#
# Variables given on the command line (make run ARCH=aarch64 SMP=2) reach the scripts through the environment.

.DEFAULT_GOAL := help
.PHONY: help run debug test test-host test-kernel test-user test-boot model soak fill bench bench-profile bench-host vmaps vmo-tree doctor lint doc image clean
MAKEFLAGS += --no-print-directory
export ARCH SMP MEMORY PROFILE ACCEL CMDLINE TIMEOUT MACHINE CPU GIC EL BOOT ICOUNT
# What make vmaps and make vmo-tree draw, and where the picture goes: see scripts/draw.sh.
export PROGRAM OUT
# The benchmarks' own variables: see bench/README.md.
export JSON RECORD MAPPINGS ROWS ROW BY INLINE SIZES TIMES

help: ## Show this list
	@echo "Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@echo "Variables, as in make run ARCH=aarch64 SMP=2:"
	@sed -n 's/^#   /  /p' qemu/settings.sh

run: ## Build Jacinth and boot it in QEMU
	@scripts/setup build run && scripts/run

debug: ## The same, halted, with gdb-multiarch attached and symbols loaded
	@scripts/setup build run debug && scripts/debug

test: ## Run all tests
	@scripts/setup build run image && scripts/test

test-host: ## Run the tests of the host crates and of the scripts
	@scripts/setup build && scripts/test host

test-kernel: ## Run the tests inside the kernel
	@scripts/setup build run && scripts/test kernel

test-user: ## Run the conformance program and hostile calls in user mode
	@scripts/setup build run && scripts/test user

test-boot: ## Boot on every kind of machine
	@scripts/setup build run image && scripts/test boot

# Numbers of these two go as words: SECONDS means something else to bash.
model: ## Make random calls on regions and VMOs and compare with models (SEED=1 STEPS=100000)
	@scripts/setup build run && scripts/soak model $(or $(SEED),1) $(or $(STEPS),100000)

soak: ## Work on address spaces for a while and look for leaks (SECONDS=60)
	@scripts/setup build run && scripts/soak soak $(or $(SECONDS),60)

fill: ## Fill all of memory until refused, again and again (SECONDS=60; MEMORY is 64M)
	@scripts/setup build run && scripts/soak fill $(or $(SECONDS),60)

bench: ## Count instructions of each operation against Linux (JSON=1, RECORD=1: bench/README.md)
	@scripts/setup build run && scripts/bench

bench-profile: ## Count instructions of one operation by function (ROW=map_unmap/10)
	@scripts/setup build run && scripts/bench-profile

bench-host: ## Compare the region tree with other structures (SIZES=10,1000 TIMES=0 JSON=1 RECORD=1)
	@scripts/setup build bench-host && scripts/bench-host

vmaps: ## Draw the address space of PROGRAM (crowd) as an SVG picture
	@scripts/setup build run && scripts/vmaps

vmo-tree: ## Draw the family of VMOs that PROGRAM (family) makes as an SVG picture
	@scripts/setup build run && scripts/vmo-tree

doctor: ## Show which tools are there and which are needed
	@scripts/doctor

lint: ## Check formatting, clippy and rustdoc
	@scripts/setup build && scripts/lint

doc: ## Make the documentation of all crates
	@scripts/setup build && scripts/doc

image: ## Make a bootable ISO for x86_64 (GRUB, BIOS and UEFI)
	@scripts/setup build image && scripts/image

clean: ## Remove everything that was built
	@scripts/clean
