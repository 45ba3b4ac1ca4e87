# SPDX-License-Identifier: MIT
# Builds $(PROGRAM).elf, a service or bare-metal guest in C on the runtime, from $(SOURCES): .c and .S files. docs/services.md
# has an example. What may be set before this is included:
#   CAPSULE_CFLAGS  more options of the compiler
#   CAPSULE_OUT     where objects and the program go (the current directory)
#   CAPSULE_MARCH   rv64imac_zicsr_zifencei; with rv64gc the hart computes floating point, calls go on passing it in integer registers
#   CAPSULE_PRINTF  integer: printf without %f, smaller; float: with it
#   CAPSULE_STACK   bytes of main's stack (65536)
#   CROSS           prefix of the compiler (riscv64-unknown-elf-); CAPSULE_LD, a linker that knows -pie; CAPSULE_LIBC

DIOSIX_SDK := $(patsubst %/share/diosix/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
DIOSIX_CAPSULE := $(DIOSIX_SDK)/lib/diosix/capsule

CROSS ?= riscv64-unknown-elf-
CAPSULE_LD ?= riscv64-linux-gnu-ld
CAPSULE_OUT ?= .
CAPSULE_MARCH ?= rv64imac_zicsr_zifencei
CAPSULE_PRINTF ?= integer
CAPSULE_STACK ?= 65536
CAPSULE_LIBC ?= /usr/lib/picolibc/riscv64-unknown-elf/lib/rv64imac/lp64/libc.a
CAPSULE_OBJ := $(patsubst %,$(CAPSULE_OUT)/%.o,$(basename $(SOURCES)))
CAPSULE_FLAGS = --specs=picolibc.specs -march=$(CAPSULE_MARCH) -mabi=lp64 -mcmodel=medany -mstrict-align -msmall-data-limit=0 \
	-ffunction-sections -fdata-sections -I$(DIOSIX_SDK)/include/diosix $(if $(filter integer,$(CAPSULE_PRINTF)),-DPICOLIBC_INTEGER_PRINTF_SCANF) -MMD -MP

$(CAPSULE_OUT)/$(PROGRAM).elf: $(CAPSULE_OBJ) $(DIOSIX_CAPSULE)/libcapsule.a $(DIOSIX_CAPSULE)/link.ld
	$(CAPSULE_LD) -pie --no-dynamic-linker --gc-sections -z max-page-size=4096 --no-warn-rwx-segments --build-id=none \
		--defsym=STACK_SIZE=$(CAPSULE_STACK) $(if $(filter integer,$(CAPSULE_PRINTF)),--defsym=vfprintf=__i_vfprintf --defsym=vfscanf=__i_vfscanf) \
		-T $(DIOSIX_CAPSULE)/link.ld -o $@ $(CAPSULE_OBJ) --whole-archive $(DIOSIX_CAPSULE)/libcapsule.a --no-whole-archive \
		--start-group $(CAPSULE_LIBC) $$($(CROSS)gcc -march=rv64imac -mabi=lp64 -print-libgcc-file-name) --end-group
$(CAPSULE_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CROSS)gcc -std=c11 -Os -g -Wall -Wextra $(CAPSULE_FLAGS) $(CAPSULE_CFLAGS) -c -o $@ $<
$(CAPSULE_OUT)/%.o: %.S
	@mkdir -p $(@D)
	$(CROSS)gcc $(CAPSULE_FLAGS) -c -o $@ $<
-include $(CAPSULE_OBJ:.o=.d)
