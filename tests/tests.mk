# SPDX-License-Identifier: MIT
# Tests: what they boot, unit tests, fuzzing, and tests that run the command and boards.

PROCESSORS := $(shell nproc)

# The proof that the reader needs nothing but what is listed here.
CORE_NEEDS := memcpy memmove memset memcmp crypto_generichash_blake2b crypto_sign_ed25519_verify_detached \
	crypto_aead_xchacha20poly1305_ietf_decrypt crypto_box_seal_open crypto_scalarmult_curve25519 \
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

# The hypervisor and the runtime of capsules are built with gcc; clang reads them as well, and its warnings are errors too. (The host's sources it
# compiles for fuzzing.)
CLANG_FLAGS := --target=riscv64-unknown-elf -march=rv64imac -mabi=lp64 -mcmodel=medany -ffreestanding -fsyntax-only \
	-isystem /usr/lib/picolibc/riscv64-unknown-elf/include
$(B)/.clang: $(HV_SRC) $(LIBDMFS_CORE) $(CAPSULE_SRC) $(wildcard hypervisor/*/*.h hypervisor/*/*/*.h sdk/capsule/*.h) | $(SOURCES) $(TEST_PACKAGES)
	$(say) CLANG hypervisor
	$(Q)for f in $(HV_SRC) $(LIBDMFS_CORE); do clang $(CLANG_FLAGS) -std=gnu11 $(HV_DEFINES) $(WARN) $(HV_INC) \
		$(HV_ARCH_INC) $(HV_THIRD_INC) $$f || exit 1; done
	$(say) CLANG sdk/capsule
	$(Q)for f in $(CAPSULE_SRC); do clang $(CLANG_FLAGS) -std=gnu11 $(WARN) -isystem $(CACHE)/libfdt/libfdt $$f || exit 1; done
	@touch $@

# --- what tests and examples boot -----------------------------------------------------------------
# Debian's riscv64 kernel, busybox, installer and device trees; tests/guests/fetch.sh lists the files.

GUESTS := $(CACHE)/guests/.complete
INITRAMFS := $(B)/guests/initramfs.gz

$(GUESTS): tests/guests/fetch.sh | $(PACKAGES)
	@tests/guests/fetch.sh guests $(@D) && touch $@

$(INITRAMFS): tests/guests/initramfs.sh tests/guests/archive.sh tests/guests/init $(GUESTS)
	@mkdir -p $(@D)
	@tests/guests/initramfs.sh $(CACHE)/guests/busybox tests/guests/init $@

# A second archive, that goes over the first: htop.
HTOP := $(CACHE)/htop/.complete
HTOP_INITRAMFS := $(B)/guests/htop.gz

$(HTOP): tests/guests/fetch.sh | $(PACKAGES)
	@tests/guests/fetch.sh htop $(@D) && touch $@
$(HTOP_INITRAMFS): tests/guests/archive.sh $(HTOP)
	@mkdir -p $(@D)/htop && cp -a $(dir $(HTOP))root/. $(@D)/htop && ln -sfn usr/lib $(@D)/htop/lib
	@tests/guests/archive.sh $(@D)/htop $@

guests: $(GUESTS) $(INITRAMFS) $(HTOP_INITRAMFS)

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
	@$(QEMU) -M $(firstword $(subst -, ,$*)) $(BOARD) -bios none -M dumpdtb=$@ >$(@D)/$*.log 2>&1 || { cat $(@D)/$*.log; exit 3; }

# --- guests that attack ----------------------------------------------------------------------------
# Each tests/attacks/NAME.c is one, on attack.c and start.S: build/attacks/NAME.bin, raw and position independent.

ATTACK_LIB := attack
ATTACKS := $(patsubst tests/attacks/%.c,$(B)/attacks/%.bin,$(filter-out tests/attacks/$(ATTACK_LIB).c,$(wildcard tests/attacks/*.c)))
ATTACK_CFLAGS := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mno-relax \
	-std=gnu11 -O2 -ffreestanding -fno-jump-tables -msmall-data-limit=0 -fno-tree-loop-distribute-patterns $(WARN)

$(B)/attacks/%.elf: tests/attacks/%.c $(addprefix tests/attacks/,attack.c attack.h start.S link.ld) | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(ATTACK_CFLAGS) -DATTACK_NAME='"$*"' -nostdlib -static -Wl,--no-warn-rwx-segments \
		-T tests/attacks/link.ld \
		-o $@ $< tests/attacks/attack.c tests/attacks/start.S
# Those of tests/scheduling are guests on the same start and library: some work, some die.
SCHEDULING := $(patsubst tests/scheduling/%.c,$(B)/scheduling/%.bin,$(wildcard tests/scheduling/*.c))
$(B)/scheduling/%.elf: tests/scheduling/%.c $(addprefix tests/attacks/,attack.c attack.h start.S link.ld) | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(ATTACK_CFLAGS) -Itests/attacks -DATTACK_NAME='"$*"' -nostdlib -static -Wl,--no-warn-rwx-segments \
		-T tests/attacks/link.ld -o $@ $< tests/attacks/attack.c tests/attacks/start.S
$(B)/scheduling/%.bin: $(B)/scheduling/%.elf
	$(Q)$(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@
$(B)/attacks/%.bin: $(B)/attacks/%.elf
	$(Q)$(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@

# Those of tests/services are more of them, that use the service ABI.
SERVICE_TESTS := $(patsubst tests/services/%.c,$(B)/service-guests/%.bin,$(wildcard tests/services/*.c))
$(B)/service-guests/%.elf: tests/services/%.c sdk/capsule/service_abi.h $(addprefix tests/attacks/,attack.c attack.h start.S link.ld) | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(ATTACK_CFLAGS) -Itests/attacks -Isdk/capsule -DATTACK_NAME='"$*"' -nostdlib -static \
		-Wl,--no-warn-rwx-segments -T tests/attacks/link.ld -o $@ $< tests/attacks/attack.c tests/attacks/start.S
$(B)/service-guests/%.bin: $(B)/service-guests/%.elf
	$(Q)$(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@

# --- guests that look after their state ---------------------------------------------------------------
# Each tests/state/NAME.c is one, on the same runtime, with what touches the floating-point and vector units.

STATE_LIB := tests/state/units.c tests/state/registers.S
STATES := $(patsubst tests/state/%.c,$(B)/state/%.bin,$(filter-out $(STATE_LIB),$(wildcard tests/state/*.c)))

$(B)/state/%.elf: tests/state/%.c $(STATE_LIB) tests/state/units.h $(addprefix tests/attacks/,attack.c attack.h start.S link.ld) | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(ATTACK_CFLAGS) -DATTACK_NAME='"$*"' -nostdlib -static -Wl,--no-warn-rwx-segments \
		-T tests/attacks/link.ld \
		-o $@ $< $(STATE_LIB) tests/attacks/attack.c tests/attacks/start.S
$(B)/state/%.bin: $(B)/state/%.elf
	$(Q)$(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@

# --- programs on the runtime ------------------------------------------------------------------------
# Built as a service outside the tree is.

CAPSULE_CHECK := $(B)/capsule/check/check.elf
$(CAPSULE_CHECK): $(wildcard tests/capsule/*) $(CAPSULE_SDK)
	$(say) MAKE $@
	$(Q)$(MAKE) --no-print-directory -s -C tests/capsule CAPSULE_OUT=$(abspath $(@D)) DIOSIX=$(abspath $(SDK))

# --- guests that check --------------------------------------------------------------------------------
# tests/conformance, one guest of all its files, built as those above are: build/conformance/sbi.bin.

CONFORMANCE_SRC := $(wildcard tests/conformance/*.c) tests/conformance/start.S
CONFORMANCE := $(B)/conformance/sbi.bin
$(B)/conformance/sbi.elf: $(CONFORMANCE_SRC) tests/conformance/guest.h tests/attacks/link.ld | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(ATTACK_CFLAGS) -nostdlib -static -Wl,--no-warn-rwx-segments -T tests/attacks/link.ld \
		-o $@ $(CONFORMANCE_SRC)
$(B)/conformance/%.bin: $(B)/conformance/%.elf
	$(Q)$(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@

# --- guests that measure ---------------------------------------------------------------------------
# Each tests/bench/NAME.c is one, on bench.c and start.S: build/bench/NAME.bin, built and loaded like an attack.

BENCH_LIB := bench
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%.bin,$(filter-out tests/bench/$(BENCH_LIB).c,$(wildcard tests/bench/*.c)))
OPENSBI := $(CACHE)/opensbi/.complete

$(OPENSBI): tests/guests/fetch.sh | $(PACKAGES)
	@tests/guests/fetch.sh opensbi $(@D) && touch $@

$(B)/bench/%.elf: tests/bench/%.c $(addprefix tests/bench/,bench.c bench.h start.S) tests/attacks/link.ld | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(ATTACK_CFLAGS) -nostdlib -static -Wl,--no-warn-rwx-segments -T tests/attacks/link.ld \
		-o $@ $< tests/bench/bench.c tests/bench/start.S
$(B)/bench/%.bin: $(B)/bench/%.elf
	$(Q)$(CROSS)objcopy -O binary --set-section-flags .bss=alloc,load,contents $< $@

# --- unit tests, under the sanitizers ------------------------------------------------------------
# Everything that can run on a host goes into one archive; each tests/unit/test_*.c is a program. The hypervisor's
# core/ and guest/ are compiled against arch/fake.

HV_TESTABLE := $(filter-out $(addprefix hypervisor/core/,boot.c loader.c unpack.c trust.c library_needs.c),\
	$(wildcard hypervisor/core/*.c hypervisor/guest/*.c)) hypervisor/arch/fake/fake.c
HOST_TESTABLE := $(LIBDMFS_SRC) $(filter-out sdk/cli/main.c,$(SDK_SRC)) $(BOARD_SRC) \
	$(HV_TESTABLE) sdk/capsule/words.c sdk/capsule/machine.c
FAKE_INC := -Ihypervisor/include -Ihypervisor/core -Ihypervisor/guest -Ihypervisor/arch/fake -Isdk/dtgen -Isdk/capsule \
	-DDIOSIX_VERSION_NUMBER=$(VERSION_NUMBER)
SANITIZE := -fsanitize=address,undefined
ASAN_CFLAGS := $(HOST_CFLAGS) $(FAKE_INC) -O1 $(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_OBJ := $(patsubst %.c,$(B)/asan/%.o,$(HOST_TESTABLE))
FORGE_OBJ := $(B)/asan/tests/unit/forge.o
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

$(B)/asan/%.o: %.c | $(TEST_PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ASAN_CFLAGS) -c -o $@ $<

$(B)/libtest.a: $(ASAN_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

define link_asan
$(say) LD $@
$(Q)mkdir -p $(@D) && $(CC) $(SANITIZE) -o $@ $^ $(HOST_LIBS) -lcmocka
endef

# The console service, on a board that is faked by its calls.
CONSOLE_SRC := $(filter-out services/console/main.c,$(wildcard services/console/*.c)) tests/unit/fake_board.c
CONSOLE_OBJ := $(patsubst %.c,$(B)/asan/%.o,$(CONSOLE_SRC))
$(CONSOLE_OBJ) $(B)/asan/tests/unit/test_console_%.o: ASAN_CFLAGS += -Iservices/console
$(B)/unit/test_console_%: $(B)/asan/tests/unit/test_console_%.o $(CONSOLE_OBJ) $(B)/asan/sdk/common/suggest.o $(B)/asan/sdk/libdmfs/names.o
	$(link_asan)
# Tests of images share a forger of them.
$(B)/unit/test_dmfs_%: $(B)/asan/tests/unit/test_dmfs_%.o $(FORGE_OBJ) $(B)/libtest.a
	$(link_asan)
$(B)/unit/%: $(B)/asan/tests/unit/%.o $(B)/libtest.a
	$(link_asan)
$(B)/asan/dmfs: $(B)/asan/sdk/cli/main.o $(B)/libtest.a
	$(link_asan)
# Makes the images of tests/golden, and checks them all with the reader of the host before it ends.
GOLDEN := $(wildcard tests/golden/*.txt)
$(B)/forge-images: $(B)/asan/tests/tools/forge_images.o $(FORGE_OBJ) $(B)/libtest.a
	$(link_asan)
# docs/boards.md has the table that this prints.
$(B)/boards: $(B)/asan/tests/tools/boards.o $(B)/libtest.a
	$(link_asan)

boards-table: $(B)/boards $(QEMU_DTBS) $(GUESTS)
	@$(B)/boards $(QEMU_DTBS) $(CACHE)/guests/dtb/*.dtb

unit-built: $(UNIT) $(B)/.libdmfs-freestanding $(B)/.clang $(QEMU_DTBS) $(GUESTS)
unit: unit-built
	@set -e; for t in $(UNIT); do echo "== $$t"; $$t; done

# --- fuzzing -------------------------------------------------------------------------------------
# Each tests/fuzz/fuzz_NAME.c is a libFuzzer target over the sources that ship, libfdt's and zlib's among them. It begins
# with the files of tests/fuzz/corpus/NAME and build/fuzz/seeds/NAME, as far as there are any; what it finds interesting
# stays in build/fuzz/corpus/NAME, what breaks it in build/fuzz.
#
# Built twice: build/fuzz under the sanitizers, leaks included; build/fuzz/plain without them, for then the memory that a run
# takes is that of the program, and may be MEMORY_MB at most.

FUZZ_SECONDS ?= 60
FUZZ_RUNS ?=
FUZZ_LIMIT = $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS))
FUZZ_MEMORY_MB := 64
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_ONLY ?= $(FUZZ_NAMES)
# Bytes of an input: as many as make a difference.
FUZZ_LEN := keys=256 control=4096 tree=4608 board=8192 manifest=8192 image=16384 verifier=16384 attach=16384
FUZZ_CFLAGS := $(HOST_CFLAGS) $(FAKE_INC) -O1 -fsanitize=fuzzer-no-link
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZERS := $(patsubst %,$(B)/fuzz/fuzz_%,$(FUZZ_NAMES))
SEEDS := $(patsubst %,$(B)/fuzz/seeds/%,image verifier attach manifest keys board tree kernel)
FUZZ_SRC := $(HOST_TESTABLE) tests/unit/forge.c tests/fuzz/images.c
# Not under -fsanitize=undefined: they are others', and shift as they please.
FUZZ_THIRD := $(patsubst %,$(CACHE)/libfdt/libfdt/fdt%.c,_addresses _check _empty_tree _overlay _ro _rw _strerror _sw _wip) \
	$(CACHE)/libfdt/libfdt/fdt.c $(patsubst %,$(CACHE)/zlib/%.c,inflate inffast inftrees adler32 zutil)

$(B)/fuzz/obj/%.o: %.c | $(SOURCES) $(TEST_PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)clang $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) -c -o $@ $<
$(B)/fuzz/plain/obj/%.o: %.c | $(SOURCES) $(TEST_PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)clang $(FUZZ_CFLAGS) -c -o $@ $<
$(B)/fuzz/obj/$(CACHE)/%.o: $(SOURCES) | $(TEST_PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)clang -O1 -g -w -D_GNU_SOURCE -fsanitize=fuzzer-no-link,address -I$(dir $(CACHE)/$*) -c -o $@ $(CACHE)/$*.c
$(B)/fuzz/plain/obj/$(CACHE)/%.o: $(SOURCES) | $(TEST_PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)clang -O1 -g -w -D_GNU_SOURCE -fsanitize=fuzzer-no-link -I$(dir $(CACHE)/$*) -c -o $@ $(CACHE)/$*.c

FUZZ_OBJ = $(patsubst %.c,$(1)/obj/%.o,$(FUZZ_SRC) $(FUZZ_THIRD))
$(B)/fuzz/libtest.a: $(call FUZZ_OBJ,$(B)/fuzz)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(B)/fuzz/plain/libtest.a: $(call FUZZ_OBJ,$(B)/fuzz/plain)
	@rm -f $@
	$(Q)ar rcs $@ $^

# The console service is a program of its own: nothing of the rest is linked.
FUZZ_CONSOLE := $(CONSOLE_SRC) tests/fuzz/fuzz_control.c sdk/common/suggest.c sdk/libdmfs/names.c
$(foreach f,$(CONSOLE_SRC) tests/fuzz/fuzz_control.c,$(B)/fuzz/obj/$(f:.c=.o) $(B)/fuzz/plain/obj/$(f:.c=.o)): FUZZ_CFLAGS += -Iservices/console
$(B)/fuzz/fuzz_control: $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_CONSOLE))
	$(say) LD $@
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^
$(B)/fuzz/plain/fuzz_control: $(patsubst %.c,$(B)/fuzz/plain/obj/%.o,$(FUZZ_CONSOLE))
	$(say) LD $@
	$(Q)clang -fsanitize=fuzzer -o $@ $^
$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(B)/fuzz/libtest.a
	$(say) LD $@
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(HOST_LIBS)
$(B)/fuzz/plain/fuzz_%: $(B)/fuzz/plain/obj/tests/fuzz/fuzz_%.o $(B)/fuzz/plain/libtest.a
	$(say) LD $@
	$(Q)clang -fsanitize=fuzzer -o $@ $^ $(HOST_LIBS)

$(B)/fuzz/seeds/image: $(B)/forge-images $(GOLDEN)
	@mkdir -p $@
	@$< $@ tests/golden >/dev/null
	@rm $@/expect.txt && touch $@
$(B)/fuzz/seeds/verifier: $(B)/fuzz/seeds/image
	@mkdir -p $@ && cp $</*.dmfs $@ && touch $@
# A signature of zeros, and an image.
$(B)/fuzz/seeds/attach: $(B)/fuzz/seeds/image
	@mkdir -p $@
	@for f in $</*.dmfs; do { head -c 64 /dev/zero; cat $$f; } >$@/$${f##*/}; done
	@touch $@
