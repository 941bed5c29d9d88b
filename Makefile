# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of this repository; each installs, fetches and builds what it
# needs.  The work is done by scripts/.
#
#   make run            boot a guest with its variables on the host
#   make check          all tests
#   make check-unit     the tests of the standalone build, in seconds
#   make check-qtest-asan   the devices in a QEMU with sanitizers
#   make check-distro   Debian as a guest, far more: boot entries, keys, sleep
#   make conformance    edk2's variable driver beside ours; SEED=n OPS=m
#   make trust          verdicts on signatures beside edk2's; SEED=n N=m
#   make soak           10,000 times SIGKILL, and no write lost; KILLS=n;
#                       5,000 random sequences of events; SEQUENCES=n;
#                       100 of a store on the block layer
#   make bench          what a request costs, beside QEMU's bundled device
#   make qemu           build/qemu/qemu-system-{x86_64,aarch64}
#   make module         build/module: for the QEMU that Debian 13 has
#   make core           build/core, the standalone build
#
# QEMU_SRC=/path uses a QEMU source tree other than Debian's package.

export QEMU_SRC

# apt-get runs once at a time
.NOTPARALLEL:

.PHONY: all
all: core qemu

.PHONY: deps test-deps
deps:
	@scripts/install-deps

test-deps:
	@scripts/install-deps --tests

.PHONY: qemu
qemu: deps
	@scripts/build-qemu

.PHONY: module
module: deps
	@scripts/build-module

.PHONY: core
core: deps
	@scripts/build-core core

.PHONY: run
run: deps
	@scripts/run $(ARCH)

.PHONY: check
check: test-deps
	@scripts/check

.PHONY: check-unit check-qtest
check-unit check-qtest: test-deps
	@scripts/check $(@:check-%=%) rows

.PHONY: check-descriptors check-functional check-overlay check-qtest-asan
.PHONY: check-libvirt check-style
check-descriptors check-functional check-overlay check-qtest-asan \
check-libvirt check-style: test-deps
	@scripts/check $(@:check-%=%)

.PHONY: check-distro
check-distro: test-deps
	@scripts/check distro-all

.PHONY: conformance
conformance: test-deps qemu
	@scripts/make-guest x86_64
	@tests/conformance/run $(if $(SEED),--seed $(SEED)) $(if $(OPS),--ops $(OPS))

.PHONY: trust
trust: core
	@G_TEST_SRCDIR=tests/conformance \
	build/core/tests/conformance/test-trust --mutations $(or $(N),1000000) \
	    $(if $(SEED),--seed $$(printf R02S%032x $(SEED)))

.PHONY: bench
bench: test-deps qemu
	@scripts/build-qemu --bundled
	@scripts/make-guest x86_64
	@tests/bench/bench
	@tests/bench/bench-drive
	@scripts/build-core core
	@build/core/tests/unit/bench-signatures
	@build/core/tests/unit/bench-store

.PHONY: soak
soak: test-deps qemu core
	@tests/soak/run $(if $(SEED),--seed $(SEED)) $(if $(KILLS),--kills $(KILLS))
	@tests/sequences/run $(if $(SEED),--seed $(SEED)) \
	    --sequences $(or $(SEQUENCES),5000)
	@tests/sequences/run --drive $(if $(SEED),--seed $(SEED)) \
	    --sequences 100

.PHONY: clean
clean:
	rm -rf build
