// The first instructions on aarch64: a Linux arm64 Image (Documentation/arch/arm64/booting.rst), and
// the start of the other CPUs by PSCI.
//
// Both begin with MMU and caches off, at EL1 or EL2, anywhere in memory on a 2 MiB boundary, and end in
// Rust, at EL1, in the kernel's half. Until the MMU is on, `adrp` yields physical addresses; the
// kernel's linked addresses are only used from `higher_half` on.
//
// The boot tables, each one page:
//
//   boot_l0 ─┬─ [0]   ► boot_physmap: 512 blocks of 1 GiB, physical memory from 0. Below the block that
//            │          the kernel was loaded to is device memory; the rest is cached memory.
//            └─ [511] ► boot_kernel_l1 [510] ► boot_kernel_l2: the image in blocks of 2 MiB.
//
// Both halves use boot_l0, so the lower half is an identity map and the upper half the direct map.

.equ BLOCK_NORMAL, 0x701           // valid block, attribute index 0, inner shareable, accessed
.equ BLOCK_DEVICE, 0x0060000000000409 // valid block, attribute index 2, accessed, never executable
.equ TABLE, 3
.equ SCTLR_MMU_OFF, 0x30d00800     // SCTLR_EL1: only the bits that are reserved as one
.equ SCTLR_MMU_ON, 0x30d01805      // and M, C, I
.equ SPSR_EL1H, 0x3c5              // EL1 with its own stack pointer, all interrupts masked

.section .boot.text, "ax"

.global _start
_start:
    b       boot_cpu
    .long   0
    .quad   0x200000               // text_offset
    .quad   __image_bytes          // with bss
    .quad   0xa                    // little endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

// x0: physical address of the device tree
boot_cpu:
    mov     x19, x0
    mrs     x22, cntvct_el0        // kept for `boot_entry`
    bl      drop_to_el1
    bl      fill_boot_tables
    adrp    x0, boot_l0
    mov     x1, x0
    bl      enable_mmu
    ldr     x9, =boot_higher_half
    br      x9

boot_higher_half:
    adrp    x9, __boot_stack_end
    add     sp, x9, :lo12:__boot_stack_end
    adrp    x9, __bss_start
    add     x9, x9, :lo12:__bss_start
    adrp    x10, __bss_end
    add     x10, x10, :lo12:__bss_end
1:  cmp     x9, x10
    b.hs    2f
    stp     xzr, xzr, [x9], #16
    b       1b
2:  mov     x0, x19
    mov     x1, x21
    mov     x2, x22
    mov     x29, xzr
    mov     x30, xzr
    b       boot_entry