$(B)/fuzz/seeds/manifest: $(wildcard manifests/bad/*.yaml)
	@mkdir -p $@ && cp $^ $@ && touch $@
# Keys and overlays are of no use to anybody: each is made here.
$(B)/fuzz/seeds/keys: $(B)/dmfs
	@rm -rf $@ && mkdir -p $@ && $< keygen -q $@/a && touch $@
# QEMU's trees are mostly room to grow: without it.
$(B)/fuzz/seeds/board: $(QEMU_DTBS)
	@mkdir -p $@
	@for f in $^; do dtc -q -I dtb -O dtb -o $@/$${f##*/} $$f || exit 1; done
	@touch $@
$(B)/fuzz/seeds/tree: $(wildcard tests/fuzz/*.dtso) $(B)/fuzz/seeds/board
	@mkdir -p $@ && cp $(B)/fuzz/seeds/board/virt.dtb $@
	@for f in $(filter %.dtso,$^); do dtc -q -@ -I dts -O dtb -o $@/$$(basename $$f .dtso).dtbo $$f || exit 1; done
	@touch $@
# The beginning of a program of each kind.
$(B)/fuzz/seeds/kernel: $(addprefix $(B)/attacks/hog-the-hart.,elf bin) $(GUESTS)
	@mkdir -p $@
	@cp $(B)/attacks/hog-the-hart.elf $(B)/attacks/hog-the-hart.bin $@
	@head -c 4096 $(CACHE)/guests/vmlinux >$@/linux && gzip -9 <$@/linux >$@/linux.gz && touch $@

# fuzz_run: PROGRAMS DIRECTORY OPTIONS AT_ONCE; runs all targets, each with DIRECTORY/NAME for what it finds.
fuzz_run = @printf '%s\n' $(FUZZ_ONLY) | FUZZ_LEN="$(FUZZ_LEN)" xargs -P $(4) -I NAME tests/fuzz/run.sh NAME $(1) $(2) $(B) $(3)

fuzz: $(FUZZERS) $(SEEDS)
	$(call fuzz_run,$(B)/fuzz,$(B)/fuzz/corpus,$(FUZZ_LIMIT),1)

# The same without sanitizers, and with a limit on memory.
fuzz-memory: $(patsubst %,$(B)/fuzz/plain/fuzz_%,$(FUZZ_NAMES)) $(SEEDS)
	$(call fuzz_run,$(B)/fuzz/plain,$(B)/fuzz/plain/corpus,$(FUZZ_LIMIT) -rss_limit_mb=$(FUZZ_MEMORY_MB),1)

# The same runs each time: for every change, and quick.
fuzz-short-built: $(FUZZERS) $(SEEDS)
fuzz-short: fuzz-short-built
	@rm -rf $(B)/fuzz/scratch
	$(call fuzz_run,$(B)/fuzz,$(B)/fuzz/scratch,-runs=20000 -seed=1 -max_total_time=120,$(PROCESSORS))

# --- everything ----------------------------------------------------------------------------------
# Tests that run the command and boot boards are pytest's; its summary is the last thing printed. First all is built, by
# all processors, or as many as -j says; then one stage comes after the other, for those that measure.

TEST_STAGES := unit fuzz-short system
test:
	@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(PROCESSORS)) all $(TEST_STAGES:%=%-built)
	@set -e; for stage in $(TEST_STAGES); do $(MAKE) --no-print-directory $$stage; done

# Each example builds by its own Makefile, as it would outside this tree. That of the library needs it installed, which
# its test does.
EXAMPLES := $(filter-out examples/libdmfs-reader,$(patsubst %/Makefile,%,$(wildcard examples/*/Makefile)))
examples: $(CAPSULE_SDK) | $(PACKAGES)
	@for e in $(EXAMPLES); do $(MAKE) --no-print-directory -s -C $$e || exit 1; done

