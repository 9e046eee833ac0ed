# shellcheck shell=bash disable=SC2034,SC2153
# What all scripts share: where things are, how messages look, how a script gives up.
# Sourced, never run. Expects `set -euo pipefail`.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
LOGS=$BUILD/logs

# Colour only where a person looks at it.
if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
    BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
    BOLD='' RED='' GREEN='' YELLOW='' PLAIN=''
fi

say() { printf '%s\n' "$*" >&2; }
warn() { printf '%swarning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# die MESSAGE [HINT…]: what is wrong, then what to do about it, one line each.
die() {
    printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
    exit 1
}

# have COMMAND: is it in PATH?
have() { command -v "$1" >/dev/null 2>&1; }

# version_at_least FOUND NEEDED: compares dotted versions.
version_at_least() {
    [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

# first_version TEXT: the first dotted number in it.
first_version() {
    [[ $1 =~ [0-9]+\.[0-9]+(\.[0-9]+)? ]] && printf '%s\n' "${BASH_REMATCH[0]}"
}

# last_lines FILE COUNT: the end of a log, indented, without carriage returns or colours.
last_lines() {
    tail -n "$2" -- "$1" | tr -d '\r' | sed -E -e $'s/\e(\\[[0-9;]*m|\\(B)//g' -e 's/^/    | /' >&2
}

# target_of ARCH: the Rust target of the kernel and of its programs.
target_of() {
    case $1 in
        x86_64) echo x86_64-unknown-none ;;
        aarch64) echo aarch64-unknown-none-softfloat ;;
        *) die "no Rust target for ARCH=$1" ;;
    esac
}
