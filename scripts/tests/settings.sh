# shellcheck shell=bash disable=SC2016,SC2154
# Which values the variables may have. Sourced by all.

# settings VARIABLE=VALUE…: the status of load_settings with them.
settings() {
    status env "$@" bash -c '
        set -euo pipefail
        source ../lib.sh
        source ../../qemu/settings.sh
        load_settings
        echo "$MACHINE $CPU $GIC $EL"'
}

expect "defaults are valid" 0 "$(settings CMDLINE=)"
expect "x86_64 is q35 with every feature" "q35 max  " "$(cat "$work/output")"
expect "aarch64 is valid" 0 "$(settings ARCH=aarch64)"
expect "aarch64 is virt with GIC v3 at EL1" "virt cortex-a72 3 1" "$(cat "$work/output")"
for good in SMP=1 SMP=32 MEMORY=64M MEMORY=8G MEMORY=64G PROFILE=release MACHINE=microvm BOOT=uefi TIMEOUT=1; do
    expect "$good is valid" 0 "$(settings "$good")"
done
for bad in ARCH=riscv64 SMP=0 SMP=33 SMP=two MEMORY=63M MEMORY=65G MEMORY=1 MEMORY=-1G PROFILE=debug ACCEL=hvf \
    MACHINE=virt BOOT=floppy TIMEOUT=0 TIMEOUT=-1 GIC=2 'CPU=max -S' $'CMDLINE=a\nb'; do
    expect "$bad is refused" 1 "$(settings "$bad")"
    expect "$bad is named" yes "$(grep -q -- "${bad%%=*}" "$work/output" && echo yes)"
done
expect "counting instructions is valid" 0 "$(settings ICOUNT=1)"
expect "an instruction is a tick on x86_64" "q35 qemu64  " "$(cat "$work/output")"
expect "counting instructions is valid on aarch64" 0 "$(settings ICOUNT=1 ARCH=aarch64)"
expect "an instruction is a tick on aarch64" "virt cortex-a72,cntfrq=1000000000 3 1" "$(cat "$work/output")"
expect "instructions are counted on one CPU only" 1 "$(settings ICOUNT=1 SMP=2)"
expect "instructions are counted or not" 1 "$(settings ICOUNT=2)"
expect "a GIC v2 has eight CPUs" 0 "$(settings ARCH=aarch64 GIC=2 SMP=8)"
expect "a GIC v2 has no ninth CPU" 1 "$(settings ARCH=aarch64 GIC=2 SMP=9)"
expect "microvm has no firmware to load GRUB" 1 "$(settings MACHINE=microvm BOOT=bios)"
