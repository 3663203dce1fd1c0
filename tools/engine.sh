#!/bin/bash
# Builds the pinned llama-server (tools/engine.pin) once, into a cache outside the tree, and prints
# its path. Everything fetched is checked by hash before it is used; the finished server must answer
# a question before it is installed. A second run only checks the digest.
#
#   tools/engine.sh [--print]      --print: the path if it is built, nothing is built
#   TACIT_CACHE=DIR                where the cache is (default ~/.cache/tacit)
#   TACIT_ENGINE_NATIVE=1          for this very CPU instead of a portable baseline
#   TACIT_JOBS=N                   compile jobs (default: one a core)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=engine.pin
. "$here/engine.pin"
model=$here/../share/models/pebble-q8_0.gguf
cache=${TACIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tacit}/engine

say() { printf 'engine: %s\n' "$*" >&2; }
die() {
    say "FAILED: $1"
    say "what to do: $2"
    exit 1
}

cpu_has() {
    local flag
    for flag; do grep -qw -- "$flag" /proc/cpuinfo || return 1; done
}

flags=() cpu=$(uname -m)
if [ "${TACIT_ENGINE_NATIVE:-0}" = 1 ]; then
    cpu=native
    flags=(-DGGML_NATIVE=ON)
elif [ "$cpu" = x86_64 ] && cpu_has avx2 fma bmi2 f16c; then
    cpu=x86-64-v3
    read -ra flags <<<"$ENGINE_X86_64_V3"
elif [ "$cpu" = x86_64 ]; then
    cpu=x86-64-v2
    read -ra flags <<<"$ENGINE_X86_64_V2"
fi
dir=$cache/$ENGINE_TREE-$cpu-b$ENGINE_BUILD

is_built() { [ -x "$dir/llama-server" ] && (cd "$dir" && sha256sum --status -c llama-server.sha256) 2>/dev/null; }

if is_built; then
    echo "$dir/llama-server"
    exit 0
fi
[ "${1:-}" != --print ] || exit 1

for tool in npm git cmake ninja g++ sha512sum flock curl; do
    command -v "$tool" >/dev/null || die "$tool is not installed" "run tools/setup.sh"
done
mkdir -p "$cache"
exec 9>"$cache/.lock"
if ! flock -n 9; then
    say "another build is running, waiting for it"
    flock 9
    if is_built; then
        echo "$dir/llama-server"
        exit 0
    fi
fi
free_mb=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
[ "$free_mb" -ge 1200 ] || die "only $free_mb MB free under $cache" \
    "free 1200 MB there, or set TACIT_CACHE to a folder on a bigger disk"

