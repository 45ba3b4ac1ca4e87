#!/bin/sh
# SPDX-License-Identifier: MIT
#
# archive.sh DIR OUTPUT: DIR as Linux wants an initramfs, a gzipped cpio archive of root's files. The same input gives the same bytes.
set -eu
export LC_ALL=C
usage='usage: archive.sh DIR OUTPUT'
dir=${1:?$usage} output=${2:?$usage}

find "$dir" -exec touch --no-dereference --date=@0 {} +
(cd "$dir" && find . | sort | cpio --quiet --reproducible -R 0:0 -H newc -o) | gzip -9 -n >"$output.part"
mv "$output.part" "$output"
