# SPDX-License-Identifier: MIT
# The library as others use it, manual pages and completions, installation, Debian packages.

LIBDIR ?= $(PREFIX)/lib
LIBDMFS_SO := $(B)/libdmfs.so.$(VERSION)
LIBDMFS_OBJ := $(patsubst %.c,$(B)/host/%.o,$(LIBDMFS_SRC))
LIBDMFS_PIC := $(patsubst %.c,$(B)/pic/%.o,$(LIBDMFS_SRC))
INSTALLED := $(B)/dmfs $(B)/diosix.elf $(LIBDMFS_SO) $(B)/libdmfs.a $(B)/.manual $(CAPSULE_SDK) $(SERVICES)

$(B)/pic/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(HOST_CFLAGS) $(HARDEN) -fPIC -c -o $@ $<

$(LIBDMFS_SO): $(LIBDMFS_PIC) sdk/libdmfs/libdmfs.map
	$(say) LD $@
	$(Q)$(CC) -shared -o $@ $(LIBDMFS_PIC) -Wl,-soname,libdmfs.so.0 -Wl,--version-script=sdk/libdmfs/libdmfs.map \
		-Wl,-z,defs -Wl,-z,relro,-z,now -Wl,--as-needed -lsodium -lz -ldeflate -pthread

$(B)/libdmfs.a: $(LIBDMFS_OBJ)
	@rm -f $@
	$(Q)ar rcsD $@ $^

# The command writes its own manual and completions.
$(B)/.manual: $(B)/dmfs
	@rm -rf $(B)/man && mkdir -p $(B)/man $(B)/completion
	$(say) MAN $(B)/man
	$(Q)$< help --man >$(B)/man/dmfs.1
	$(Q)for c in $$($< help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do $< help --man $$c >$(B)/man/dmfs-$$c.1 || exit 1; done
	$(Q)for s in bash zsh fish; do $< help --completion $$s >$(B)/completion/$$s || exit 1; done
	@touch $@

# Paths are the installer's wish, so this is written each time.
pkg-config-file:
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' sdk/libdmfs/libdmfs.pc.in \
		>$(B)/libdmfs.pc

install uninstall: $(INSTALLED) pkg-config-file
	$(Q)DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' ZSHDIR='$(ZSHDIR)' sdk/packaging/install.sh $@ $(B) $(VERSION)

deb: $(INSTALLED)
	$(Q)MAKE='$(MAKE)' RELEASE_DATE='$(RELEASE_DATE)' sdk/packaging/deb.sh $(B) $(VERSION) $(CACHE) $(CROSS)

.PHONY: pkg-config-file install uninstall deb
