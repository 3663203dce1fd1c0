#!/bin/bash
# Installs the Debian packages that the lists tools/packages*.txt name, those that are missing only.
# Debian 12 and 13, as root or with sudo. Does nothing, in a fraction of a second, when all are there.
#
#   tools/setup.sh [fuzz] [lint] [cover]      besides what building and testing need
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
    say "FAILED: $1"
    say "what to do: $2"
    exit 1
}

lists=("$here/packages.txt")
for group; do
    [ -f "$here/packages-$group.txt" ] || die "there is no group '$group'" "use: fuzz, lint, cover"
    lists+=("$here/packages-$group.txt")
done

missing_packages() {
    local package command
    while read -r package command; do
        if [ -n "$command" ] && command -v "$command" >/dev/null; then
            continue
        fi
        case $installed in
        *" $package:"* | *" $package "*) ;;
        *) echo "$package" ;;
        esac
    done < <(grep -hv '^#' "${lists[@]}")
}

command -v dpkg-query >/dev/null || die "this is not Debian (no dpkg-query)" \
    "install what tools/packages.txt names by your system's means, then run ninja by hand (CONTRIBUTING.md)"
list_installed() {
    dpkg-query -W -f '${db:Status-Abbrev}|${Package}\n' | awk -F'|' '$1 ~ /^ii/ { printf " %s ", $2 }'
}
installed=$(list_installed)
mapfile -t missing < <(missing_packages)
if [ ${#missing[@]} -eq 0 ]; then
    say "all packages are there"
    exit 0
fi

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "packages are missing and this user may not install them" \
        "as root: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
fi
# Waits when another program holds dpkg's lock; the lists' own lock is waited for by trying again.
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o APT::Install-Recommends=false "$@" >&2
}
update() {
    local try
    for try in 1 2 3 4 5 6; do
        apt update && return
        say "apt-get update did not succeed, try $try of 6"
        sleep 10
    done
    die "apt-get update fails (see above)" "check the network and /etc/apt/sources.list, then run this again"
}

say "installing ${#missing[@]} packages: ${missing[*]}"
if ! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then
    update
    apt install "${missing[@]}" || die "apt-get install fails (see above)" \
        "mend what apt-get says (often: apt-get -f install, or a full disk), then run this again"
elif ! apt install "${missing[@]}"; then
    say "the package lists may be old: updating them"
    update
    apt install "${missing[@]}" || die "apt-get install fails (see above)" \
        "mend what apt-get says (often: apt-get -f install, or a full disk), then run this again"
fi
installed=$(list_installed)
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -eq 0 ] || die "still missing: ${missing[*]}" "install them by hand and tell us how"
say "done"
