#!/bin/bash
# Quote verification cold, warm and hot against the floor, on genuine quotes of the shared vectors.
#
# usage: bench/verify.sh BUILD_FOLDER [VECTORS_FOLDER]
set -euo pipefail
build=$(realpath "${1:?usage: bench/verify.sh BUILD_FOLDER [VECTORS_FOLDER]}")
vectors=${2:-../shared/vectors}/tdx
if [ ! -f "$vectors/manifest.tsv" ]; then
    echo "quote verification: skipped, there are no vectors in $vectors"
    exit 0
fi
for id in real-b0c06f000000-v4-b6370194-tcb20260813 real-90c06f000000-v5-d21a11db-tcb20250605; do
    IFS=$'\t' read -r _ quote collateral _ time _ < <(grep "^$id" "$vectors/manifest.tsv")
    echo "quote verification, $id"
    "$build/bench/bench-verify" "$vectors/$quote" "$vectors/$collateral" "$time"
done