# So many workers of pytest's; with 0 one test comes after the other. tests/conftest.py says which tests run beside others.
TEST_JOBS ?= $(PROCESSORS)

TESTED := $(INSTALLED) $(B)/asan/dmfs $(B)/forge-images $(B)/boards $(INITRAMFS) $(HTOP_INITRAMFS) $(QEMU_DTBS) \
	$(ATTACKS) $(SCHEDULING) $(SERVICE_TESTS) $(STATES) $(CONFORMANCE) $(BENCHES) $(CAPSULE_CHECK)
system-built: $(TESTED) examples | $(TEST_PACKAGES)
system: system-built
	@$(PYTHON) -m pytest -q -rs -p no:cacheprovider -n $(TEST_JOBS) --dist loadgroup tests

# --- pictures ---------------------------------------------------------------------------------------
# The screens of docs/console.md, each from a board that runs manifests/console.yaml.

pictures: $(B)/dmfs $(B)/diosix.elf services $(INITRAMFS) examples | $(TEST_PACKAGES)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/draw_console.py

# --- figures ---------------------------------------------------------------------------------------
# docs/performance.md explains them; build/bench.json has them for programs.

bench: $(B)/dmfs $(B)/diosix.elf $(BENCHES) $(INITRAMFS) $(OPENSBI) | $(TEST_PACKAGES)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench.py
bench-host: $(B)/dmfs $(GUESTS) | $(TEST_PACKAGES)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench.py host

.PHONY: test $(TEST_STAGES:%=%-built) bench bench-host pictures unit fuzz fuzz-memory fuzz-short system examples guests boards-table
