# SPDX-License-Identifier: MIT
# The services that ship: each services/NAME is a program on the runtime, built as one outside the tree would be, to
# build/services/NAME.elf.

SERVICES := $(patsubst services/%/Makefile,$(B)/services/%.elf,$(wildcard services/*/Makefile))

$(SERVICES): $(B)/services/%.elf: $(CAPSULE_SDK) $(wildcard services/*/* sdk/common/suggest.* sdk/libdmfs/names.c)
	$(say) MAKE $@
	$(Q)$(MAKE) --no-print-directory -s -C services/$* CAPSULE_OUT=$(abspath $(@D))/$* DIOSIX=$(abspath $(SDK))
	$(Q)cp $(@D)/$*/$*.elf $@
services: $(SERVICES)
.PHONY: services
