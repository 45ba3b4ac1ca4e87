# SPDX-License-Identifier: MIT
# The runtime, without the C library that it stands on, as programs use it, laid out as it is installed: build/sdk/{include,lib,share}. It is built by the fragment's own flags.

SDK := $(B)/sdk
CAPSULE_LIB := $(SDK)/lib/diosix/capsule
CAPSULE_HEADERS := $(addprefix $(SDK)/include/diosix/,diosix.h service_abi.h)
CAPSULE_SRC := $(wildcard sdk/capsule/*.c)
CAPSULE_FDT := $(patsubst %,$(B)/capsule/fdt/%.o,fdt fdt_ro fdt_addresses)
CAPSULE_BUILD := --specs=picolibc.specs -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mstrict-align -msmall-data-limit=0 \
	-ffunction-sections -fdata-sections -std=gnu11 -Os -g -DPICOLIBC_INTEGER_PRINTF_SCANF -isystem $(CACHE)/libfdt/libfdt -MMD -MP

$(B)/capsule/fdt/%.o: $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(CAPSULE_BUILD) -w -c -o $@ $(CACHE)/libfdt/libfdt/$*.c
$(B)/capsule/%.o: sdk/capsule/%.c | $(SOURCES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(CAPSULE_BUILD) $(WARN) -c -o $@ $<
$(B)/capsule/start.o: sdk/capsule/start.S sdk/capsule/offsets.h | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS)gcc $(CAPSULE_BUILD) -c -o $@ $<
$(CAPSULE_LIB)/libcapsule.a: $(B)/capsule/start.o $(patsubst sdk/capsule/%.c,$(B)/capsule/%.o,$(CAPSULE_SRC)) $(CAPSULE_FDT)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(CROSS)ar rcsD $@ $^
$(CAPSULE_LIB)/%: sdk/capsule/%
	@mkdir -p $(@D) && cp $< $@
$(SDK)/include/diosix/%: sdk/capsule/%
	@mkdir -p $(@D) && cp $< $@
$(SDK)/share/diosix/%: sdk/capsule/%
	@mkdir -p $(@D) && cp $< $@

# All that a program is built with.
CAPSULE_SDK := $(CAPSULE_HEADERS) $(addprefix $(CAPSULE_LIB)/,libcapsule.a link.ld) $(SDK)/share/diosix/capsule.mk
sdk: $(CAPSULE_SDK)
.PHONY: sdk
