#!/bin/bash
# What `make demo` shows: a gateway and two nodes on this machine, one question answered and verified, the
# same answer with one changed word refused by name, everything stopped. Usage: tools/demo.sh TACIT [PROMPT…]
set -euo pipefail
tacit=$1
shift
question=${*:-What is the capital of France?}
engine=${TACIT_ENGINE:-$("$(dirname "$0")/engine.sh")}
folder=$(mktemp -d "${TMPDIR:-/tmp}/tacit-demo.XXXXXX")
up=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' off=$'\033[0m'; else bold='' off=''; fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }
die() {
    printf 'demo: FAILED: %s\n' "$1" >&2
    tail -n 5 "$folder"/*.log "$folder"/up.out >&2 2>/dev/null || true
    exit 1
}
finish() {
    if [ -n "$up" ] && kill -TERM "$up" 2>/dev/null; then wait "$up" || true; fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

step "Starting a simulated platform, two nodes with their engine, and a gateway"
"$tacit" up --dir "$folder" --engine "$engine" >"$folder/up.out" 2>&1 &
up=$!
for _ in $(seq 1200); do
    [ -f "$folder/up.json" ] && break
    kill -0 "$up" 2>/dev/null || { up= && die "it did not start"; }
    sleep 0.1
done
[ -f "$folder/up.json" ] || die "it was not ready in two minutes"
sed -n '/^  URL/,/^  nodes/p' "$folder/up.out" | head -n 4

step "Asking: $question"
"$tacit" chat --up "$folder" --save "$folder/exchange" --temperature 0 "$question" ||
    die "the answer was not verified"

step "The same exchange, saved, verified again offline"
trust=(--trust-root "$folder/sim/root.pem" --collateral "$folder/sim/collateral.json"
    --gpu-root "$folder/sim/gpu-device-root.pem" --gpu-rim-root "$folder/sim/gpu-rim-root.pem"
    --rim "$folder/sim/gpu-rim")
"$tacit" verify chat "$folder/exchange" --brief "${trust[@]}" >"$folder/verdict" || die "it was refused"
tail -n 1 "$folder/verdict"

step "Now somebody on the way changes one letter of the answer"
python3 - "$folder/exchange/response" <<'PY'
import json, re, sys
with open(sys.argv[1], 'rb') as f:
    data = f.read()
spot = max(m.start(1) for m in re.finditer(rb'"content":"[^"]*?([A-Za-z])', data))
with open(sys.argv[1], 'wb') as f:
    f.write(data[:spot] + bytes([data[spot] ^ 0x01]) + data[spot + 1:])
with open(sys.argv[1], 'rb') as f:
    events = [json.loads(e[6:]) for e in f.read().split(b'\n\n') if e.startswith(b'data: {')]
print('it now reads: ' + ''.join(c['delta'].get('content') or '' for e in events for c in e['choices']))
PY
set +e
"$tacit" verify chat "$folder/exchange" --brief "${trust[@]}"
code=$?
set -e
[ "$code" = 1 ] || die "the changed answer was not refused (exit code $code)"

step "And a server that cannot prove what it is: the simulator's root is not named, Intel's is demanded"
url=$(sed -n 's/.*"url":"\([^"]*\)","model".*/\1/p' "$folder/up.json")
set +e
"$tacit" chat --url "$url" --model pebble --collateral "$folder/sim/collateral.json" "$question" 2>&1 | tail -n 2
code=${PIPESTATUS[0]}
set -e
[ "$code" = 1 ] || die "an unproven server was not refused (exit code $code)"

step "Stopping"
kill -TERM "$up"
wait "$up" || die "it did not stop cleanly"
up=
printf 'demo: done. `%s up` starts it to stay.\n' "$tacit"
