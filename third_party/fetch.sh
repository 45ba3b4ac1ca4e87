#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fetch.sh DIR: puts the sources of sources.lock, unpacked, into DIR/NAME. What is there and has
# the right hash is not fetched again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: fetch.sh DIR}

fail() {
	echo "fetch: $*" >&2
	exit 3
}

# file_is FILE SHA256
file_is() {
	[ -f "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]
}

mkdir -p "$dir"
sed 's/#.*//' "$here/sources.lock" | while read -r name path hash; do
	[ -n "$name" ] || continue
	archive=$dir/$(basename "$path")
	if ! file_is "$archive" "$hash"; then
		base=$("$here/mirror.sh") || fail "apt knows no Debian mirror; put $(basename "$path") into $dir by hand"
		echo "fetch: $name: $(basename "$path")"
		/usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file \
			"${base%/}/$path" "$archive.part" "SHA256:$hash" >"$dir/fetch.log" 2>&1 || {
			tail -n 3 "$dir/fetch.log" >&2
			fail "$name: could not get $path with hash $hash; put the file into $dir by hand"
		}
		file_is "$archive.part" "$hash" || fail "$name: $path has another hash than sources.lock says"
		mv "$archive.part" "$archive"
		rm -rf "${dir:?}/$name"
	fi
	[ -f "$dir/$name/.unpacked" ] && continue
	rm -rf "${dir:?}/$name"
	mkdir "$dir/$name"
	tar -xf "$archive" -C "$dir/$name" --strip-components 1 || fail "$name: tar could not unpack $archive"
	: >"$dir/$name/.unpacked"
done
