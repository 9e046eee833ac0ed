# shellcheck shell=bash
# What each kind of work needs: a command or file, and the Debian package it comes from.
# Sourced, never run, after scripts/lib.sh.

# Rows: GROUP  COMMAND-OR-FILE  PACKAGE  MINIMUM ("-": any version will do)
needs() {
    cat <<'ROWS'
build  cc                                   gcc                 -
build  /usr/include/stdio.h                 libc6-dev           -
build  /etc/ssl/certs/ca-certificates.crt   ca-certificates     -
build  make                                 make                4.0
build  ld.lld                               lld                 14.0
build  llvm-objcopy                         llvm                14.0
build  llvm-nm                              llvm                14.0
build  llvm-symbolizer                      llvm                14.0
build  cpio                                 cpio                2.12
run    qemu-system-x86_64                   qemu-system-x86     7.0
run    qemu-system-aarch64                  qemu-system-arm     7.0
debug  gdb-multiarch                        gdb-multiarch       10.0
image  grub-mkrescue                        grub-common         2.04
image  /usr/lib/grub/i386-pc/normal.mod     grub-pc-bin         -
image  /usr/lib/grub/x86_64-efi/normal.mod  grub-efi-amd64-bin  -
image  xorriso                              xorriso             1.5
image  mformat                              mtools              -
image  /usr/share/ovmf/OVMF.fd              ovmf                -
bench-host  valgrind                        valgrind            3.16
ROWS
}

# is_there COMMAND-OR-FILE: files are looked for only where Debian's packages put them.
is_there() {
    if [[ $1 == /* ]]; then [[ -e $1 ]] || ! have dpkg; else have "$1"; fi
}

# missing_packages GROUP…: one package a line, each once.
missing_packages() {
    local group need package
    while read -r group need package _; do
        [[ " $* " == *" $group "* ]] || continue
        is_there "$need" || echo "$package"
    done < <(needs) | sort -u
}
