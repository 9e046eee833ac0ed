# From real mode to the kernel's half: what another CPU executes first. AT&T syntax.
#
# Copied to a page below 1 MiB. The code segment's base is the page, and DS is made the same, so addresses
# here are distances from `startup_begin`. The parameters at the end are filled in for each CPU.

.set CR0_ON, (1 << 31) | (1 << 16) | (1 << 5) | (1 << 0)     # paging, write protection, numeric error, protection
.set CR4_PHYSICAL_ADDRESS_EXTENSION, 1 << 5
.set MSR_EFER, 0xc0000080
.set EFER_LONG_MODE, 1 << 8

.section .rodata.startup, "a", @progbits
.balign 16
.global startup_begin, startup_parameters, startup_end
startup_begin:
.code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movl %cr4, %eax
    orl $CR4_PHYSICAL_ADDRESS_EXTENSION, %eax
    movl %eax, %cr4
    movl startup_low_root - startup_begin, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LONG_MODE, %eax
    orl startup_efer - startup_begin, %eax
    wrmsr
    # Straight to long mode: protection and paging in one step.
    movl $CR0_ON, %eax
    movl %eax, %cr0
    lgdtl startup_gdt_pointer - startup_begin
    ljmpl *(startup_long_mode - startup_begin)

.code64
startup_64:
    movq startup_record(%rip), %rdi
    movq startup_kernel_root(%rip), %rsi
    movq startup_stack(%rip), %rdx
    movq startup_entry(%rip), %rax
    jmpq *%rax

.balign 8
startup_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    # 64-bit code, accessed
startup_gdt_end:

# `Parameters` in startup.rs.
.balign 8
startup_parameters:
startup_record:         .quad 0
startup_kernel_root:    .quad 0
startup_stack:          .quad 0
startup_entry:          .quad 0
startup_low_root:       .long 0
startup_efer:           .long 0
startup_long_mode:      .long 0     # far pointer: address of startup_64, then the selector
                        .short 8
startup_gdt_pointer:    .short startup_gdt_end - startup_gdt - 1
startup_gdt_base:       .long 0
startup_end:

.global startup_64_offset, startup_gdt_offset
.set startup_64_offset, startup_64 - startup_begin
.set startup_gdt_offset, startup_gdt - startup_begin

# Where it goes on: rdi record, rsi root of the kernel's tables, rdx stack.
.section .text.startup, "ax", @progbits
.global startup_high
startup_high:
    movq %rsi, %cr3             # the low addresses are gone
    movq %rdx, %rsp
    xorl %ebp, %ebp
    callq {main}
    ud2
