# shellcheck shell=bash disable=SC2016,SC2154
# The symbol table and the initrd, made from small stand-ins. Sourced by all.

cat >"$work/stand-in.s" <<'ASM'
.section .text,"ax"
.globl _start, _ZN4core3fmt5Write9write_str17h0123456789abcdefE
_ZN4core3fmt5Write9write_str17h0123456789abcdefE: .byte 0
_start: .byte 0
.globl _ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE
"_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE": .byte 0
.globl a_function_with_a_name_of_more_than_thirty_five_characters
a_function_with_a_name_of_more_than_thirty_five_characters: .byte 0
.section .rodata,"a"
constant: .byte 1
.section .ksyms,"a",@progbits
.skip ROOM
ASM

# stand_in ROOM: an ELF with a symbol table of ROOM bytes.
stand_in() {
    sed "s/ROOM/$1/" "$work/stand-in.s" >"$work/sized.s"
    as -o "$work/stand-in.o" "$work/sized.s"
    ld.lld -o "$work/stand-in" "$work/stand-in.o"
}

# The names in the table of an image.
names() {
    llvm-objcopy --dump-section ".ksyms=$work/table" "$1" "$work/dropped"
    tr -d '\0' <"$work/table" | cut -d' ' -f2- | tr '\n' ';'
}

if [[ $(uname -m) == x86_64 ]]; then
    stand_in 4096
    expect "an image is made" 0 "$(status ../link-image "$work/stand-in" "$work/image")"
    expect "functions are named as in the source" "Write::write_str;_start;<T as Into<U>>::into;a_function_with_a_name_of_more_than_thirty_five_characters;" "$(names "$work/image")"
    expect "the section keeps its size" 4096 "$(stat -c %s "$work/table")"
    expect "addresses have sixteen digits" 16 "$(head -c 17 "$work/table" | cut -d' ' -f1 | tr -d '\n' | wc -c)"
    stand_in 160
    expect "long names are cut when there is little room" 0 "$(status ../link-image "$work/stand-in" "$work/image")"
    expect "the end of a name is kept" "Write::write_str;_start;<T as Into<U>>::into;...more_than_thirty_five_characters;" "$(names "$work/image")"
    stand_in 16
    expect "a table that does not fit is an error" 1 "$(status ../link-image "$work/stand-in" "$work/image")"
    expect "the error says what to do" yes "$(grep -q 'raise KSYMS_SIZE' "$work/output" && echo yes)"

    mkdir "$work/programs"
    cp "$work/stand-in" "$work/programs/tour"
    cp "$work/stand-in" "$work/programs/shell"
    ../make-initrd "$work/one.cpio" "$work/programs/tour" "$work/programs/shell"
    sleep 0.01
    ../make-initrd "$work/two.cpio" "$work/programs/shell" "$work/programs/tour"
    expect "programs are under bin" "bin bin/shell bin/tour" "$(cpio -it --quiet <"$work/one.cpio" | tr '\n' ' ' | sed 's/ $//')"
    expect "the archive is reproducible" yes "$(cmp -s "$work/one.cpio" "$work/two.cpio" && echo yes)"
fi
