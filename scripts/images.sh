# shellcheck shell=bash
# From sources to what QEMU boots. Sourced, never run, after scripts/lib.sh.

# image_directory ARCH PROFILE
image_directory() { echo "$BUILD/$1/$2"; }

# executables FILTER: from cargo's JSON messages, the files that match FILTER (a word of the message).
executables() { { grep -F -- "$1" || true; } | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'; }

# cargo_executables FILTER ARGUMENT…: runs cargo and prints the executables it made.
cargo_executables() {
    local filter=$1 messages
    shift
    messages=$("$ROOT/scripts/cargo" "$@" --message-format=json-render-diagnostics) || return 1
    executables "$filter" <<<"$messages"
}

# give_up FILE MESSAGE: an old FILE must not pass for the one that could not be made.
give_up() {
    rm -f -- "$1"
    die "$2"
}

# build_kernel ARCH PROFILE: makes kernel.elf (for gdb) and kernel.image (for QEMU).
build_kernel() {
    local directory elf
    directory=$(image_directory "$1" "$2")
    elf=$(cargo_executables '"name":"kernel"' build -p kernel --bin kernel --target "$(target_of "$1")" --profile "$2") ||
        give_up "$directory/kernel.image" "the kernel does not build for $1"
    link_kernel "$elf" "$directory" kernel
}

# build_kernel_tests ARCH PROFILE: the same with the in-kernel tests: tests.elf, tests.image.
build_kernel_tests() {
    local directory elf
    directory=$(image_directory "$1" "$2")
    elf=$(cargo_executables '"test":true' test --no-run -p kernel --target "$(target_of "$1")" --profile "$(test_profile "$2")") ||
        give_up "$directory/tests.image" "the kernel tests do not build for $1"
    [[ $elf != *$'\n'* ]] || die "expected one kernel-test executable, found:" "$elf"
    link_kernel "$elf" "$directory" tests
}

# Cargo has an own profile for tests that inherits from dev.
test_profile() { if [[ $1 == dev ]]; then echo test; else echo "$1"; fi; }

# link_kernel ELF DIRECTORY NAME: makes the image and copies the ELF beside it, unless that is done.
link_kernel() {
    local elf=$1 directory=$2 name=$3
    mkdir -p "$directory"
    if [[ $ROOT/scripts/link-image -nt $directory/$name.image ]] || ! cmp -s "$elf" "$directory/$name.elf"; then
        "$ROOT/scripts/link-image" "$elf" "$directory/$name.image"
        cp -- "$elf" "$directory/$name.elf"
    fi
}

# build_initrd ARCH PROFILE: makes initrd.cpio of every program in package `programs`.
build_initrd() {
    local directory list programs=()
    directory=$(image_directory "$1" "$2")
    list=$(cargo_executables '"kind":["bin"]' build -p programs --bins --target "$(target_of "$1")" --profile "$2") ||
        give_up "$directory/initrd.cpio" "the programs do not build for $1"
    mapfile -t programs <<<"$list"
    [[ -n ${programs[0]} ]] || die "package programs has no program"
    mkdir -p "$directory"
    "$ROOT/scripts/make-initrd" "$directory/initrd.cpio" "${programs[@]}"
}

# make_iso ARCH PROFILE OUT WORDS: a GRUB image (BIOS and UEFI) with the kernel, the initrd and a command line.
make_iso() {
    local directory work=$BUILD/iso
    directory=$(image_directory "$1" "$2")
    rm -rf "$work"
    mkdir -p "$work/boot/grub"
    cp -- "$directory/kernel.image" "$work/boot/kernel"
    cp -- "$directory/initrd.cpio" "$work/boot/initrd.cpio"
    cat >"$work/boot/grub/grub.cfg" <<GRUB
serial --unit=0 --speed=115200
terminal_output console serial
set timeout=0
menuentry "Jacinth" {
    multiboot2 /boot/kernel $4
    module2 /boot/initrd.cpio
}
GRUB
    grub-mkrescue -o "$3" "$work" >"$LOGS/grub-mkrescue.log" 2>&1 || {
        last_lines "$LOGS/grub-mkrescue.log" 10
        die "grub-mkrescue could not make $3"
    }
}