// Where PSCI starts another CPU. x0: physical address of its SecondaryStart.
.global secondary_start
secondary_start:
    mov     x19, x0
    bl      drop_to_el1
    adrp    x0, boot_l0
    ldr     x1, [x19, #0]
    bl      enable_mmu
    ldr     x9, =secondary_higher_half
    br      x9

secondary_higher_half:
    // The identity map is still there, so x19 can be read as it is.
    ldr     x9, [x19, #8]
    mov     sp, x9
    ldr     x0, [x19, #16]
    ldr     x9, [x19, #24]
    mov     x29, xzr
    mov     x30, xzr
    br      x9

// Goes on at EL1, with the MMU off and interrupts masked. Keeps x19 and up.
drop_to_el1:
    msr     daifset, #0xf
    ldr     x10, =SCTLR_MMU_OFF
    mrs     x9, CurrentEL
    cmp     x9, #(2 << 2)
    b.eq    1f
    msr     sctlr_el1, x10
    isb
    msr     spsel, #1
    ret
1:  msr     sctlr_el1, x10
    // HCR_EL2: EL1 is AArch64 (RW), pointer authentication is not trapped (API, APK).
    mov     x9, #(1 << 31)
    orr     x9, x9, #(3 << 40)
    msr     hcr_el2, x9
    // EL1 may use the counters and its physical timer; the virtual counter is the physical one.
    mov     x9, #3
    msr     cnthctl_el2, x9
    msr     cntvoff_el2, xzr
    // CPTR_EL2: only what is reserved as one, and SVE stays trapped. HSTR_EL2: nothing.
    mov     x9, #0x33ff
    msr     cptr_el2, x9
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    // MDCR_EL2.HPMN: EL1 may use all event counters.
    mrs     x9, pmcr_el0
    ubfx    x9, x9, #11, #5
    msr     mdcr_el2, x9
    mrs     x9, midr_el1
    msr     vpidr_el2, x9
    mrs     x9, mpidr_el1
    msr     vmpidr_el2, x9
    // ID_AA64PFR0_EL1.GIC: EL1 may use the system registers of a GICv3 (ICC_SRE_EL2, ICH_HCR_EL2).
    mrs     x9, id_aa64pfr0_el1
    ubfx    x9, x9, #24, #4
    cbz     x9, 2f
    mrs     x9, s3_4_c12_c9_5
    orr     x9, x9, #8
    orr     x9, x9, #1
    msr     s3_4_c12_c9_5, x9
    isb
    msr     s3_4_c12_c11_0, xzr
2:  mov     x9, #SPSR_EL1H
    msr     spsr_el2, x9
    msr     elr_el2, x30
    eret

// Fills the boot tables; leaves the physical address of the image in x21.
fill_boot_tables:
    adrp    x21, _start
    adrp    x0, boot_l0
    adrp    x1, boot_tables_end
    mov     x2, x0
1:  stp     xzr, xzr, [x2], #16
    cmp     x2, x1
    b.lo    1b

    adrp    x1, boot_physmap
    orr     x2, x1, #TABLE
    str     x2, [x0]
    adrp    x3, boot_kernel_l1
    orr     x2, x3, #TABLE
    str     x2, [x0, #(511 * 8)]
    adrp    x4, boot_kernel_l2
    orr     x2, x4, #TABLE
    str     x2, [x3, #(510 * 8)]

    // x5: block that the kernel is in, x6: block, x7: its address.
    lsr     x5, x21, #30
    mov     x6, xzr
    ldr     x8, =BLOCK_DEVICE
    mov     x9, #BLOCK_NORMAL
2:  lsl     x7, x6, #30
    cmp     x6, x5
    csel    x2, x8, x9, lo
    orr     x2, x2, x7
    str     x2, [x1, x6, lsl #3]
    add     x6, x6, #1
    cmp     x6, #512
    b.lo    2b

    // The image is linked 2 MiB above boot_kernel_l2's first address.
    ldr     x5, =__image_bytes
    add     x5, x5, x21
    mov     x7, x21
    add     x4, x4, #8
3:  orr     x2, x7, x9
    str     x2, [x4], #8
    add     x7, x7, #(2 << 20)
    cmp     x7, x5
    b.lo    3b

    // Lines of the tables that a loader left in the caches must not hide what was just written.
    adrp    x1, boot_tables_end
    dmb     sy
4:  dc      ivac, x0
    add     x0, x0, #16
    cmp     x0, x1
    b.lo    4b
    dsb     sy
    ret

// x0: TTBR0_EL1, x1: TTBR1_EL1. Returns at the physical address, so TTBR0 must map it.
enable_mmu:
    ldr     x9, ={MAIR}
    msr     mair_el1, x9
    // TCR_EL1.IPS: as many physical address bits as there are, at most 48.
    ldr     x9, ={TCR}
    mrs     x10, id_aa64mmfr0_el1
    and     x11, x10, #0xf
    mov     x12, #5
    cmp     x11, x12
    csel    x11, x11, x12, lo
    orr     x9, x9, x11, lsl #32
    // TCR_EL1.AS: 16-bit address-space identifiers where there are such.
    ubfx    x11, x10, #5, #1
    orr     x9, x9, x11, lsl #36
    msr     tcr_el1, x9
    msr     ttbr0_el1, x0
    msr     ttbr1_el1, x1
    dsb     sy
    isb
    tlbi    vmalle1
    dsb     nsh
    ic      iallu
    dsb     nsh
    isb
    ldr     x9, =SCTLR_MMU_ON
    msr     sctlr_el1, x9
    isb
    ret

// x0: TTBR1_EL1, x1: a root without entries. Runs from the identity map; uses no stack.
.global replace_tables
replace_tables:
    msr     ttbr1_el1, x1
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     ttbr1_el1, x0
    isb
    ret

.ltorg

.section .boot.tables, "aw", %nobits
.balign 4096
boot_l0:        .skip 4096
boot_physmap:   .skip 4096
boot_kernel_l1: .skip 4096
boot_kernel_l2: .skip 4096
boot_tables_end:
