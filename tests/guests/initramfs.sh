#!/bin/sh
# SPDX-License-Identifier: MIT
#
# initramfs.sh BUSYBOX INIT OUTPUT: a gzipped initramfs of a static busybox and the script INIT.
# It needs no root: device nodes come from the kernel's devtmpfs.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
usage='usage: initramfs.sh BUSYBOX INIT OUTPUT'
busybox=${1:?$usage} init=${2:?$usage} output=${3:?$usage}

for file in "$busybox" "$init"; do
	[ -f "$file" ] || {
		echo "initramfs: $file is not there" >&2
		exit 3
	}
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
install -m 755 "$busybox" "$root/bin/busybox"
install -m 755 "$init" "$root/init"
ln -s busybox "$root/bin/sh"
chmod 755 "$root"
"$here/archive.sh" "$root" "$output"
