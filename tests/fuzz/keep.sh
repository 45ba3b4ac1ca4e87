#!/bin/sh
# SPDX-License-Identifier: MIT
# keep.sh TARGET BYTES: what build/fuzz/corpus/TARGET has found and build/fuzz/seeds/TARGET does not reach, as small inputs, at most so
# many bytes together: tests/fuzz/corpus/TARGET anew.
set -eu
target=$1 left=$2
kept=tests/fuzz/corpus/$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/all" "$work/small" "$work/merged"
cp build/fuzz/seeds/"$target"/* "$work/all"
find build/fuzz/corpus/"$target" -type f -size -2k -exec cp -t "$work/small" {} +
# libFuzzer takes into the first folder what adds to it, the smallest ones first.
build/fuzz/fuzz_"$target" -merge=1 "$work/merged" "$work/all" >/dev/null 2>&1
before=$(ls "$work/merged")
build/fuzz/fuzz_"$target" -merge=1 "$work/merged" "$work/small" >/dev/null 2>&1
rm -rf "$kept"
mkdir -p "$kept"
for file in $(ls -rS "$work/merged"); do
	case $before in *"$file"*) continue ;; esac
	size=$(wc -c <"$work/merged/$file")
	[ "$size" -le "$left" ] || break
	left=$((left - size))
	cp "$work/merged/$file" "$kept"
done
