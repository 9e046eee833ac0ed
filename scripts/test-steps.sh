# shellcheck shell=bash disable=SC2154
# The steps of each suite, and how each is run. Sourced by scripts/test.

plan_host() {
    step single "scripts" "$ROOT/scripts/tests/all"
    step cargo "host crates" "$ROOT/scripts/cargo" test --all-features
    step cargo "structures that the region tree is compared with" "$ROOT/scripts/cargo" test --manifest-path "$ROOT/bench/host/Cargo.toml" --target-dir "${CARGO_TARGET_DIR:-$ROOT/target}"
}

plan_kernel() {
    local cpus
    step build "build kernel tests, $1" build_kernel_tests "$1" "$PROFILE"
    step build "build programs, $1" build_initrd "$1" "$PROFILE"
    for cpus in $cpu_counts; do
        step kernel "kernel tests, $1, SMP=$cpus" boot_tests "$1" "$cpus"
    done
}

plan_user() {
    local cpus
    step build "build kernel and programs, $1" build_both "$1" "$PROFILE"
    for cpus in $cpu_counts; do
        step user "conformance, $1, SMP=$cpus" boot_program conformance "$1" "$cpus"
        step user "hostile calls, $1, SMP=$cpus" boot_program hostile "$1" "$cpus"
        step user "random calls, $1, SMP=$cpus" boot_model "$1" "$cpus"
        step user "soak, $1, SMP=$cpus" boot_soak "$1" "$cpus"
        step user "filling memory, $1, SMP=$cpus" boot_fill "$1" "$cpus"
    done
    step single "a picture of an address space, $1" draw_program "$1"
    step single "a picture of a family of VMOs, $1" draw_family "$1"
}

# The machines that Jacinth promises to boot on; the tour has to reach its end on each.
plan_boot() {
    local bits kind machine machines=(SMP=1 SMP=4 MEMORY=64M MEMORY=8G)
    case $1 in
        x86_64) machines+=(MACHINE=microvm CPU=qemu64) ;;
        aarch64) machines+=(GIC=2 EL=2 "GIC=2 EL=2" CPU=max) ;;
    esac
    step build "build kernel and programs, $1" build_both "$1" "$PROFILE"
    for machine in "${machines[@]}"; do
        # shellcheck disable=SC2086
        step single "boot, $1, $machine" boot_tour "$1" "$PROFILE" $machine
    done
    step refusal "boot, $1, a missing program is a failure" boot_tour "$1" "$PROFILE" CMDLINE=init=bin/missing
    step refusal "boot, $1, an option that means nothing is a failure" boot_tour "$1" "$PROFILE" CMDLINE=aslr=banana
    for bits in off 0; do
        step single "boot, $1, lowest places with aslr=$bits" boot_probe "$1" "$PROFILE" "$bits"
    done
    for kind in panic write execute stack; do
        step single "boot, $1, report of a crash: $kind" boot_crash "$1" "$PROFILE" "$kind"
    done
    step refusal "boot, $1, a command line that is cut is a failure" boot_tour "$1" "$PROFILE" "CMDLINE=$(printf '%2000s' '' | tr ' ' x)"
    [[ $1 != x86_64 ]] || plan_iso
    if [[ $PROFILE == dev ]]; then
        step build "build kernel and programs, $1, release" build_both "$1" release
        step single "boot, $1, release" boot_tour "$1" release SMP=4
    fi
}

plan_iso() {
    step build "build ISO" make_test_iso
    step single "boot, x86_64, GRUB on BIOS" boot_iso BOOT=bios
    step single "boot, x86_64, GRUB on UEFI" boot_iso BOOT=uefi
}

# The benchmark with few mappings: every row must be there. What the rows say is for people.
plan_bench() {
    step build "build kernel and programs, $1, release" build_both "$1" release
    step single "benchmark, $1, few mappings" env "ARCH=$1" "$ROOT/scripts/bench" --smoke
}

build_both() {
    build_kernel "$1" "$2"
    build_initrd "$1" "$2"
}

boot_tests() {
    local directory
    directory=$(image_directory "$1" "$PROFILE")
    ARCH=$1 SMP=$2 "$ROOT/qemu/run" "$directory/tests.image" "$directory/initrd.cpio"
}

