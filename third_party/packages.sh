#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh LIST: installs those packages of the list, a file beside this one, that are missing, and says so. Silent
# when none is.
set -eu
here=$(dirname "$0")

missing=
for package in $(sed 's/#.*//' "$here/$1"); do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
	*' installed') ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
	echo "packages: apt-get is not here; on this system install what matches:$missing" >&2
	exit 3
}
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "packages: not root and no sudo; as root run: apt-get install$missing" >&2
		exit 3
	}
	sudo=sudo
fi
echo "packages: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 15 "$log" >&2
	echo "packages: apt-get could not install these (its last lines are above):$missing" >&2
	exit 3
fi
