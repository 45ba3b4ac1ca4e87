#!/bin/sh
# SPDX-License-Identifier: MIT
# deb.sh BUILD VERSION CACHE CROSS: three Debian packages from an installation under BUILD/deb, left in BUILD. The same
# inputs give the same bytes. DEBFULLNAME and DEBEMAIL say who maintains them, as for Debian's own tools.
set -eu
build=$1 version=$2 cache=$3 cross=$4
maintainer="${DEBFULLNAME:-The Diosix authors} <${DEBEMAIL:-diosix@packages.example.org}>"
arch=$(dpkg --print-architecture)
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
root=$build/deb
tree=$root/tree
lib=/usr/lib/$multiarch
: "${SOURCE_DATE_EPOCH:=$(date -u -d "$RELEASE_DATE" +%s)}"
export SOURCE_DATE_EPOCH
umask 022

# move PACKAGE PATH...: from the installation to the package.
move() {
	package=$root/$1
	shift
	for path; do
		mkdir -p "$package${path%/*}"
		mv "$tree$path" "$package${path%/*}/"
	done
}

# Texts that every package has.
documents() {
	doc=$root/$1/usr/share/doc/$1
	mkdir -p "$doc"
	{
		cat <<-END
			Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
			Upstream-Name: diosix

			Files: *
			Copyright: 2026 The Diosix authors
			License: MIT
		END
		if [ "$1" = diosix-sdk ]; then
			cat <<-END
				Comment:
				 /usr/lib/diosix/diosix.elf contains parts of libsodium, zlib, libfdt and picolibc, and
				 /usr/lib/diosix/capsule/libcapsule.a of libfdt, under licences of their own, which are in /usr/share/doc/diosix-sdk/third-party.
			END
		fi
		printf '\nLicense: MIT\n'
		sed -n '/^Permission/,$p' LICENSE | sed 's/^$/./; s/^/ /'
	} >"$doc/copyright"
	printf 'diosix (%s) unstable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n' "$version" "$version" \
		"$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
}

# What its programs and libraries need, as dpkg finds out.
needs() {
	mkdir -p "$root/debian"
	printf 'Source: diosix\n\nPackage: x\nArchitecture: any\n' >"$root/debian/control"
	(cd "$root" && dpkg-shlibdeps -O --ignore-missing-info "$@" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
}

# control PACKAGE SECTION DEPENDS RECOMMENDS SYNOPSIS, and the description on standard input; then the package itself.
finish() {
	mkdir -p "$root/$1/DEBIAN"
	{
		printf 'Package: %s\nSource: diosix\nVersion: %s\nArchitecture: %s\n' "$1" "$version" "$arch"
		printf 'Maintainer: %s\nInstalled-Size: %s\n' "$maintainer" "$(du -sk --exclude=DEBIAN "$root/$1" | cut -f1)"
		printf 'Depends: %s\n' "$3"
		[ -z "$4" ] || printf 'Recommends: %s\n' "$4"
		[ "$1" = diosix-sdk ] || printf 'Multi-Arch: same\n'
		printf 'Section: %s\nPriority: optional\nDescription: %s\n' "$2" "$5"
		sed 's/^/ /'
	} >"$root/$1/DEBIAN/control"
	(cd "$root/$1" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z |
		xargs -0 md5sum >DEBIAN/md5sums)
	find "$root/$1" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$root/$1" "$build/$1_${version}_$arch.deb" >/dev/null
	echo "$build/$1_${version}_$arch.deb"
}

rm -rf "$root"
mkdir -p "$root"
"${MAKE:-make}" --no-print-directory -s install DESTDIR="$tree" PREFIX=/usr LIBDIR="$lib" ZSHDIR=/usr/share/zsh/vendor-completions
find "$tree/usr/share/man" -name '*.1' -exec gzip -9n {} +
strip --remove-section=.comment "$tree/usr/bin/dmfs"
strip --strip-unneeded --remove-section=.comment "$tree$lib/libdmfs.so.$version"
strip --strip-debug --remove-section=.comment --enable-deterministic-archives "$tree$lib/libdmfs.a"
"${cross}strip" "$tree/usr/lib/diosix/diosix.elf"
"${cross}strip" --strip-debug --enable-deterministic-archives "$tree/usr/lib/diosix/capsule/libcapsule.a"
"${cross}strip" "$tree"/usr/lib/diosix/services/*.elf
chmod 644 "$tree$lib"/libdmfs.so.*

# --- libdmfs0
move libdmfs0 "$lib/libdmfs.so.0" "$lib/libdmfs.so.$version"
mkdir -p "$root/libdmfs0/DEBIAN"
echo "libdmfs 0 libdmfs0 (>= $version)" >"$root/libdmfs0/DEBIAN/shlibs"
echo 'activate-noawait ldconfig' >"$root/libdmfs0/DEBIAN/triggers"
documents libdmfs0
finish libdmfs0 libs "$(needs "libdmfs0$lib/libdmfs.so.$version")" '' 'DMFS images of the Diosix hypervisor, shared library' <<END
libdmfs reads, verifies and writes the signed images that the Diosix
hypervisor for RISC-V boots. It is the code that the hypervisor itself
verifies images with.
END

# --- libdmfs-dev
move libdmfs-dev "$lib/libdmfs.so" "$lib/libdmfs.a" "$lib/pkgconfig" /usr/include/dmfs.h /usr/include/dmfs_write.h
documents libdmfs-dev
finish libdmfs-dev libdevel "libdmfs0 (= $version), libsodium-dev, zlib1g-dev, libdeflate-dev" '' \
	'DMFS images of the Diosix hypervisor, development files' <<END
libdmfs reads, verifies and writes the signed images that the Diosix
hypervisor for RISC-V boots.
.
This package has the headers, the static library and the pkg-config file.
END

# --- diosix-sdk: all that is left
mkdir -p "$root/diosix-sdk"
mv "$tree/usr" "$root/diosix-sdk/"
mv "$root/diosix-sdk/usr/share/doc/diosix" "$root/diosix-sdk/usr/share/doc/diosix-sdk"
# Folders of the other packages are empty now.
find "$root/diosix-sdk" -type d -empty -delete
documents diosix-sdk
third=$root/diosix-sdk/usr/share/doc/diosix-sdk/third-party
mkdir -p "$third"
cp "$cache/libsodium/LICENSE" "$third/libsodium.txt"
cp "$cache/zlib/LICENSE" "$third/zlib.txt"
cp "$cache/libfdt/BSD-2-Clause" "$third/libfdt.txt"
cp /usr/share/doc/picolibc-riscv64-unknown-elf/copyright "$third/picolibc.txt"
chmod 644 "$third"/*
mkdir -p "$root/diosix-sdk/usr/share/lintian/overrides"
cp sdk/packaging/diosix-sdk.lintian-overrides "$root/diosix-sdk/usr/share/lintian/overrides/diosix-sdk"
finish diosix-sdk utils "$(needs diosix-sdk/usr/bin/dmfs)" "qemu-system-misc, make, gcc-riscv64-unknown-elf, picolibc-riscv64-unknown-elf, binutils-riscv64-linux-gnu" \
	'makes, signs and boots images for the Diosix hypervisor' <<END
Diosix is a bare-metal hypervisor for RISC-V, which runs unmodified guests
side by side in hardware-isolated capsules. The command dmfs turns a YAML
manifest into one compressed, signed image of all that a board is to run,
looks into images, and boots them on an emulated board.
.
This package has the command, the hypervisor, the runtime on which services
for it are written in C, and the documentation.
END
rm -rf "$root"
