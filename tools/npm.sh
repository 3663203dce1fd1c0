#!/bin/bash
# Fetches an npm package that tests use (tools/npm.pin), checks its integrity, unpacks it into the cache
# without running anything of it, and prints the folder. A second run only prints.
#
#   tools/npm.sh NAME
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
read -r package integrity < <(grep "^$1@" "$here/npm.pin") || {
    echo "npm.sh: $1 is not in tools/npm.pin" >&2
    exit 2
}
cache=${TACIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tacit}/npm
dir=$cache/$package
if [ ! -f "$dir/package.json" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && npm pack --silent --ignore-scripts "$package" >name) || {
        echo "npm.sh: npm could not fetch $package; check the network and npm's settings" >&2
        exit 1
    }
    archive=$work/$(cat "$work/name")
    found=sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
    [ "$found" = "$integrity" ] || {
        echo "npm.sh: $package is not the archive we pinned ($found)" >&2
        exit 1
    }
    tar xzf "$archive" -C "$work"
    rm -rf "$dir"
    mv "$work/package" "$dir"
fi
echo "$dir"
