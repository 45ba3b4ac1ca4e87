# SPDX-License-Identifier: MIT
# One entry for everything: run, test, bench, fuzz, install. Output goes to build/.
# What is downloaded stays in build/cache, so that a second run needs no network.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

B := build
CACHE := $(B)/cache
PREFIX ?= /usr/local
PYTHON ?= /usr/bin/python3
CC := gcc
CROSS := riscv64-unknown-elf-
VERSION := 0.1.0

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wwrite-strings -Wno-unused-parameter

all: $(B)/dmfs $(B)/diosix.elf

# --- what is missing is installed, what is pinned is fetched -------------------------------------

PACKAGES := $(B)/.packages
SOURCES := $(CACHE)/.sources

$(PACKAGES): third_party/packages.txt third_party/packages.sh
	@mkdir -p $(B) && third_party/packages.sh && touch $@
$(SOURCES): third_party/sources.lock third_party/fetch.sh | $(PACKAGES)
	@third_party/fetch.sh $(CACHE) && touch $@

# --- the host's tools ----------------------------------------------------------------------------

LIBDMFS_SRC := $(wildcard sdk/libdmfs/*.c)
SDK_SRC := $(wildcard sdk/mkdmfs/*.c sdk/dmfsinspect/*.c sdk/dtgen/*.c sdk/sign/*.c sdk/cli/*.c sdk/run/*.c)
HOST_INC := -Isdk/libdmfs -Isdk -Ihypervisor/drivers
HOST_CFLAGS := -std=c11 -O2 -g -D_GNU_SOURCE -DDIOSIX_VERSION='"$(VERSION)"' $(WARN) $(HOST_INC) -MMD -MP
HOST_LIBS := -lyaml -lfdt -lsodium -lz -ldeflate -pthread
HOST_OBJ := $(patsubst %.c,$(B)/host/%.o,$(LIBDMFS_SRC) $(SDK_SRC))

$(B)/host/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -c -o $@ $<

$(B)/dmfs: $(HOST_OBJ)
	$(CC) -o $@ $^ $(HOST_LIBS)

# --- what tests and examples boot -----------------------------------------------------------------
# Debian's riscv64 kernel, busybox, installer and device trees; tests/guests/fetch.sh lists the files.

GUESTS := $(CACHE)/guests/.complete
INITRAMFS := $(B)/guests/initramfs.gz

$(GUESTS): tests/guests/fetch.sh | $(PACKAGES)
	@tests/guests/fetch.sh $(@D) && touch $@

$(INITRAMFS): tests/guests/initramfs.sh tests/guests/init $(GUESTS)
	@mkdir -p $(@D)
	tests/guests/initramfs.sh $(CACHE)/guests/busybox tests/guests/init $@

guests: $(GUESTS) $(INITRAMFS)

# --- unit tests, under the sanitizers ------------------------------------------------------------
# Everything that can run on a host goes into one archive; each tests/unit/test_*.c is a program.

HOST_TESTABLE := $(LIBDMFS_SRC) $(filter-out sdk/cli/main.c,$(SDK_SRC)) $(wildcard hypervisor/drivers/board*.c)
ASAN_CFLAGS := $(HOST_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_OBJ := $(patsubst %.c,$(B)/asan/%.o,$(HOST_TESTABLE))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

$(B)/asan/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) -c -o $@ $<

$(B)/libtest.a: $(ASAN_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/unit/%: $(B)/asan/tests/unit/%.o $(B)/libtest.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS) -lcmocka

$(B)/asan/dmfs: $(B)/asan/sdk/cli/main.o $(B)/libtest.a
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS)

# Device trees that tests read: those of QEMU's boards, build/dtb/NAME.dtb.
DTB := $(B)/dtb
QEMU := qemu-system-riscv64 -display none
QEMU_DTBS := $(patsubst %,$(DTB)/%.dtb,virt virt-8 virt-aclint virt-numa virt-aia virt-32 sifive_u)
$(DTB)/virt-8.dtb: BOARD := -smp 8 -m 5G
$(DTB)/virt-aclint.dtb: BOARD := -M aclint=on -smp 4
$(DTB)/virt-numa.dtb: BOARD := -smp 4 -m 2G -object memory-backend-ram,id=a,size=1G \
	-object memory-backend-ram,id=b,size=1G -numa node,memdev=a,cpus=0-1 -numa node,memdev=b,cpus=2-3
$(DTB)/virt-aia.dtb: BOARD := -M aia=aplic
$(DTB)/virt-32.dtb: QEMU := qemu-system-riscv32 -display none
$(DTB)/sifive_u.dtb: BOARD := -smp 5

$(DTB)/%.dtb: | $(PACKAGES)
	@mkdir -p $(@D)
	$(QEMU) -M $(firstword $(subst -, ,$*)) $(BOARD) -bios none -M dumpdtb=$@ >$(@D)/$*.log 2>&1 || { cat $(@D)/$*.log; exit 3; }

unit: $(UNIT) $(QEMU_DTBS) check-boards
	@set -e; for t in $(UNIT); do echo "== $$t"; $$t; done

# What a fuzzer of trees begins with.
$(B)/fuzz/seeds/board: $(QEMU_DTBS)
	@mkdir -p $@ && cp $^ $@

# docs/boards.md has the table that this prints.
$(B)/boards: $(B)/asan/tests/tools/boards.o $(B)/libtest.a
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS)

boards-table: $(B)/boards $(QEMU_DTBS) $(GUESTS)
	@$(B)/boards $(QEMU_DTBS) $(CACHE)/guests/dtb/*.dtb

check-boards: $(B)/boards $(QEMU_DTBS) $(GUESTS)
	@$(B)/boards $(QEMU_DTBS) $(CACHE)/guests/dtb/*.dtb >$(B)/boards.md
	@sed -n '/^| device tree/,$$p' docs/boards.md | diff - $(B)/boards.md || \
		{ echo "docs/boards.md: its table is no longer what 'make boards-table' prints" >&2; exit 1; }

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

-include $(shell find $(B) -name '*.d' -not -path '$(CACHE)/*' 2>/dev/null)
.PHONY: all run test unit guests boards-table check-boards bench fuzz install clean
