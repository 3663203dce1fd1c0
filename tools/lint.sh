#!/bin/bash
# House rules, formatting and clang-tidy over all our C. `tools/lint.sh BUILD [--no-tidy]`, where BUILD
# is a configured Meson folder (its compile_commands.json is read).
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
failed=0
tools/check_ladder.py || failed=1
tools/check_names.py || failed=1
tools/limits_md.py --check || failed=1
mapfile -t sources < <(git ls-files '*.c' '*.h')
if ! clang-format --dry-run -Werror "${sources[@]}" 2>build/format.log; then
    grep -o '^[^:]*:[0-9]*' build/format.log | sort -u -t: -k1,1 | sed 's/$/: not formatted (clang-format -i)/'
    failed=1
fi
if [ "${2:-}" != --no-tidy ]; then
    mapfile -t units < <(git ls-files 'src/*.c')
    printf '%s\0' "${units[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy -quiet -p "$build" \
        --warnings-as-errors='*' 2>/dev/null || failed=1
fi
[ "$failed" = 0 ] && echo 'lint: nothing to report' || { echo 'lint: FAILED' && exit 1; }
