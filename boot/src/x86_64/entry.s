# The first instructions, for both protocols: from 32-bit protected mode without paging to the kernel's
# half of the address space. AT&T syntax.
#
# Symbols are linked at IMAGE_OFFSET + their load address, so PHYSICAL(x) is what 32-bit code names.
# Register use until `boot_entry` is called: %ebp protocol, %esi its information structure.

.set IMAGE_OFFSET, 0xffffffff80000000

.set PROTOCOL_PVH, 1
.set PROTOCOL_MULTIBOOT2, 2

# Page table entries (Intel SDM 3A, 4.5, tables 4-15 to 4-19).
.set TABLE, 0x3                 # present, writable
.set LARGE_PAGE, 0x83           # present, writable, page size
.set ENTRY_BYTES, 8
.set PHYSMAP_ENTRY, 256         # of the top-level table: 0xffff_8000_0000_0000
.set IMAGE_ENTRY, 511           # of the top-level table: the last 512 GiB

.set CR0_PROTECT, 1 << 0
.set CR0_NUMERIC_ERROR, 1 << 5
.set CR0_WRITE_PROTECT, 1 << 16
.set CR0_PAGING, 1 << 31
.set CR4_PHYSICAL_ADDRESS_EXTENSION, 1 << 5
.set MSR_EFER, 0xc0000080
.set EFER_LONG_MODE, 1 << 8

.set SERIAL_PORT, 0x3f8
.set DEBUG_EXIT_PORT, 0xf4      # QEMU's isa-debug-exit
.set DEBUG_EXIT_FAILED, 0x11

# Multiboot2 specification, 3.1.1 "Header magic fields" and 3.1.6 "The address tag of Multiboot2 header".
.section .multiboot2, "a"
.balign 8
multiboot2_header:
    .long 0xe85250d6
    .long 0                                         # i386, protected mode
    .long multiboot2_header_end - multiboot2_header
    .long 0x100000000 - 0xe85250d6 - (multiboot2_header_end - multiboot2_header)
    # Entry address
    .short 3
    .short 0
    .long 12
    .long multiboot2_start - IMAGE_OFFSET
    .balign 8
    # Modules begin at page boundaries
    .short 6
    .short 0
    .long 8
    # End
    .short 0
    .short 0
    .long 8
multiboot2_header_end:

# XEN_ELFNOTE_PHYS32_ENTRY: QEMU's -kernel starts there (Xen, docs/misc/pvh.pandoc).
.section .note.pvh, "a", @note
.balign 4
    .long 4
    .long 8
    .long 18
    .asciz "Xen"
    .quad pvh_start - IMAGE_OFFSET

.section .boot.text, "ax", @progbits
.code32

.global pvh_start
pvh_start:
    movl $PROTOCOL_PVH, %ebp
    jmp common_start

.global multiboot2_start
multiboot2_start:
    movl $PROTOCOL_MULTIBOOT2, %ebp

common_start:
    cli
    cld
    movl %ebx, %esi
    movl $(__boot_stack_end - IMAGE_OFFSET), %esp
    rdtsc
    movl %eax, boot_first_tick - IMAGE_OFFSET
    movl %edx, boot_first_tick - IMAGE_OFFSET + 4

    # A loader need not clear what the file does not hold.
    movl $(__bss_start - IMAGE_OFFSET), %edi
    movl $(__bss_end - IMAGE_OFFSET), %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl

    # Long mode at all? (Intel SDM 2A, CPUID leaf 0x8000_0001, EDX bit 29)
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc no_long_mode

    # The first 4 GiB in large pages, at 0 and at the direct map; the first 2 GiB at the image's addresses.
    movl $(boot_directories - IMAGE_OFFSET), %edi
    movl $LARGE_PAGE, %eax
1:  movl %eax, (%edi)
    addl $ENTRY_BYTES, %edi
    addl $0x200000, %eax
    jnc 1b

    movl $(boot_directories - IMAGE_OFFSET + TABLE), %eax
    movl $(boot_low_pointers - IMAGE_OFFSET), %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $ENTRY_BYTES, %edi
    addl $0x1000, %eax
    loop 2b

    movl $(boot_directories - IMAGE_OFFSET + TABLE), %eax
    movl %eax, boot_high_pointers - IMAGE_OFFSET + 510 * ENTRY_BYTES
    addl $0x1000, %eax
    movl %eax, boot_high_pointers - IMAGE_OFFSET + 511 * ENTRY_BYTES

    movl $(boot_low_pointers - IMAGE_OFFSET + TABLE), %eax
    movl %eax, boot_top_table - IMAGE_OFFSET
    movl %eax, boot_top_table - IMAGE_OFFSET + PHYSMAP_ENTRY * ENTRY_BYTES
    movl $(boot_high_pointers - IMAGE_OFFSET + TABLE), %eax
    movl %eax, boot_top_table - IMAGE_OFFSET + IMAGE_ENTRY * ENTRY_BYTES

    # Into long mode (Intel SDM 3A, 10.8.5 "Initializing IA-32e Mode").
    movl %cr4, %eax
    orl $CR4_PHYSICAL_ADDRESS_EXTENSION, %eax
    movl %eax, %cr4
    movl $(boot_top_table - IMAGE_OFFSET), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LONG_MODE, %eax
    wrmsr
    movl $(CR0_PAGING | CR0_WRITE_PROTECT | CR0_NUMERIC_ERROR | CR0_PROTECT), %eax
    movl %eax, %cr0
    lgdt boot_gdt_low - IMAGE_OFFSET
    ljmp $8, $(low_long_mode - IMAGE_OFFSET)

# Says so on the serial port and ends QEMU with a failing status.
no_long_mode:
    movl $(no_long_mode_message - IMAGE_OFFSET), %esi
    movw $SERIAL_PORT, %dx
3:  lodsb
    testb %al, %al
    jz 4f
    outb %al, %dx
    jmp 3b
4:  movw $DEBUG_EXIT_PORT, %dx
    movl $DEBUG_EXIT_FAILED, %eax
    outl %eax, %dx
5:  hlt
    jmp 5b

no_long_mode_message:
    .asciz "Jacinth needs a 64-bit CPU.\r\n"

.code64
low_long_mode:
    movabsq $high_long_mode, %rax
    jmpq *%rax

high_long_mode:
    lgdt boot_gdt_high(%rip)
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movq $__boot_stack_end, %rsp
    movl %ebp, %edi
    movl %esi, %esi
    movq boot_first_tick(%rip), %rdx
    xorl %ebp, %ebp
    callq boot_entry
    ud2

# The time stamp counter at the start. Not in .bss, which is cleared later.
.section .data.boot, "aw"
.balign 8
boot_first_tick: .quad 0

# Intel SDM 3A, 3.4.5 "Segment Descriptors"; accessed bits set, so that the CPU never writes here.
.section .rodata.boot, "a"
.balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    # 64-bit code
boot_gdt_end:
boot_gdt_low:
    .short boot_gdt_end - boot_gdt - 1
    .long boot_gdt - IMAGE_OFFSET
boot_gdt_high:
    .short boot_gdt_end - boot_gdt - 1
    .quad boot_gdt

.section .bss.boot_tables, "aw", @nobits
.balign 0x1000
boot_top_table:     .skip 0x1000
boot_low_pointers:  .skip 0x1000
boot_high_pointers: .skip 0x1000
boot_directories:   .skip 0x4000

.code64
.text
