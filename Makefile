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
# What the hypervisor compiles as well; host_*.c is the writer.
LIBDMFS_CORE := $(filter-out sdk/libdmfs/host_%.c,$(LIBDMFS_SRC))
SDK_SRC := $(wildcard sdk/mkdmfs/*.c sdk/dmfsinspect/*.c sdk/dtgen/*.c sdk/sign/*.c sdk/cli/*.c sdk/run/*.c)
HOST_INC := -Isdk/libdmfs -Isdk -Ihypervisor/drivers
HOST_CFLAGS := -std=c11 -O2 -g -D_GNU_SOURCE -DDIOSIX_VERSION='"$(VERSION)"' $(WARN) $(HOST_INC) -MMD -MP
HOST_LIBS := -lyaml -lfdt -lsodium -lz -ldeflate -pthread
HOST_OBJ := $(patsubst %.c,$(B)/host/%.o,$(LIBDMFS_SRC) $(SDK_SRC))

$(B)/host/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -c -o $@ $<

# The proof that the reader needs nothing but what is listed here.
CORE_NEEDS := memcpy memmove memset memcmp crypto_generichash_blake2b crypto_sign_ed25519_verify_detached \
	inflate inflateInit_ inflateEnd inflateValidate
CORE_OBJ := $(patsubst sdk/libdmfs/%.c,$(B)/freestanding/%.o,$(LIBDMFS_CORE))

$(B)/freestanding/%.o: sdk/libdmfs/%.c | $(SOURCES)
	@mkdir -p $(@D)
	$(CROSS)gcc --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
		-std=c11 -O2 -ffreestanding $(WARN) -Isdk/libdmfs -I$(CACHE)/libsodium/src/libsodium/include \
		-I$(CACHE)/zlib -MMD -MP -c -o $@ $<

$(B)/.libdmfs-freestanding: $(CORE_OBJ)
	$(CROSS)ld -r -o $(B)/freestanding/libdmfs.o $^
	@for s in $$($(CROSS)nm -u $(B)/freestanding/libdmfs.o | sed 's/^ *U //'); do \
		case " $(CORE_NEEDS) " in *" $$s "*) ;; \
		*) echo "libdmfs: the reader must not need $$s" >&2; exit 1;; esac; done
	@touch $@

$(B)/dmfs: $(HOST_OBJ)
	$(CC) -o $@ $^ $(HOST_LIBS)

# --- unit tests, under the sanitizers ------------------------------------------------------------
# Everything that can run on a host goes into one archive; each tests/unit/test_*.c is a program.

HOST_TESTABLE := $(LIBDMFS_SRC) $(filter-out sdk/cli/main.c,$(SDK_SRC)) $(wildcard hypervisor/drivers/board*.c)
ASAN_CFLAGS := $(HOST_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_OBJ := $(patsubst %.c,$(B)/asan/%.o,$(HOST_TESTABLE))
FORGE_OBJ := $(B)/asan/tests/unit/forge.o
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

$(B)/asan/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) -c -o $@ $<

$(B)/libtest.a: $(ASAN_OBJ)
	@rm -f $@
	ar rcs $@ $^

# Tests of images share a forger of them.
$(B)/unit/test_dmfs_%: $(B)/asan/tests/unit/test_dmfs_%.o $(FORGE_OBJ) $(B)/libtest.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS) -lcmocka

$(B)/unit/%: $(B)/asan/tests/unit/%.o $(B)/libtest.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS) -lcmocka

$(B)/asan/dmfs: $(B)/asan/sdk/cli/main.o $(B)/libtest.a
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS)

unit: $(UNIT) $(B)/.libdmfs-freestanding
	@set -e; for t in $(UNIT); do echo "== $$t"; $$t; done

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

-include $(shell find $(B) -name '*.d' -not -path '$(CACHE)/*' 2>/dev/null)
.PHONY: all run test unit bench fuzz install clean
