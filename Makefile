# SPDX-License-Identifier: MIT
# One entry for everything: run, test, bench, fuzz, install. Output goes to build/.
# What is downloaded stays in build/cache, so that a second run needs no network.

MAKEFLAGS += --no-builtin-rules
# One line a file; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@true,@printf '  %-4s %s\n')
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
RELEASE_DATE := 2026-11-22
# As SBI's get_impl_version gives it, a byte a part.
VERSION_NUMBER := 0x000100

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wwrite-strings -Wno-unused-parameter

all: $(B)/dmfs $(B)/diosix.elf services

# --- what is missing is installed, what is pinned is fetched -------------------------------------

PACKAGES := $(B)/.packages
SOURCES := $(CACHE)/.sources

TEST_PACKAGES := $(B)/.packages-tests

$(PACKAGES): third_party/packages.txt third_party/packages.sh
	@mkdir -p $(B) && third_party/packages.sh $(<F) && touch $@
$(TEST_PACKAGES): third_party/packages-tests.txt third_party/packages.sh | $(PACKAGES)
	@third_party/packages.sh $(<F) && touch $@
$(SOURCES): third_party/sources.lock third_party/fetch.sh | $(PACKAGES)
	@third_party/fetch.sh $(CACHE) && touch $@

# --- the host's tools ----------------------------------------------------------------------------

