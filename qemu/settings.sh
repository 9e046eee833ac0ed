# shellcheck shell=bash disable=SC2015,SC2153
# The variables that say which machine to start: defaults, and checks that name what is allowed.
# Sourced, never run, after scripts/lib.sh.
#
#   ARCH     x86_64 | aarch64           MACHINE  q35 | microvm (x86_64), virt (aarch64)
#   SMP      1..32 CPUs                 CPU      a QEMU model: max, qemu64, cortex-a72, host, …
#   MEMORY   64M..64G                   GIC      2 | 3 (aarch64)
#   PROFILE  dev | release              EL       1 | 2 (aarch64): exception level at entry
#   ACCEL    tcg | kvm                  BOOT     kernel | bios | uefi: direct, or the ISO through GRUB
#   CMDLINE  words for the kernel       TIMEOUT  seconds until the machine is stopped
#   PROGRAM  what is drawn by make vmaps and make vmo-tree; OUT  where the picture goes
#   ICOUNT   0 | 1: the machine's time counts executed instructions (one CPU, tcg)

# one_of NAME VALUE ALLOWED…
one_of() {
    local name=$1 value=$2 allowed
    shift 2
    for allowed in "$@"; do
        [[ $value != "$allowed" ]] || return 0
    done
    local list
    printf -v list '%s, ' "$@"
    die "$name=$value is not known" "allowed: ${list%, }"
}

# memory_mib SIZE: "256M" or "8G" in MiB; fails when it is neither.
memory_mib() {
    [[ $1 =~ ^0*([1-9][0-9]{0,5})([MG])$ ]] || return 1
    local count=${BASH_REMATCH[1]}
    [[ ${BASH_REMATCH[2]} == M ]] || count=$((count * 1024))
    echo "$count"
}

check_numbers() {
    local mib
    [[ $SMP =~ ^[1-9][0-9]?$ ]] && ((SMP <= 32)) || die "SMP=$SMP is not a number of CPUs" "allowed: 1 to 32"
    mib=$(memory_mib "$MEMORY") || die "MEMORY=$MEMORY is not a size" "allowed: 64M to 64G, with M or G, as in MEMORY=256M"
    ((mib >= 64 && mib <= 65536)) || die "MEMORY=$MEMORY is out of range" "allowed: 64M to 64G"
    [[ $TIMEOUT =~ ^[1-9][0-9]{0,6}$ ]] || die "TIMEOUT=$TIMEOUT is not a time limit" "allowed: whole seconds from 1 to 9999999"
}

# Which machine, CPU and interrupt controller go with ARCH.
check_machine() {
    case $ARCH in
        x86_64)
            : "${MACHINE:=q35}"
            one_of MACHINE "$MACHINE" q35 microvm
            [[ -z $GIC$EL ]] || die "GIC and EL mean nothing on x86_64" "use them with ARCH=aarch64"
            [[ $BOOT == kernel || $MACHINE == q35 ]] || die "BOOT=$BOOT needs MACHINE=q35"
            ;;
        aarch64)
            : "${MACHINE:=virt}" "${GIC:=3}" "${EL:=1}"
            one_of MACHINE "$MACHINE" virt
            one_of GIC "$GIC" 2 3
            one_of EL "$EL" 1 2
            ((GIC == 3 || SMP <= 8)) || die "SMP=$SMP is too many for GIC=2" "allowed: 1 to 8 CPUs, or GIC=3"
            [[ $BOOT == kernel ]] || die "BOOT=$BOOT is not known on aarch64" "allowed: kernel"
            ;;
    esac
    [[ $CPU =~ ^[A-Za-z0-9._,=+-]*$ ]] || die "CPU=$CPU is not a CPU model of QEMU" "qemu-system-$ARCH -cpu help lists them"
}

# Counting instructions takes one CPU, of a model whose counters show each instruction: `rep stosb` of a CPU that has it
# fast would be counted once a byte, and aarch64's counter usually takes 16 instructions a tick.
check_counting() {
    one_of ICOUNT "$ICOUNT" 0 1
    if ((ICOUNT == 1)); then
        : "${SMP:=1}"
        [[ $ACCEL == tcg ]] || die "ICOUNT=1 needs ACCEL=tcg"
        [[ $SMP =~ ^0*1$ ]] || die "ICOUNT=1 needs SMP=1"
        case $ARCH in
            x86_64) : "${CPU:=qemu64}" ;;
            aarch64) : "${CPU:=cortex-a72,cntfrq=1000000000}" ;;
        esac
    fi
}

# What KVM asks of the host; picks the CPU model for the accelerator.
check_accelerator() {
    if [[ $ACCEL == kvm ]]; then
        [[ $(uname -m) == "$ARCH" ]] || die "ACCEL=kvm runs only the host's architecture, $(uname -m), not $ARCH" "use ACCEL=tcg"
        [[ -w /dev/kvm ]] || die "ACCEL=kvm needs write access to /dev/kvm" "use ACCEL=tcg, or join the group that owns /dev/kvm"
        : "${CPU:=host}"
    elif [[ $ARCH == x86_64 ]]; then
        : "${CPU:=max}"
    else
        : "${CPU:=cortex-a72}"
    fi
}

# Fills in the defaults and checks everything.
load_settings() {
    : "${ARCH:=x86_64}" "${SMP:=}" "${MEMORY:=256M}" "${PROFILE:=dev}" "${ACCEL:=tcg}" "${ICOUNT:=0}"
    : "${CMDLINE:=}" "${TIMEOUT:=120}" "${MACHINE:=}" "${CPU:=}" "${GIC:=}" "${EL:=}" "${BOOT:=kernel}"
    one_of ARCH "$ARCH" x86_64 aarch64
    one_of PROFILE "$PROFILE" dev release
    one_of ACCEL "$ACCEL" tcg kvm
    one_of BOOT "$BOOT" kernel bios uefi
    [[ $CMDLINE != *$'\n'* ]] || die "CMDLINE has more than one line"
    check_counting
    : "${SMP:=4}"
    check_numbers
    check_machine
    check_accelerator
}
