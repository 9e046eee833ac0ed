# shellcheck shell=bash disable=SC2153,SC2154
# Boots a program and draws what it, or the kernel at its end, prints as JSON. Sourced, never run, by those scripts that do so.
#
#   PROGRAM   the program and its words
#   OUT       the picture; build/TOOL/PROGRAM-ARCH.svg if nothing is said. The JSON goes beside it
#
# The variables of qemu/settings.sh choose the machine. The program's own output, and how far the JSON is,
# is shown meanwhile.
source "$ROOT/qemu/settings.sh"
source "$ROOT/scripts/images.sh"

# draw TOOL PROGRAM [WORD…]: PROGRAM if nothing else is said; the words are for the kernel.
draw() {
    local tool=$1 words kernel_words name picture executable directory
    # A million rows take minutes to come through the serial line.
    : "${TIMEOUT:=1200}"
    load_settings
    read -ra words <<<"${PROGRAM:-$2}"
    name=${words[0]##*/}
    picture=${OUT:-$BUILD/$tool/$name-$ARCH.svg}
    mkdir -p "$(dirname -- "$picture")"
    # An old picture must not pass for the one that could not be made.
    rm -f -- "$picture"
    executable=$(cargo_executables "\"name\":\"$tool\"" build -p "$tool") || die "the tool that draws does not build"
    build_kernel "$ARCH" "$PROFILE"
    build_initrd "$ARCH" "$PROFILE"
    directory=$(image_directory "$ARCH" "$PROFILE")
    kernel_words=("init=bin/$name" "${@:3}" ${CMDLINE:+"$CMDLINE"} "args=${words[*]:1}")
    export TIMEOUT CMDLINE="${kernel_words[*]}"
    "$ROOT/qemu/run" "$directory/kernel.image" "$directory/initrd.cpio" </dev/null |
        "$executable" --console - --output "$picture" --save "${picture%.svg}.json"
}