LIBDMFS_SRC := $(wildcard sdk/libdmfs/*.c)
# What the hypervisor compiles as well; host_*.c is the writer.
LIBDMFS_CORE := $(filter-out sdk/libdmfs/host_%.c,$(LIBDMFS_SRC))
SDK_SRC := $(wildcard sdk/common/*.c sdk/mkdmfs/*.c sdk/dmfsinspect/*.c sdk/dtgen/*.c sdk/sign/*.c sdk/cli/*.c sdk/run/*.c sdk/ctl/*.c)
HOST_INC := -Isdk/libdmfs -Isdk -Ihypervisor/drivers -I$(B)/starter
HOST_CFLAGS := -std=c11 -O2 -g -D_GNU_SOURCE -DDIOSIX_VERSION='"$(VERSION)"' \
	-DDIOSIX_RELEASE_DATE='"$(RELEASE_DATE)"' $(WARN) $(HOST_INC) -MMD -MP
HOST_LIBS := -lyaml -lfdt -lsodium -lz -ldeflate -ljansson -pthread
# What ships; the sanitizers have checks of their own.
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# The hypervisor's own reading of device trees, for checks against boards.
BOARD_SRC := $(wildcard hypervisor/drivers/board*.c)
HOST_OBJ := $(patsubst %.c,$(B)/host/%.o,$(LIBDMFS_SRC) $(SDK_SRC) $(BOARD_SRC))

$(B)/host/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(HOST_CFLAGS) $(HARDEN) -c -o $@ $<

# `dmfs init` leaves a guest that runs at once: that of examples/hello, built by its own Makefile and put into the command.
STARTER_SRC := $(addprefix examples/hello/,Makefile hello.c start.S)
STARTER := $(B)/starter/starter_files.h
$(STARTER): $(STARTER_SRC) sdk/mkdmfs/embed.sh | $(PACKAGES)
	@mkdir -p $(@D) && cp $(STARTER_SRC) $(@D)
	@$(MAKE) --no-print-directory -s -C $(@D)
	@sdk/mkdmfs/embed.sh $(@D)/hello.elf $(addprefix $(@D)/,$(notdir $(STARTER_SRC))) >$@
$(patsubst %,$(B)/%/sdk/mkdmfs/init.o,host asan fuzz/obj fuzz/plain/obj): | $(STARTER)

$(B)/dmfs: $(HOST_OBJ)
	$(say) LD $@
	$(Q)$(CC) -Wl,-z,relro,-z,now -o $@ $^ $(HOST_LIBS)

# --- the hypervisor ------------------------------------------------------------------------------
# Position independent, without floating point; of third parties only the files that it needs.

SODIUM := $(CACHE)/libsodium/src/libsodium
HV_SRC := $(wildcard hypervisor/core/*.c hypervisor/guest/*.c hypervisor/drivers/*.c hypervisor/arch/riscv/*.c)
HV_ASM := $(wildcard hypervisor/arch/riscv/*.S)
HV_THIRD := \
	$(addprefix libsodium/src/libsodium/,crypto_sign/ed25519/ref10/open.c crypto_core/ed25519/ref10/ed25519_ref10.c \
		crypto_hash/sha512/cp/hash_sha512_cp.c crypto_verify/sodium/verify.c \
		$(addprefix crypto_generichash/blake2b/ref/,blake2b-ref.c blake2b-compress-ref.c generichash_blake2b.c)) \
	$(addprefix libsodium/src/libsodium/,crypto_aead/xchacha20poly1305/sodium/aead_xchacha20poly1305.c \
		crypto_core/hchacha20/core_hchacha20.c crypto_stream/chacha20/stream_chacha20.c \
		crypto_stream/chacha20/ref/chacha20_ref.c crypto_onetimeauth/poly1305/onetimeauth_poly1305.c \
		crypto_onetimeauth/poly1305/donna/poly1305_donna.c crypto_onetimeauth/crypto_onetimeauth.c \
		crypto_box/crypto_box.c crypto_box/crypto_box_seal.c crypto_box/crypto_box_easy.c \
		crypto_box/curve25519xsalsa20poly1305/box_curve25519xsalsa20poly1305.c \
		crypto_secretbox/crypto_secretbox_easy.c crypto_scalarmult/curve25519/scalarmult_curve25519.c \
		crypto_scalarmult/curve25519/ref10/x25519_ref10.c crypto_core/hsalsa20/ref2/core_hsalsa20_ref2.c \
		crypto_core/salsa/ref/core_salsa_ref.c crypto_stream/xsalsa20/stream_xsalsa20.c \
		crypto_stream/salsa20/stream_salsa20.c crypto_stream/salsa20/ref/salsa20_ref.c \
		crypto_generichash/crypto_generichash.c) \
	$(addprefix zlib/,inflate.c inffast.c inftrees.c adler32.c) \
	$(addprefix libfdt/libfdt/,fdt.c fdt_ro.c fdt_rw.c fdt_wip.c fdt_check.c fdt_addresses.c fdt_strerror.c)
LINK_ADDRESS := 0x80000000
HV_INC := -Ihypervisor/include -Ihypervisor/core -Ihypervisor/guest -Ihypervisor/drivers -Isdk/libdmfs -Isdk/dtgen -Isdk/capsule
HV_THIRD_INC := -isystem $(SODIUM)/include -isystem $(SODIUM)/include/sodium -isystem $(CACHE)/zlib \
	-isystem $(CACHE)/libfdt/libfdt
HV_ARCH := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mstrict-align \
	-msmall-data-limit=0 -DPICOLIBC_INTEGER_PRINTF_SCANF
# How code is compiled that has to be fast, and all other.
HV_SPEED := -O2
HV_SPACE := -Os -msave-restore
HV_DEFINES := -DLINK_ADDRESS=$(LINK_ADDRESS) -DDIOSIX_VERSION='"$(VERSION)"' -DDIOSIX_VERSION_NUMBER=$(VERSION_NUMBER)
HV_ARCH_INC := -Ihypervisor/arch/riscv -Ihypervisor/arch/riscv/include
HV_FLAGS := $(HV_ARCH) -std=gnu11 -g -ffreestanding -fno-builtin-printf -ffunction-sections -fdata-sections \
	-fno-common -fno-tree-loop-distribute-patterns -fstack-protector-strong $(HV_DEBUG) $(HV_DEFINES) -MMD -MP
HV_CFLAGS := $(HV_FLAGS) $(WARN) $(HV_INC) $(HV_ARCH_INC) $(HV_THIRD_INC)
HV_THIRD_CFLAGS := $(HV_FLAGS) -w -DNDEBUG -DNO_GZIP -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_TI_MODE=1 -DCONFIGURED=1 \
	-I$(SODIUM)/include/sodium -I$(SODIUM)/include -I$(CACHE)/zlib -I$(CACHE)/libfdt/libfdt
# DEBUG=1: undefined behaviour traps, and the trap is reported as a bug.
HV_DEBUG := $(if $(DEBUG),-fsanitize=undefined -fsanitize-undefined-trap-on-error)
# What a trap runs through is worth its space.
HV_FAST := hypervisor/arch/riscv/% hypervisor/guest/% hypervisor/core/scheduler.c hypervisor/core/vcpu.c \
	hypervisor/drivers/uart.c hypervisor/drivers/uart_ns16550.c
# What runs over every byte of an image, and what reads device trees: most of a small boot.
HV_THIRD_FAST := inflate inffast blake2b-ref blake2b-compress-ref hash_sha512_cp chacha20_ref poly1305_donna fdt fdt_ro
HV_OBJ := $(patsubst %.c,$(B)/hv/%.o,$(HV_SRC) $(LIBDMFS_CORE)) $(patsubst %.S,$(B)/hv/%.o,$(HV_ASM)) \
	$(patsubst %.c,$(B)/hv/third/%.o,$(HV_THIRD))

# core/library_needs.c says why.
$(B)/hv/third/%/x25519_ref10.o: HV_THIRD_CFLAGS += -Dge25519_scalarmult_base=no_scalarmult_base
$(B)/hv/third/%.o: $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(HV_THIRD_CFLAGS) $(if $(filter $(HV_THIRD_FAST),$(notdir $*)),$(HV_SPEED),$(HV_SPACE)) -c -o $@ $(CACHE)/$*.c
$(B)/hv/%.o: %.c | $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(HV_CFLAGS) $(if $(filter $(HV_FAST),$<),$(HV_SPEED),$(HV_SPACE)) -c -o $@ $<
$(B)/hv/%.o: %.S | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(HV_CFLAGS) -c -o $@ $<

# The bare-metal linker knows no -pie, so Linux' does it. The C library comes for rv64imac without floating point.
HV_LIBC := /usr/lib/picolibc/riscv64-unknown-elf/lib/rv64imac/lp64/libc.a
$(B)/diosix.elf: $(HV_OBJ) hypervisor/arch/riscv/link.ld
	$(say) LD $@
	$(Q)riscv64-linux-gnu-ld -pie --no-dynamic-linker --gc-sections -z notext -z max-page-size=4096 \
		--no-warn-rwx-segments --defsym=vfprintf=__i_vfprintf --defsym=LINK_ADDRESS=$(LINK_ADDRESS) \
		-Map=$(B)/diosix.map -T hypervisor/arch/riscv/link.ld -o $@ $(HV_OBJ) --start-group $(HV_LIBC) \
		$$($(CROSS)gcc -march=rv64imac -mabi=lp64 -print-libgcc-file-name) --end-group

include sdk/capsule/build.mk
include services/services.mk
include sdk/packaging/packaging.mk
include tests/tests.mk

# --- for people ------------------------------------------------------------------------------------

# A development key, made once: images signed by it are for trying things out.
DEV_KEY := $(B)/dev.key
$(DEV_KEY): | $(B)/dmfs
	@$(B)/dmfs keygen --quiet $(B)/dev

$(B)/linux.dmfs: manifests/linux.yaml $(INITRAMFS) $(DEV_KEY) $(B)/dmfs
	@$(B)/dmfs pack manifests/linux.yaml -o $@ --key $(DEV_KEY)

run: $(B)/dmfs $(B)/diosix.elf $(B)/linux.dmfs
	$(B)/dmfs run $(B)/linux.dmfs --trust $(B)/dev.pub

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

-include $(shell find $(B) -name '*.d' -not -path '$(CACHE)/*' 2>/dev/null)
.PHONY: all run clean
