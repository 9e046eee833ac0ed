# shellcheck shell=bash
# Installing Debian packages without a question.
# Sourced, never run, after scripts/lib.sh.

# How to become root, in `as_root`; fails when there is no way that asks nothing.
find_root() {
    as_root=()
    ((EUID != 0)) || return 0
    have sudo && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
}

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=300 -o APT::Get::Always-Include-Phased-Updates=true "$@" </dev/null
}

# install_packages PACKAGE…: through apt, or an explanation of what to do by hand.
install_packages() {
    local as_root log=$LOGS/setup-packages.log
    have apt-get || die "missing: $*" "these are Debian's package names; install what holds the same programs here, then run this again"
    find_root || die "missing: $*" "installing needs root, and sudo is not there or would ask for a password; run as root:" "  apt-get install --no-install-recommends $*"
    say "setup: installing $*"
    if ! { apt update && apt install --yes --no-install-recommends "$@"; } >"$log" 2>&1; then
        last_lines "$log" 15
        die "apt-get could not install $*" "the whole log is in $log"
    fi
}

# has_package PACKAGE: does apt know a version of it?
has_package() {
    have apt-cache && [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(\ ] ]]
}
