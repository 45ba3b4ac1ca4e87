#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one fuzzer: run.sh NAME PROGRAMS FOUND BUILD OPTION...
# FUZZ_LEN has lengths of inputs, NAME=BYTES each. What is said comes at the end, for others may run at the same time.
set -e
name=$1 program=$2/fuzz_$1 found=$3/$1 log=$3/$1.log build=$4
shift 4

mkdir -p "$found"
for folder in "tests/fuzz/corpus/$name" "$build/fuzz/seeds/$name"; do
	if [ -d "$folder" ]; then
		begin_with="$begin_with $folder"
	fi
done
if [ -f "tests/fuzz/$name.dict" ]; then
	set -- "$@" "-dict=tests/fuzz/$name.dict"
fi
len=65536
for each in $FUZZ_LEN; do
	if [ "${each%=*}" = "$name" ]; then
		len=${each#*=}
	fi
done
# shellcheck disable=SC2086 # names of folders, without spaces
if ! "$program" "$@" "-max_len=$len" -print_final_stats=1 "-artifact_prefix=$build/fuzz/" "$found" $begin_with >"$log" 2>&1; then
	echo "== $program"
	tail -n 40 "$log"
	exit 255 # no further one begins
fi
echo "== $program
$(grep -E 'number_of_executed_units|peak_rss_mb' "$log")"
