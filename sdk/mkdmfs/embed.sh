#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh FILE...: prints a C table of the files: name, bytes, length.
set -eu
echo 'static const struct embedded_file starter_files[] = {'
for file in "$@"; do
	printf '{"%s", (const unsigned char[]){\n' "${file##*/}"
	od -An -v -tu1 "$file" | sed 's/  *\([0-9][0-9]*\)/\1,/g'
	printf '}, %s},\n' "$(wc -c <"$file")"
done
echo '};'
