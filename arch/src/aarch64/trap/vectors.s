// Exception vectors of EL1 (Arm ARM D1.3.4) and the copies that may fault.
//
// A trap leaves a TrapFrame (trap/frame.rs) on the stack of the thread that was running. The slots:
//
//   0 ... 240   x0 ... x30
//   248         stack pointer     256  ELR_EL1     264  SPSR_EL1     272  ESR_EL1     280  FAR_EL1
//
// PSTATE.I and .F are masked on entry; SCTLR_EL1.SPAN is clear, so PAN is set where the CPU has it.

.equ FRAME_BYTES, 288
// At least this much stack has to be left to handle an exception in the kernel.
.equ STACK_RESERVE, 4096
.equ CLASS_SVC64, 0x15

// Makes room for a frame and saves x0 to x19, so that there are registers to work with.
.macro save_first
    sub     sp, sp, #FRAME_BYTES
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
.endm

.macro save_registers stack_from
    save_first
    save_rest \stack_from
.endm

// What save_registers still has to do after save_first.
.macro save_rest stack_from
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    .ifc \stack_from, user
    mrs     x22, sp_el0
    mov     x29, xzr
    .else
    add     x22, sp, #FRAME_BYTES
    .endif
    mrs     x23, elr_el1
    mrs     x24, spsr_el1
    mrs     x25, esr_el1
    mrs     x26, far_el1
    stp     x30, x22, [sp, #240]
    stp     x23, x24, [sp, #256]
    stp     x25, x26, [sp, #272]
.endm

// Interrupts must be masked.
.macro restore_registers stack_from
    ldp     x23, x24, [sp, #256]
    ldp     x30, x22, [sp, #240]
    .ifc \stack_from, user
    msr     sp_el0, x22
    .endif
    msr     elr_el1, x23
    msr     spsr_el1, x24
    ldp     x0, x1, [sp, #0]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    add     sp, sp, #FRAME_BYTES
    eret
.endm

.macro vector target
    .balign 128
    b       \target
.endm

.macro vector_impossible kind
    .balign 128
    mov     x1, #\kind
    b       impossible
.endm

.section .text.vectors, "ax"
.balign 2048
.global exception_vectors
exception_vectors:
    // From EL1 on SP_EL0: the kernel never uses that stack pointer.
    vector_impossible 0
    vector_impossible 1
    vector_impossible 2
    vector_impossible 3
    // From EL1.
    vector kernel_synchronous
    vector kernel_interrupt
    vector kernel_interrupt
    vector kernel_system_error
    // From EL0.
    vector user_synchronous
    vector user_interrupt
    vector user_interrupt
    vector user_system_error
    // From EL0 in AArch32: never entered.
    vector_impossible 4
    vector_impossible 5
    vector_impossible 6
    vector_impossible 7

user_synchronous:
    save_first
    mrs     x9, esr_el1
    lsr     w9, w9, #26
    cmp     w9, #CLASS_SVC64
    b.ne    user_exception

    // System call. The handler keeps x19 to x28, so they need no slot.
    str     x29, [sp, #232]
    mrs     x9, sp_el0
    mrs     x10, elr_el1
    mrs     x11, spsr_el1
    stp     x30, x9, [sp, #240]
    stp     x10, x11, [sp, #256]
    mov     x29, xzr
    mov     x0, x16
    mov     x1, sp
    msr     daifclr, #3
    bl      {system_call}
    msr     daifset, #3
    ldp     x10, x11, [sp, #256]
    ldp     x30, x9, [sp, #240]
    ldr     x29, [sp, #232]
    msr     elr_el1, x10
    msr     spsr_el1, x11
    msr     sp_el0, x9
    ldr     x1, [sp, #8]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldr     x18, [sp, #144]
    add     sp, sp, #FRAME_BYTES
    eret

user_exception:
    save_rest user
    mov     x0, sp
    bl      {user_exception}
    restore_registers user

user_interrupt:
    save_registers user
    bl      {user_interrupt}
    restore_registers user

user_system_error:
    save_registers user
    mov     x0, sp
    bl      {system_error}

kernel_synchronous:
    // The stack may be what is broken: ask the MMU whether it can be written, before writing it. Its
    // register is the only memory that is free now; programs must not find anything in it later.
    msr     tpidrro_el0, x0
    sub     x0, sp, #STACK_RESERVE
    at      s1e1w, x0
    isb
    mrs     x0, par_el1
    tbnz    w0, #0, stack_overflow
    mrs     x0, tpidrro_el0
    msr     tpidrro_el0, xzr
    save_registers kernel
    mov     x0, sp
    bl      {kernel_exception}
    msr     daifset, #3
    restore_registers kernel

stack_overflow:
    // Onto the emergency stack, which ends where the per-CPU record begins. No program runs again, so
    // SP_EL0 is free to keep the old stack pointer.
    mov     x0, sp
    msr     sp_el0, x0
    mrs     x0, tpidr_el1
    mov     sp, x0
    mrs     x0, tpidrro_el0
    save_registers kernel
    mrs     x22, sp_el0
    str     x22, [sp, #248]
    mov     x0, sp
    bl      {stack_overflow}

kernel_interrupt:
    save_registers kernel
    bl      {kernel_interrupt}
    restore_registers kernel

kernel_system_error:
    save_registers kernel
    mov     x0, sp
    bl      {system_error}

// x1: which vector. What was in x1 is lost.
impossible:
    mrs     x2, tpidr_el1
    mov     sp, x2
    mov     x2, x1
    save_registers kernel
    mov     x0, sp
    mov     x1, x2
    bl      {impossible}

// Copies that may fault, which they do between user_copy_begin and user_copy_end. x11 is a number of
// `OnFault` for trap code to see, and is zero at the end. Trap code that ends a copy early makes it return
// with a number of `End` in x11 and the address of the fault in x1. x0 is the end of what was written.
// Loops change x0 to x11 and no other register.
//
// LDTR and STTR have the rights of EL0, whatever PAN says (Arm ARM C6.2.177), but move one register each.
//
// Without PAN, ordinary pairs move the bulk. EL1 may write no page that EL0 may not write, as nobody may
// write it then (AP[2:1], Arm ARM D8.4.1); but it may read pages that EL0 may only execute. So the blocks
// that lie in one page are first asked for with LDTR; a block in two pages is by itself and asked for at
// both ends. A program whose other thread makes a page execute-only in between reads its own code as it was
// just allowed to.

.equ BLOCK, 256
.equ PAGE_BYTES, 4096

// Branches to \to if the CPU has PAN (ID_AA64MMFR1_EL1.PAN, Arm ARM D19.2.65). Changes x3.
.macro branch_if_pan to
    mrs     x3, id_aa64mmfr1_el1
    tst     x3, #0xf00000
    b.ne    \to
.endm

.section .text.user_copy, "ax"
.global user_copy_begin
user_copy_begin:

// x0: destination, x1: source in user memory, x2: bytes
.global user_copy_in
user_copy_in:
    cmp     x2, #BLOCK
    b.lo    1f
    branch_if_pan 1f
    // x7: the bytes of the blocks up to the end of the page or of the copy, or of the one across the end.
8:  ldtrb   w3, [x1]
    orr     x7, x1, #PAGE_BYTES - 1
    sub     x7, x7, x1
    add     x7, x7, #1
    cmp     x7, x2
    csel    x7, x7, x2, lo
    ands    x7, x7, #-BLOCK
    b.ne    9f
    ldtrb   w3, [x1, #BLOCK - 1]
    mov     x7, #BLOCK
9:  sub     x2, x2, x7
7:  .rept BLOCK / 32
    ldp     x3, x4, [x1], #16
    ldp     x5, x6, [x1], #16
    stp     x3, x4, [x0], #16
    stp     x5, x6, [x0], #16
    .endr
    subs    x7, x7, #BLOCK
    b.ne    7b
    cmp     x2, #BLOCK
    b.hs    8b
    cbz     x2, 6f
1:  subs    x2, x2, #64
    b.lo    2f
    ldtr    x3, [x1]
    ldtr    x4, [x1, #8]
    ldtr    x5, [x1, #16]
    ldtr    x6, [x1, #24]
    ldtr    x7, [x1, #32]
    ldtr    x8, [x1, #40]
    ldtr    x9, [x1, #48]
    ldtr    x10, [x1, #56]
    add     x1, x1, #64
    stp     x3, x4, [x0]
    stp     x5, x6, [x0, #16]
    stp     x7, x8, [x0, #32]
    stp     x9, x10, [x0, #48]
    add     x0, x0, #64
    b       1b
2:  add     x2, x2, #64
3:  subs    x2, x2, #8
    b.lo    4f
    ldtr    x3, [x1]
    add     x1, x1, #8
    str     x3, [x0], #8
    b       3b
4:  adds    x2, x2, #8
    b.eq    6f
5:  ldtrb   w3, [x1]
    add     x1, x1, #1
    strb    w3, [x0], #1
    subs    x2, x2, #1
    b.ne    5b
6:  mov     x11, xzr
    ret

// x0: destination in user memory, x1: source, x2: bytes
.global user_copy_out
user_copy_out:
    cmp     x2, #BLOCK
    b.lo    1f
    branch_if_pan 1f
    and     x7, x2, #-BLOCK
    and     x2, x2, #BLOCK - 1
7:  .rept BLOCK / 32
    ldp     x3, x4, [x1], #16
    ldp     x5, x6, [x1], #16
    stp     x3, x4, [x0], #16
    stp     x5, x6, [x0], #16
    .endr
    subs    x7, x7, #BLOCK
    b.ne    7b
    cbz     x2, 6f
1:  subs    x2, x2, #64
    b.lo    2f
    ldp     x3, x4, [x1]
    ldp     x5, x6, [x1, #16]
    ldp     x7, x8, [x1, #32]
    ldp     x9, x10, [x1, #48]
    add     x1, x1, #64
    sttr    x3, [x0]
    sttr    x4, [x0, #8]
    sttr    x5, [x0, #16]
    sttr    x6, [x0, #24]
    sttr    x7, [x0, #32]
    sttr    x8, [x0, #40]
    sttr    x9, [x0, #48]
    sttr    x10, [x0, #56]
    add     x0, x0, #64
    b       1b
2:  add     x2, x2, #64
3:  subs    x2, x2, #8
    b.lo    4f
    ldr     x3, [x1], #8
    sttr    x3, [x0]
    add     x0, x0, #8
    b       3b
4:  adds    x2, x2, #8
    b.eq    6f
5:  ldrb    w3, [x1], #1
    sttrb   w3, [x0]
    add     x0, x0, #1
    subs    x2, x2, #1
    b.ne    5b
6:  mov     x11, xzr
    ret

// x0: destination in user memory, x1: bytes
.global user_fill_zero
user_fill_zero:
1:  subs    x1, x1, #32
    b.lo    2f
    sttr    xzr, [x0]
    sttr    xzr, [x0, #8]
    sttr    xzr, [x0, #16]
    sttr    xzr, [x0, #24]
    add     x0, x0, #32
    b       1b
2:  adds    x1, x1, #32
    b.eq    4f
3:  sttrb   wzr, [x0]
    add     x0, x0, #1
    subs    x1, x1, #1
    b.ne    3b
4:  mov     x11, xzr
    ret

.global user_copy_end
user_copy_end:

// x0: address in the kernel's half. Returns 1 and the word there, or 0 if it cannot be read.
.global probe_word
probe_word:
    ldr     x1, [x0]
    mov     x0, #1
    ret

.global probe_failed
probe_failed:
    mov     x0, xzr
    ret
