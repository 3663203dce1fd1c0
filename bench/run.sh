#!/bin/bash
# What node and gateway cost: the same load on a mock engine directly, through a node, through
# gateway and node. Prints the machine first, for a figure without one means nothing.
#
# usage: bench/run.sh BUILD_FOLDER      SECONDS_EACH=5 CONNECTIONS=16 CHUNKS=64 from the environment
set -euo pipefail
build=$(realpath "${1:?usage: bench/run.sh BUILD_FOLDER}")
seconds=${SECONDS_EACH:-5} connections=${CONNECTIONS:-16} chunks=${CHUNKS:-64}
work=$(mktemp -d "${TMPDIR:-/tmp}/tacit-bench.XXXXXX")
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT

field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): d=d[int(k)] if k.isdigit() else d[k]
print(d)' "$work/up/up.json" "$1"; }
engine_start() { # chunks, sets engine_url
    mkfifo "$work/port.$1"
    "$build/bench/bench-engine" --listen 127.0.0.1:0 --chunks "$1" >"$work/port.$1" &
    pids+=($!)
    read -r port <"$work/port.$1"
    engine_url=http://127.0.0.1:$port
}
up_start() { # engine URL
    "$build/src/tacit" up --dir "$work/up" --engine-url "$1" --model-name mock --nodes 1 >"$work/up.log" 2>&1 &
    up=$!
    for _ in $(seq 300); do
        [ -s "$work/up/up.json" ] && return
        kill -0 "$up" 2>/dev/null || break
        sleep 0.1
    done
    echo "bench: tacit up did not come up:" >&2
    cat "$work/up.log" >&2
    exit 1
}
up_stop() { kill "$up"; wait "$up" || true; rm -rf "$work/up"; }
load() { "$build/bench/bench-load" --seconds "$seconds" --model mock "$@"; }
head_line() { printf '%-14s %9s %8s %9s %9s %9s %9s %9s\n' way req/s errors first50 first99 last50 last99 MB/s; }
three() { # connections
    load --name direct --connections "$1" --url "$engine_url"
    load --name node --connections "$1" --url "$(field nodes.0.url)" --key-file "$work/up/$token"
    load --name gateway+node --connections "$1" --url "$(field url)" --key-file "$(field api_key_file)"
}

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, $(uname -sr)"
echo "all on one machine, load generator and engine included; times in milliseconds"
for set in "$chunks $connections" "1 1"; do
    # shellcheck disable=SC2086
    set -- $set
    engine_start "$1"
    up_start "$engine_url"
    token=$(cd "$work/up" && ls -- *.token 2>/dev/null | head -n 1)
    echo
    echo "$1 chunks an answer, $2 connections, $seconds s each"
    head_line
    three "$2"
    up_stop
done

echo
"$build/bench/bench-gpu"
