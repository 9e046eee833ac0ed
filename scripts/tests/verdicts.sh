# shellcheck shell=bash disable=SC2016,SC2154
# What QEMU's exit statuses mean, tried with a stand-in that ends as told. Sourced by all.

mkdir "$work/path"
for arch in x86_64 aarch64; do
    printf '#!/bin/sh\nsleep "${STAND_IN_SECONDS:-0}"\necho "$@"\nexit "$STAND_IN_STATUS"\n' >"$work/path/qemu-system-$arch"
    chmod +x "$work/path/qemu-system-$arch"
done
touch "$work/kernel" "$work/initrd"

# verdict STATUS VARIABLE=VALUE…: what qemu/run makes of it.
verdict() {
    status env "PATH=$work/path:$PATH" "STAND_IN_STATUS=$1" "${@:2}" ../../qemu/run "$work/kernel" "$work/initrd"
}

for arch in x86_64 aarch64; do
    expect "$arch: 33 is a pass" 0 "$(verdict 33 "ARCH=$arch")"
    expect "$arch: a reset is no pass" 2 "$(verdict 0 "ARCH=$arch")"
    expect "$arch: a failing kernel is no pass" 35 "$(verdict 35 "ARCH=$arch")"
    expect "$arch: QEMU's own error is no pass" 1 "$(verdict 1 "ARCH=$arch")"
    expect "$arch: a crash of QEMU is no pass" 139 "$(verdict 139 "ARCH=$arch")"
    expect "$arch: the time limit holds" 124 "$(verdict 33 "ARCH=$arch" TIMEOUT=1 STAND_IN_SECONDS=5)"
done
expect "without a terminal the kernel is told so" 0 "$(verdict 33 CMDLINE=init=bin/x)"
expect "the command line arrives" yes "$(grep -q -- '-append interactive=0 init=bin/x' "$work/output" && echo yes)"
expect "EL2 is QEMU's virtualization" 0 "$(verdict 33 ARCH=aarch64 EL=2 GIC=2)"
expect "EL2 and GIC arrive" yes "$(grep -q 'virt,gic-version=2,virtualization=on' "$work/output" && echo yes)"
expect "instructions can be counted" 0 "$(verdict 33 ICOUNT=1)"
expect "one instruction a nanosecond" yes "$(grep -q -- '-smp 1 .*-icount shift=0,sleep=off' "$work/output" && echo yes)"
rm "$work/initrd"
expect "a missing initrd is an error" 1 "$(verdict 33)"