work=$cache/.build
rm -rf "$work" # left by a run that was killed; the lock is ours
mkdir "$work"
server_pid=
cleanup() {
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work"
# Nothing of the caller's build or git environment may steer this one.
unset CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE MAKEFLAGS

say "1/5 fetching $ENGINE_PACKAGE (35 MB)"
for try in 1 2 3; do
    npm pack --silent --ignore-scripts "$ENGINE_PACKAGE" >npm.out 2>npm.err && break
    tail -n 5 npm.err >&2
    [ "$try" -lt 3 ] || die "npm could not fetch $ENGINE_PACKAGE (see above)" \
        "check the network and npm's settings ('npm ping'), then run this again"
    say "trying again"
    sleep $((try * 3))
done
echo "$ENGINE_SHA512  $ENGINE_TARBALL" | sha512sum --status -c ||
    die "$ENGINE_TARBALL is not the file we pinned (sha512 differs)" \
        "do not use it; someone changed it on the way, or tools/engine.pin is wrong"
tar xzf "$ENGINE_TARBALL" "$ENGINE_BUNDLE"
rm "$ENGINE_TARBALL"

say "2/5 unpacking the sources of llama.cpp $ENGINE_VERSION"
git -c advice.detachedHead=false -c init.defaultBranch=main clone -q "$ENGINE_BUNDLE" llama.cpp
tree=$(git -C llama.cpp rev-parse 'HEAD^{tree}')
[ "$tree" = "$ENGINE_TREE" ] || die "the source tree is $tree, not $ENGINE_TREE" \
    "do not use it; the package does not hold the sources we pinned"
rm -r package

say "3/5 configuring for $cpu"
# The optimiser gets -O3 for the arithmetic (ggml) and -O2 for the rest, which halves the wait.
printf 'set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")\nset(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")\n' >ggml.cmake
read -ra options <<<"$(tr '\n' ' ' <<<"$ENGINE_OPTIONS")"
gomp=$(gcc -print-file-name=libgomp.a)
[ ! -f "$gomp" ] || options+=(-DOpenMP_gomp_LIBRARY="$gomp")
cmake -S llama.cpp -B build -G Ninja "${options[@]}" "${flags[@]}" \
    -DCMAKE_C_FLAGS="-ffile-prefix-map=$work=." -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$work=." \
    -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" -DCMAKE_C_FLAGS_RELEASE="-O2 -DNDEBUG" \
    -DCMAKE_PROJECT_ggml_INCLUDE="$work/ggml.cmake" \
    -DCMAKE_EXE_LINKER_FLAGS="-static-libstdc++ -static-libgcc -Wl,-z,relro,-z,now" \
    >cmake.log 2>&1 || {
    tail -n 20 cmake.log >&2
    die "cmake refused (see above)" "run tools/setup.sh; if that does not help, report the lines above"
}

jobs=${TACIT_JOBS:-$(nproc)}
say "4/5 compiling with $jobs jobs (about 8 CPU minutes)"
start=$SECONDS
# A line for each twentieth file: a shell loop, because mawk and sed hold back what they read.
progress() {
    local line count=0
    while IFS= read -r line; do
        [[ $line == [0-9]*/[0-9]* ]] || continue
        count=$((count + 1))
        if [ $((count % 20)) = 0 ]; then say "    ${line%% *}"; fi
    done
}
NINJA_STATUS='%f/%t ' ninja -C build -j "$jobs" llama-server 2>&1 | tee ninja.log | progress || {
    grep -A 15 -m 1 -E 'FAILED|error:' ninja.log >&2 || tail -n 20 ninja.log >&2
    die "the compiler refused (see above)" \
        "if it was killed, memory is short: TACIT_JOBS=1; else report the lines above"
}
strip -o llama-server build/bin/llama-server
say "    compiled in $((SECONDS - start)) s"

say "5/5 asking it a question"
./llama-server --version >version.txt 2>&1 || die "the server does not start" "report $(head -c 300 version.txt)"
env -i ./llama-server -m "$model" --alias pebble --host s.sock -t 1 --jinja --no-ui --no-slots --offline \
    >server.log 2>&1 &
server_pid=$!
for _ in $(seq 150); do
    curl -sf --unix-socket s.sock -o /dev/null http://engine/health && break
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.2
done
answer=$(curl -sf -m 60 --unix-socket s.sock http://engine/v1/chat/completions -H 'content-type: application/json' \
    -d '{"messages":[{"role":"user","content":"What is the capital of France?"}],"temperature":0,"max_tokens":32}') || true
case $answer in
*Paris*) ;;
*) tail -n 20 server.log >&2 && die "the server gave no sensible answer: $answer" "report this and the lines above" ;;
esac
kill "$server_pid"
wait "$server_pid" 2>/dev/null || true
server_pid=

mkdir out
mv llama-server out/
(cd out && sha256sum llama-server >llama-server.sha256)
printf 'llama.cpp %s tree %s cpu %s build %s\n' "$ENGINE_VERSION" "$ENGINE_TREE" "$cpu" "$ENGINE_BUILD" >out/about
cp llama.cpp/LICENSE out/LICENSE.llama.cpp
rm -rf "$dir"
mv out "$dir"
say "ready: $dir/llama-server"
echo "$dir/llama-server"
