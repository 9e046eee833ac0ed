# shellcheck shell=bash disable=SC2154
# The choice between rustup's toolchain and the distribution's, made once and kept in
# build/toolchain.env. Sourced, never run, after scripts/lib.sh and scripts/packages.sh.

TOOLCHAIN_ENV=$BUILD/toolchain.env
TARGETS=(x86_64-unknown-none aarch64-unknown-none-softfloat)
# Debian's packages for Rust programs that follow the browsers: newer than its release.
DISTRIBUTION_PACKAGES=(rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web)

minimum_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }
channel() { sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml"; }

# What the choice was made from; another answer means choosing again.
toolchain_key() {
    printf '%s|' "$(channel)" "$(minimum_rust)" "${JACINTH_TOOLCHAIN:-}" "$(command -v rustup)" "$(command -v cargo)"
    stat -L -c '%n %Y' "$ROOT/scripts/toolchain.sh" /usr/bin/cargo /usr/bin/rustc \
        "${RUSTUP_HOME:-${HOME:-}/.rustup}/toolchains" 2>/dev/null | tr '\n' '|' || true
}

# Reads the recorded choice; fails when there is none or the machine has changed.
toolchain_is_current() {
    [[ -f $TOOLCHAIN_ENV ]] || return 1
    source "$TOOLCHAIN_ENV"
    [[ ${toolchain_key_then:-} == "$(toolchain_key)" ]]
}

say_toolchain() { say "toolchain: $toolchain_version from $toolchain_kind ($toolchain_reason)"; }

# Tries rustup's toolchain, then the distribution's; the first that works is recorded.
choose_toolchain() {
    local reason=''
    case ${JACINTH_TOOLCHAIN:-} in
        '' | rustup | distribution) ;;
        *) die "JACINTH_TOOLCHAIN=$JACINTH_TOOLCHAIN is not known" "allowed: rustup, distribution" ;;
    esac
    if [[ ${JACINTH_TOOLCHAIN:-} != distribution ]]; then
        if prepare_rustup; then
            record rustup "it has both bare-metal targets"
            return
        fi
        [[ ${JACINTH_TOOLCHAIN:-} != rustup ]] || die "rustup's toolchain cannot be used: $reason"
    else
        reason="JACINTH_TOOLCHAIN=distribution"
    fi
    if prepare_distribution; then
        record distribution "$reason"
        return
    fi
    die "no Rust toolchain that can build for bare metal" \
        "rustup: $reason" "distribution: $distribution_reason" \
        "either install rustup, or the packages: apt-get install ${DISTRIBUTION_PACKAGES[*]}"
}

# rustup's own toolchain of our channel, given what it lacks. Sets `reason` on failure.
prepare_rustup() {
    local name log=$LOGS/setup-rustup.log
    name=$(channel)
    : >"$log"
    if ! have rustup; then
        reason="there is no rustup" && return 1
    fi
    if ! quiet_rustup run "$name" rustc --version; then
        say "setup: rustup installs the toolchain $name"
        quiet_rustup toolchain install "$name" --profile minimal --no-self-update ||
            { reason="rustup could not install $name" && return 1; }
    fi
    if ! new_enough "$(rustup run "$name" rustc --version)"; then
        say "setup: rustup updates the toolchain $name"
        quiet_rustup update --no-self-update "$name" || true
        new_enough "$(rustup run "$name" rustc --version)" ||
            { reason="rustup's $name is older than $(minimum_rust) and could not be updated" && return 1; }
    fi
    add_to_rustup "$name"
}

# The components and targets that toolchain NAME lacks.
add_to_rustup() {
    local name=$1 there target
    there=$(rustup target list --toolchain "$name" --installed 2>>"$log")
    for target in "${TARGETS[@]}"; do
        [[ $there != *"$target"* ]] || continue
        say "setup: rustup adds the target $target"
        quiet_rustup target add --toolchain "$name" "$target" ||
            { reason="rustup's $name lacks $target and could not fetch it" && return 1; }
    done
    there=$(rustup component list --toolchain "$name" --installed 2>>"$log")
    for component in rustfmt clippy; do
        [[ $there != *"$component"* ]] || continue
        say "setup: rustup adds $component"
        quiet_rustup component add --toolchain "$name" "$component" ||
            { reason="rustup's $name lacks $component and could not fetch it" && return 1; }
    done
}

quiet_rustup() { RUSTUP_AUTO_INSTALL=0 timeout 900 rustup "$@" >>"$log" 2>&1 </dev/null; }

# The toolchain under /usr with the sources of core and alloc. Sets `distribution_reason` on failure.
prepare_distribution() {
    if ! distribution_is_complete; then
        if ! has_package "${DISTRIBUTION_PACKAGES[0]}" && have apt-get; then
            (install_packages) || true # Only refreshes the lists.
        fi
        if ! has_package "${DISTRIBUTION_PACKAGES[0]}"; then
            distribution_reason="no package named ${DISTRIBUTION_PACKAGES[0]} here" && return 1
        fi
        install_packages "${DISTRIBUTION_PACKAGES[@]}"
    fi
    distribution_is_complete || { distribution_reason="/usr/bin/rustc is older than $(minimum_rust) or incomplete" && return 1; }
}

distribution_is_complete() {
    local command
    for command in rustc cargo cargo-clippy rustfmt rustdoc; do
        [[ -x /usr/bin/$command ]] || return 1
    done
    new_enough "$(/usr/bin/rustc --version)" && [[ -f /usr/lib/rustlib/src/rust/library/core/src/lib.rs ]]
}

new_enough() { version_at_least "$(first_version "$1")" "$(minimum_rust)"; }

# record KIND REASON: writes the choice, and reads it back as everybody else will.
record() {
    local kind=$1 why=$2 toolchain program version
    if [[ $kind == rustup ]]; then
        toolchain=$(channel)
    else
        toolchain=/usr
    fi
    program=$(command -v cargo || echo /usr/bin/cargo)
    version=$(RUSTUP_TOOLCHAIN=$toolchain "$program" --version) || die "$program does not run with RUSTUP_TOOLCHAIN=$toolchain"
    {
        echo "# Written by scripts/setup; delete it to choose again."
        printf '%s=%q\n' toolchain_key_then "$(toolchain_key)" \
            toolchain_kind "$kind" toolchain_reason "$why" toolchain_version "$(first_version "$version")" \
            cargo_program "$program" RUSTUP_TOOLCHAIN "$toolchain"
        echo "export RUSTUP_TOOLCHAIN"
    } >"$TOOLCHAIN_ENV"
    source "$TOOLCHAIN_ENV"
}