# boot_program PROGRAM ARCH CPUS: runs a program that prints test lines.
boot_program() {
    local directory
    directory=$(image_directory "$2" "$PROFILE")
    ARCH=$2 SMP=$3 CMDLINE="init=bin/$1 ${CMDLINE:-}" "$ROOT/qemu/run" "$directory/kernel.image" "$directory/initrd.cpio"
}

# draw_program ARCH: what the kernel prints as JSON must be a picture with as many regions as were made.
draw_program() {
    local picture=$BUILD/vmaps/test-$1.svg made drawn log
    log=$(ARCH=$1 SMP=4 PROGRAM="crowd 300" OUT=$picture "$ROOT/scripts/vmaps" 2>&1) || { echo "$log"; return 1; }
    echo "$log"
    made=$(tr -d '\r' <<<"$log" | sed -n 's/^crowd: made \([0-9]*\) regions$/\1/p')
    # The root, and what every program begins with: two regions, three mappings of its file, one of its stack.
    drawn=$(sed -n 's/.*>\([0-9]*\) regions (.*/\1/p' "$picture" | head -n 1)
    echo "made $made, drawn $drawn"
    ((made >= 300 && drawn == made + 7))
}

# draw_family ARCH: what the kernel prints as JSON must be a picture of as many members as were made, with pages that are shared.
draw_family() {
    local picture=$BUILD/vmo-tree/test-$1.svg members
    ARCH=$1 SMP=4 PROGRAM=family OUT=$picture "$ROOT/scripts/vmo-tree" || return 1
    members=$(sed -n 's/.*>\([0-9]*\) members, .*/\1/p' "$picture" | head -n 1)
    echo "drawn $members"
    [[ $members == 5 ]] && grep -q "shared by ‘original’" "$picture"
}

# boot_model ARCH CPUS: random calls against the models, always the same ones. With one CPU also the places that the
# kernel chooses are always the same, with more they are not.
boot_model() {
    local placement=on
    [[ $2 != 1 ]] || placement=off
    CMDLINE="aslr=$placement init=bin/model args=1 4000" boot_with_words "$1" "$2"
}

# boot_soak ARCH CPUS: a short soak, bounded by steps, so that it does the same each time.
boot_soak() { CMDLINE="init=bin/soak args=steps=8000" boot_with_words "$1" "$2"; }

# boot_fill ARCH CPUS: the smallest machine runs out of memory a few times.
boot_fill() { MEMORY=64M CMDLINE="init=bin/fill args=rounds=1" boot_with_words "$1" "$2"; }

# boot_with_words ARCH CPUS: boots with the words of CMDLINE.
boot_with_words() {
    local directory
    directory=$(image_directory "$1" "$PROFILE")
    ARCH=$1 SMP=$2 "$ROOT/qemu/run" "$directory/kernel.image" "$directory/initrd.cpio"
}

# boot_tour ARCH PROFILE SETTING…
boot_tour() {
    local directory
    directory=$(image_directory "$1" "$2")
    env "ARCH=$1" "${@:3}" "$ROOT/qemu/run" "$directory/kernel.image" "$directory/initrd.cpio"
}

# boot_probe ARCH PROFILE BITS: a program finds its regions at the lowest places.
boot_probe() { boot_tour "$1" "$2" CMDLINE="aslr=$3 init=bin/probe args=lowest"; }

# boot_crash ARCH PROFILE KIND: has the kernel fail; its report must say why, name the function, and end the run.
boot_crash() {
    local status=0 why report
    case $3 in
        panic) why='a panic was asked for' ;;
        write) why='kernel write of .* (protected page)' ;;
        execute) why='kernel execute of .* (protected page)' ;;
        stack) why='kernel stack overflow' ;;
    esac
    report=$(boot_tour "$1" "$2" SMP=2 CMDLINE="init=bin/probe args=crash $3") || status=$?
    echo "$report"
    ((status == 35)) && grep -q "$why" <<<"$report" && grep -q 'monitor::crash::' <<<"$report"
}

make_test_iso() { make_iso x86_64 "$PROFILE" "$BUILD/x86_64/$PROFILE/test.iso" interactive=0; }

boot_iso() { env ARCH=x86_64 "$@" "$ROOT/qemu/run" --iso "$BUILD/x86_64/$PROFILE/test.iso"; }
