# Every way into the kernel: one stub per vector, and the entry of system calls. AT&T syntax.
#
# Operands in braces come from trap/entry.rs. Saved registers have the layout of `TrapFrame`.

.set FRAME_CS, 24               # from the vector number up: vector, error code, rip, cs
.set FRAME_WORDS, 7             # vector, error code, rip, cs, flags, rsp, ss
.set REGISTERS_BYTES, 15 * 8
.set SCRATCH_BYTES, 9 * 8
.set VECTOR_PAGE_FAULT, 14
.set MSR_GS_BASE, 0xc0000101

# What Rust functions may change.
.macro push_scratch_registers
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
.endm

.macro pop_scratch_registers
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
.endm

# What Rust functions preserve.
.macro push_preserved_registers
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro pop_preserved_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
.endm

.macro push_registers
    push_scratch_registers
    push_preserved_registers
.endm

.macro pop_registers
    pop_preserved_registers
    pop_scratch_registers
.endm

# A user program may arrive with the direction flag or, against SMAP, the alignment-check flag set.
.macro clean_flags
    cld
    cmpb $0, {smap_on}(%rip)
    je 9f
    clac
9:
.endm

.section .text.trap, "ax", @progbits

# Exceptions 8, 10 to 14, 17, 21, 29 and 30 push an error code (Intel SDM 3A, table 6-1); the others get a zero.
# Exceptions 1, 2, 8 and 18 have stacks of their own and cannot trust GS.
.balign {stub_bytes}
.global trap_stubs
trap_stubs:
.set vector, 0
.rept 256
    .balign {stub_bytes}
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    pushq $0
    .endif
    pushq $vector
    .if vector == 1 || vector == 2 || vector == 8 || vector == 18
    jmp trap_own_stack
    .elseif vector == VECTOR_PAGE_FAULT
    jmp trap_page_fault
    .else
    jmp trap_common
    .endif
    .set vector, vector + 1
.endr

.balign 16
trap_common:
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  push_registers
    clean_flags
    movq %rsp, %rdi
    callq {trap}

# Leaves through the frame at the stack pointer. Interrupts are off.
trap_return:
    pop_registers
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  addq $16, %rsp              # vector, error code
    iretq

# A page fault of a program is mostly resolved at once: then what Rust preserves need not be saved. If it
# is refused, the frame is completed, with the address in the place of the vector, which is known.
.balign 16
trap_page_fault:
    testb $3, FRAME_CS(%rsp)
    jz trap_common
    swapgs
    push_scratch_registers
    clean_flags
    movq %cr2, %rdi
    movq SCRATCH_BYTES + 8(%rsp), %rsi
    movq SCRATCH_BYTES + 16(%rsp), %rdx
    movq %rdi, SCRATCH_BYTES(%rsp)
    sti
    callq {user_page_fault}
    cli
    testl %eax, %eax
    jnz 1f
    pop_scratch_registers
    swapgs
    addq $16, %rsp              # vector, error code
    iretq
1:  push_preserved_registers
    movq %rsp, %rdi
    movl %eax, %esi
    callq {refused_page_fault}
    jmp trap_return

# From user mode GS is the user's for sure: go on as an ordinary trap on the thread's own stack. From the
# kernel it may be either: save the base, take the record's address from the top of this stack.
trap_own_stack:
    testb $3, FRAME_CS(%rsp)
    jnz trap_move_to_thread_stack
    push_registers
    clean_flags
    movl $MSR_GS_BASE, %ecx
    rdmsr
    movl %eax, %r14d
    movl %edx, %r15d
    movq REGISTERS_BYTES + FRAME_WORDS * 8(%rsp), %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    movq %rsp, %rdi
    callq {trap}
    movl $MSR_GS_BASE, %ecx
    movl %r14d, %eax
    movl %r15d, %edx
    wrmsr
    jmp trap_return

trap_move_to_thread_stack:
    swapgs
    pushq %rax
    pushq %rcx
    movq %gs:{kernel_stack}, %rax
    subq $(FRAME_WORDS * 8), %rax
    .set word, 0
    .rept FRAME_WORDS
    movq 16 + word * 8(%rsp), %rcx
    movq %rcx, word * 8(%rax)
    .set word, word + 1
    .endr
    popq %rcx
    xchgq %rax, (%rsp)          # rax is the user's again, the new stack lies where it was saved
    movq (%rsp), %rsp
    swapgs
    jmp trap_common

# `syscall` (Intel SDM 2B): rip in rcx, flags in r11, interrupts and all dangerous flags off (IA32_FMASK).
# Number in rax; arguments in rdi, rsi, rdx, r10, r8, r9, r12, r13. All registers but rax, rcx and r11
# come back as they were: rbx, rbp and r12 to r15 because Rust preserves them.
.balign 16
.global system_call_entry
system_call_entry:
    swapgs
    movq %rsp, %gs:{user_stack}
    movq %gs:{kernel_stack}, %rsp
    pushq %gs:{user_stack}
    pushq %rcx
    pushq %r11
    pushq %rbp
    pushq %r13
    pushq %r12
    pushq %r9
    pushq %r8
    pushq %r10
    pushq %rdx
    pushq %rsi
    pushq %rdi
    xorl %ebp, %ebp             # backtraces end here
    movq %rax, %rdi
    movq %rsp, %rsi
    sti
    callq {system_call}
    cli
    popq %rdi
    popq %rsi
    popq %rdx
    popq %r10
    popq %r8
    popq %r9
    addq $16, %rsp              # r12 and r13 are unchanged
    popq %rbp
    popq %r11
    popq %rcx
    popq %rsp
    swapgs
    sysretq

# Leaves to user mode for the first time: rdi points to a frame.
.global trap_leave
trap_leave:
    movq %rdi, %rsp
    jmp trap_return

# usize probe_word(const usize *address, usize *out): 1 if the word could be read, else 0.
.global probe_word
probe_word:
probe_word_start:
    movq (%rdi), %rax
probe_word_end:
    movq %rax, (%rsi)
    movl $1, %eax
    retq
probe_word_failed:
    xorl %eax, %eax
    retq

.global probe_word_start, probe_word_end, probe_word_failed
