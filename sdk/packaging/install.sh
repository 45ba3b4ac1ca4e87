#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh install|uninstall BUILD VERSION: puts what was built under $DESTDIR$PREFIX, libraries under $LIBDIR, or takes
# exactly that away again. One table serves both.
set -eu
action=$1 build=$2 version=$3
: "${DESTDIR=}" "${PREFIX:=/usr/local}"
: "${LIBDIR:=$PREFIX/lib}" "${ZSHDIR:=$PREFIX/share/zsh/site-functions}" "${DOCDIR:=$PREFIX/share/doc/diosix}"

# MODE SOURCE TARGET; mode "link": TARGET becomes a symbolic link to SOURCE.
table() {
	cat <<-END
		755 $build/dmfs $PREFIX/bin/dmfs
		644 $build/diosix.elf $PREFIX/lib/diosix/diosix.elf
		644 $build/libdmfs.so.$version $LIBDIR/libdmfs.so.$version
		link libdmfs.so.$version $LIBDIR/libdmfs.so.0
		link libdmfs.so.0 $LIBDIR/libdmfs.so
		644 $build/libdmfs.a $LIBDIR/libdmfs.a
		644 $build/libdmfs.pc $LIBDIR/pkgconfig/libdmfs.pc
		644 sdk/libdmfs/dmfs.h $PREFIX/include/dmfs.h
		644 sdk/libdmfs/dmfs_write.h $PREFIX/include/dmfs_write.h
		644 $build/sdk/share/diosix/capsule.mk $PREFIX/share/diosix/capsule.mk
		644 $build/completion/bash $PREFIX/share/bash-completion/completions/dmfs
		644 $build/completion/zsh $ZSHDIR/_dmfs
		644 $build/completion/fish $PREFIX/share/fish/vendor_completions.d/dmfs.fish
		644 sdk/mkdmfs/manifest.schema.json $PREFIX/share/diosix/schemas/manifest.schema.json
	END
	for file in diosix.h service_abi.h; do echo "644 $build/sdk/include/diosix/$file $PREFIX/include/diosix/$file"; done
	for file in libcapsule.a link.ld; do
		echo "644 $build/sdk/lib/diosix/capsule/$file $PREFIX/lib/diosix/capsule/$file"
	done
	for file in "$build"/services/*.elf; do echo "644 $file $PREFIX/lib/diosix/services/${file##*/}"; done
	for file in docs/schemas/*.json; do echo "644 $file $PREFIX/share/diosix/schemas/${file##*/}"; done
	for file in "$build"/man/*.1; do echo "644 $file $PREFIX/share/man/man1/${file##*/}"; done
	for file in README.md docs/*.md; do echo "644 $file $DOCDIR/${file##*/}"; done
}

table | while read -r mode source target; do
	case $action:$mode in
	uninstall:*) rm -f "$DESTDIR$target" ;;
	install:link) mkdir -p "$DESTDIR${target%/*}" && ln -sf "$source" "$DESTDIR$target" ;;
	install:*) install -D -m "$mode" "$source" "$DESTDIR$target" ;;
	esac
done
# Folders of our own; those of others stay, empty or not.
if [ "$action" = uninstall ]; then
	for folder in "$PREFIX/lib/diosix/services" "$PREFIX/lib/diosix/capsule" "$PREFIX/lib/diosix" "$PREFIX/include/diosix" "$PREFIX/share/diosix/schemas" "$PREFIX/share/diosix" "$DOCDIR"; do
		rmdir "$DESTDIR$folder" 2>/dev/null || true
	done
fi
