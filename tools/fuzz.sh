#!/bin/bash
# Builds the libFuzzer programs and runs each for a while from its corpus; new finds stay in build/.
#
#   tools/fuzz.sh build JOBS
#   tools/fuzz.sh smoke JOBS SECONDS     ends with `N targets survived` or names the input that did not
set -euo pipefail
cd "$(dirname "$0")/.."
mode=$1 jobs=$2 seconds=${3:-60}
say() { printf 'fuzz: %s\n' "$*"; }

flags=(-Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1
    "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all")
mkdir -p build
if [ -f build/fuzz/build.ninja ]; then
    meson setup --reconfigure build/fuzz >build/fuzz.log 2>&1 || { tail -n 30 build/fuzz.log && exit 1; }
else
    CC=clang meson setup build/fuzz "${flags[@]}" >build/fuzz.log 2>&1 || { tail -n 30 build/fuzz.log && exit 1; }
fi
mapfile -t names < <(find fuzz -maxdepth 1 -name '*.c' -not -name replay.c -printf '%f\n' | sed 's/\.c$//' | sort)
[ ${#names[@]} -gt 0 ] || { say "there are no targets" && exit 1; }
ninja -C build/fuzz -j "$jobs" "${names[@]/#/fuzz/fuzz_}"
[ "$mode" = smoke ] || exit 0

export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# One target: found inputs go to build/fuzz/found/NAME, a crashing one to build/fuzz/crash-NAME-*.
one() {
    local name=$1 dirs=(build/fuzz/found/"$1")
    mkdir -p "${dirs[0]}"
    [ ! -d "fuzz/corpus/$name" ] || dirs+=("fuzz/corpus/$name")
    if "build/fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crash-$name-" "${dirs[@]}" >"build/fuzz/$name.log" 2>&1; then
        printf 'ok   %-16s %s runs\n' "$name" "$(awk '/number_of_executed_units/ { print $2 }' "build/fuzz/$name.log")"
    else
        tail -n 60 "build/fuzz/$name.log"
        printf 'FAIL %-16s see build/fuzz/crash-%s-*\n' "$name" "$name"
        return 1
    fi
}
export -f one
export seconds
say "${#names[@]} targets, $seconds s each, $jobs at a time"
printf '%s\0' "${names[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'one "$0"' || { say "FAILED" && exit 1; }
say "${#names[@]} targets survived"
