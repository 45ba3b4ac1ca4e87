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
# As SBI's get_impl_version gives it, a byte a part.
VERSION_NUMBER := 0x000100

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
SDK_SRC := $(wildcard sdk/common/*.c sdk/mkdmfs/*.c sdk/dmfsinspect/*.c sdk/dtgen/*.c sdk/sign/*.c sdk/cli/*.c sdk/run/*.c)
HOST_INC := -Isdk/libdmfs -Isdk -Ihypervisor/drivers
HOST_CFLAGS := -std=c11 -O2 -g -D_GNU_SOURCE -DDIOSIX_VERSION='"$(VERSION)"' $(WARN) $(HOST_INC) -MMD -MP
HOST_LIBS := -lyaml -lfdt -lsodium -lz -ldeflate -pthread
HOST_OBJ := $(patsubst %.c,$(B)/host/%.o,$(LIBDMFS_SRC) $(SDK_SRC))

$(B)/host/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(HOST_CFLAGS) -c -o $@ $<

# The proof that the reader needs nothing but what is listed here.
CORE_NEEDS := memcpy memmove memset memcmp crypto_generichash_blake2b crypto_sign_ed25519_verify_detached \
	inflate inflateInit_ inflateEnd inflateValidate
CORE_OBJ := $(patsubst sdk/libdmfs/%.c,$(B)/freestanding/%.o,$(LIBDMFS_CORE))

$(B)/freestanding/%.o: sdk/libdmfs/%.c | $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany \
		-std=c11 -O2 -ffreestanding $(WARN) -Isdk/libdmfs -I$(CACHE)/libsodium/src/libsodium/include \
		-I$(CACHE)/zlib -MMD -MP -c -o $@ $<

$(B)/.libdmfs-freestanding: $(CORE_OBJ)
	$(Q)$(CROSS)ld -r -o $(B)/freestanding/libdmfs.o $^
	@for s in $$($(CROSS)nm -u $(B)/freestanding/libdmfs.o | sed 's/^ *U //'); do \
		case " $(CORE_NEEDS) " in *" $$s "*) ;; \
		*) echo "libdmfs: the reader must not need $$s" >&2; exit 1;; esac; done
	@touch $@

$(B)/dmfs: $(HOST_OBJ)
	$(say) LD $@
	$(Q)$(CC) -o $@ $^ $(HOST_LIBS)

# --- the hypervisor ------------------------------------------------------------------------------
# Position independent, without floating point; of third parties only the files that it needs.

SODIUM := $(CACHE)/libsodium/src/libsodium
HV_SRC := $(wildcard hypervisor/core/*.c hypervisor/guest/*.c hypervisor/drivers/*.c hypervisor/arch/riscv/*.c)
HV_ASM := $(wildcard hypervisor/arch/riscv/*.S)
HV_THIRD := \
	$(addprefix libsodium/src/libsodium/,crypto_sign/ed25519/ref10/open.c crypto_core/ed25519/ref10/ed25519_ref10.c \
		crypto_hash/sha512/cp/hash_sha512_cp.c crypto_verify/sodium/verify.c \
		$(addprefix crypto_generichash/blake2b/ref/,blake2b-ref.c blake2b-compress-ref.c generichash_blake2b.c)) \
	$(addprefix zlib/,inflate.c inffast.c inftrees.c adler32.c) \
	$(addprefix libfdt/libfdt/,fdt.c fdt_ro.c fdt_rw.c fdt_wip.c fdt_check.c fdt_addresses.c fdt_strerror.c)
LINK_ADDRESS := 0x80000000
HV_INC := -Ihypervisor/include -Ihypervisor/core -Ihypervisor/guest -Ihypervisor/drivers -Isdk/libdmfs -Isdk/dtgen
HV_THIRD_INC := -isystem $(SODIUM)/include -isystem $(SODIUM)/include/sodium -isystem $(CACHE)/zlib \
	-isystem $(CACHE)/libfdt/libfdt
HV_ARCH := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mstrict-align \
	-msmall-data-limit=0 -DPICOLIBC_INTEGER_PRINTF_SCANF
HV_FLAGS := $(HV_ARCH) -std=gnu11 -Os -g -ffreestanding -fno-builtin-printf -ffunction-sections -fdata-sections \
	-fno-common -fno-tree-loop-distribute-patterns -DLINK_ADDRESS=$(LINK_ADDRESS) \
	-DDIOSIX_VERSION='"$(VERSION)"' -DDIOSIX_VERSION_NUMBER=$(VERSION_NUMBER) -MMD -MP
HV_CFLAGS := $(HV_FLAGS) $(WARN) $(HV_INC) -Ihypervisor/arch/riscv -Ihypervisor/arch/riscv/include $(HV_THIRD_INC)
HV_THIRD_CFLAGS := $(HV_FLAGS) -O2 -w -DNDEBUG -DNO_GZIP -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_TI_MODE=1 -DCONFIGURED=1 \
	-I$(SODIUM)/include/sodium -I$(SODIUM)/include -I$(CACHE)/zlib -I$(CACHE)/libfdt/libfdt
# What a trap runs through is worth its space.
HV_FAST := hypervisor/arch/riscv/% hypervisor/guest/% hypervisor/core/sched.c hypervisor/core/vcpu.c hypervisor/core/console.c
HV_OBJ := $(patsubst %.c,$(B)/hv/%.o,$(HV_SRC) $(LIBDMFS_CORE)) $(patsubst %.S,$(B)/hv/%.o,$(HV_ASM)) \
	$(patsubst %.c,$(B)/hv/third/%.o,$(HV_THIRD))

$(B)/hv/third/%.o: $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(HV_THIRD_CFLAGS) -c -o $@ $(CACHE)/$*.c
$(B)/hv/%.o: %.c | $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(HV_CFLAGS) $(if $(filter $(HV_FAST),$<),-O2) -c -o $@ $<
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

# --- unit tests, under the sanitizers ------------------------------------------------------------
# Everything that can run on a host goes into one archive; each tests/unit/test_*.c is a program.

HOST_TESTABLE := $(LIBDMFS_SRC) $(filter-out sdk/cli/main.c,$(SDK_SRC)) $(wildcard hypervisor/drivers/board*.c)
ASAN_CFLAGS := $(HOST_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_OBJ := $(patsubst %.c,$(B)/asan/%.o,$(HOST_TESTABLE))
FORGE_OBJ := $(B)/asan/tests/unit/forge.o
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

$(B)/asan/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ASAN_CFLAGS) -c -o $@ $<

$(B)/libtest.a: $(ASAN_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

# Tests of images share a forger of them.
$(B)/unit/test_dmfs_%: $(B)/asan/tests/unit/test_dmfs_%.o $(FORGE_OBJ) $(B)/libtest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS) -lcmocka

$(B)/unit/%: $(B)/asan/tests/unit/%.o $(B)/libtest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS) -lcmocka

$(B)/asan/dmfs: $(B)/asan/sdk/cli/main.o $(B)/libtest.a
	$(say) LD $@
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS)

# One image for each attack; it checks all of them with the reader of the host before it ends.
$(B)/forge-images: $(B)/asan/tests/tools/forge_images.o $(FORGE_OBJ) $(B)/libtest.a
	$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS)

unit: $(UNIT) $(B)/forge-images $(B)/.libdmfs-freestanding
	@set -e; for t in $(UNIT); do echo "== $$t"; $$t; done
	$(B)/forge-images $(B)/forged

# --- fuzzing -------------------------------------------------------------------------------------
# Each tests/fuzz/fuzz_NAME.c is a libFuzzer target over the sources that ship. It begins with the files of
# tests/fuzz/corpus/NAME and build/fuzz/seeds/NAME, as far as there are any; what it finds interesting
# stays in build/fuzz/corpus/NAME, what breaks it in build/fuzz.

FUZZ_SECONDS ?= 60
FUZZ_SANITIZE := address,undefined
FUZZ_CFLAGS := $(HOST_CFLAGS) -O1 -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -fno-sanitize-recover=all
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$(B)/fuzz/obj/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -c -o $@ $<

$(B)/fuzz/libtest.a: $(patsubst %.c,$(B)/fuzz/obj/%.o,$(HOST_TESTABLE))
	@rm -f $@
	ar rcs $@ $^

$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(B)/fuzz/libtest.a
	clang -fsanitize=fuzzer,$(FUZZ_SANITIZE) -o $@ $^ $(HOST_LIBS)

$(B)/fuzz/seeds/image: $(B)/forge-images
	@mkdir -p $@
	$< $@
	@rm $@/expect.txt && touch $@

# fuzz_run: DIRECTORY OPTIONS; runs all targets, each with DIRECTORY/NAME for what it finds.
define fuzz_run
@set -e; for f in $(FUZZERS); do \
	name=$${f##*/fuzz_}; mkdir -p $(1)/$$name; dirs=$(1)/$$name; \
	for d in tests/fuzz/corpus/$$name $(B)/fuzz/seeds/$$name; do \
		if [ -d $$d ]; then dirs="$$dirs $$d"; fi; done; \
	echo "== $$f"; \
	$$f $(2) -max_len=65536 -print_final_stats=1 -artifact_prefix=$(B)/fuzz/ $$dirs; done
endef

fuzz: $(FUZZERS) $(B)/fuzz/seeds/image
	$(call fuzz_run,$(B)/fuzz/corpus,-max_total_time=$(FUZZ_SECONDS))

# The same runs each time: for every change, and quick.
fuzz-short: $(FUZZERS) $(B)/fuzz/seeds/image
	@rm -rf $(B)/fuzz/scratch
	$(call fuzz_run,$(B)/fuzz/scratch,-runs=20000 -seed=1 -max_total_time=120)

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

-include $(shell find $(B) -name '*.d' -not -path '$(CACHE)/*' 2>/dev/null)
.PHONY: all run test unit bench fuzz fuzz-short install clean
