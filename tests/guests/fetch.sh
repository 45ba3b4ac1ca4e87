#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fetch.sh guests|opensbi|htop DIR: puts files from the riscv64 packages of Debian's release after bookworm into
# DIR. `guests` are what tests and examples boot:
#   vmlinux              the kernel as it is packaged (a Linux Image)
#   dtb/*.dtb            the device trees of the boards that this kernel knows
#   busybox              a static binary
#   installer/vmlinux    Debian's installer
#   installer/initrd.gz
# `opensbi` is that release's OpenSBI, which costs are compared with:
#   fw_dynamic.bin
# `htop` is a program that has a terminal for itself, as a root directory:
#   root                 with the libraries that it needs and descriptions of terminals
# All come with
#   versions             the packages and versions that these come from
#
# It needs no root: apt works in a private directory, and nothing is installed. Debian's archive key
# vouches for every package. What is complete is not fetched again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
release=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
what=${1:?usage: fetch.sh guests|opensbi|htop DIR}
dir=${2:?usage: fetch.sh guests|opensbi|htop DIR}

fail() {
	echo "$what: $*" >&2
	exit 3
}

[ -f "$dir/.complete" ] && exit 0
command -v apt-get >/dev/null || fail "apt-get is not here; copy $dir from a machine that has it"
[ -f "$keyring" ] || fail "$keyring is missing; install debian-archive-keyring"

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
work=$dir/work
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/empty"
: >"$work/status"

mirror=$("$here/../../third_party/mirror.sh") || fail "apt knows no Debian mirror; add one to its sources"
echo "deb [arch=riscv64 signed-by=$keyring] $mirror $release main" >"$work/sources.list"

# private COMMAND ARGUMENT...: an apt command over the private directory.
private() {
	command=$1
	shift
	(cd "$work" && "$command" -q -o APT::Sandbox::User=root -o APT::Architecture=riscv64 \
		-o APT::Architectures=riscv64 -o Acquire::Languages=none \
		-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/empty" \
		-o Dir::Etc::preferencesparts="$work/empty" -o Dir::State::lists="$work/lists" \
		-o Dir::State::status="$work/status" -o Dir::Cache="$work" \
		-o Dir::Cache::archives="$work/archives" "$@")
}

# get PACKAGE: unpacks it into $work/root.
get() {
	private apt-get download "$1" >>"$work/log" 2>&1 || {
		tail -n 3 "$work/log" >&2
		fail "apt-get could not download $1 (its last lines are above)"
	}
	rm -rf "$work/root"
	dpkg-deb -x "$work/$1"_*.deb "$work/root" || fail "dpkg-deb could not unpack $1"
	dpkg-deb -f "$work/$1"_*.deb Package Version | sed 's/^[^:]*: //' | paste -s -d ' ' \
		>>"$work/versions"
	rm "$work/$1"_*.deb
}

# take PATTERN FILE: the unpacked file whose path matches becomes $dir/FILE.
take() {
	found=$(find "$work/root" -type f -path "$work/root/$1")
	[ -f "$found" ] || fail "the package has changed: not one file in it matches $1"
	mv "$found" "$dir/$2"
}

fetch_guests() {
	kernel=$(private apt-cache depends linux-image-riscv64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
	[ -n "$kernel" ] || fail "$release on the Debian mirror has no linux-image-riscv64"

	rm -rf "$dir/dtb" "$dir/installer"
	mkdir "$dir/dtb" "$dir/installer"
	get "$kernel"
	take 'boot/vmlinu?-*' vmlinux
	find "$work/root" -path '*/linux-image-*/*.dtb' -exec mv {} "$dir/dtb/" ';'
	get busybox-static
	take '*bin/busybox' busybox
	get debian-installer-13-netboot-riscv64
	take '*/text/*/linux' installer/vmlinux
	take '*/text/*/initrd.gz' installer/initrd.gz
}

fetch_opensbi() {
	get opensbi
	take '*/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin' fw_dynamic.bin
}

# The programs and libraries of a package that htop needs, and the descriptions of terminals, where they belong.
keep() {
	(cd "$work/root" && find . ! -type d '(' -name 'ld-linux*' -o -name 'lib[cm].so.6' -o -name 'libtinfo.so.*' \
		-o -name 'libncursesw.so.*' -o -path './usr/share/terminfo/*' -o -path ./usr/bin/htop ')' \
		-exec cp -a --parents -t "$dir/root" {} +)
}

fetch_htop() {
	rm -rf "$dir/root"
	mkdir "$dir/root"
	for package in libc6 libtinfo6 libncursesw6 ncurses-base htop; do
		get "$package"
		keep
	done
	[ -x "$dir/root/usr/bin/htop" ] || fail "the package has changed: there is no usr/bin/htop in it"
}

echo "$what: fetching from Debian $release for riscv64"
private apt-get update -o APT::Update::Error-Mode=any >"$work/log" 2>&1 || {
	tail -n 3 "$work/log" >&2
	fail "apt-get could not read $release from the Debian mirror (its last lines are above;" \
		"a missing key comes with a newer debian-archive-keyring)"
}
"fetch_$what"

mv "$work/versions" "$dir/versions"
: >"$dir/.complete"
