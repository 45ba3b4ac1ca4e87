#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the Debian mirror that this machine's apt is set up with, so that what is fetched comes from the same place.
set -eu

mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
		grep -v security | head -n 1
}

command -v apt-get >/dev/null || exit 1
found=$(mirror)
if [ -z "$found" ]; then # its lists may never have been fetched
	$([ "$(id -u)" = 0 ] || echo sudo) apt-get update >/dev/null 2>&1 || true
	found=$(mirror)
fi
[ -n "$found" ] && echo "$found"
