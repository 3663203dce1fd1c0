#!/bin/sh
# static_lib.sh OUT ARCHIVE…: one archive of one object in which only tacit_* is visible, so that a
# static libtacit cannot collide with names of the program that it is linked into.
set -eu
out=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ld -r --whole-archive "$@" -o "$tmp/tacit.o"
objcopy --wildcard --keep-global-symbol 'tacit_*' "$tmp/tacit.o"
rm -f "$out"
ar rcs "$out" "$tmp/tacit.o"
