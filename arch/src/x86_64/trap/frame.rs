//! The registers of whoever was interrupted.

use core::fmt;

use vm::addr::VirtAddr;

use crate::handlers::Origin;

/// All registers, as the entry code pushes them; the last five are the CPU's own
/// (Intel SDM 3A, 6.14.2 "64-Bit Mode Stack Frame").
#[derive(Clone, Debug)]
#[repr(C)]
pub struct TrapFrame {
    pub(in crate::machine) r15: usize,
    pub(in crate::machine) r14: usize,
    pub(in crate::machine) r13: usize,
    pub(in crate::machine) r12: usize,
    pub(in crate::machine) rbp: usize,
    pub(in crate::machine) rbx: usize,
    pub(in crate::machine) r11: usize,
    pub(in crate::machine) r10: usize,
    pub(in crate::machine) r9: usize,
    pub(in crate::machine) r8: usize,
    pub(in crate::machine) rdi: usize,
    pub(in crate::machine) rsi: usize,
    pub(in crate::machine) rdx: usize,
    pub(in crate::machine) rcx: usize,
    pub(in crate::machine) rax: usize,
    pub(in crate::machine) vector: usize,
    pub(in crate::machine) error_code: usize,
    pub(in crate::machine) rip: usize,
    pub(in crate::machine) cs: usize,
    pub(in crate::machine) rflags: usize,
    pub(in crate::machine) rsp: usize,
    pub(in crate::machine) ss: usize,
}

impl TrapFrame {
    /// All registers zero.
    pub(in crate::machine) const ZERO: Self = Self {
        r15: 0,
        r14: 0,
        r13: 0,
        r12: 0,
        r11: 0,
        r10: 0,
        r9: 0,
        r8: 0,
        rdi: 0,
        rsi: 0,
        rbp: 0,
        rbx: 0,
        rdx: 0,
        rcx: 0,
        rax: 0,
        vector: 0,
        error_code: 0,
        rip: 0,
        cs: 0,
        rflags: 0,
        rsp: 0,
        ss: 0,
    };

    /// The instruction that was interrupted.
    pub fn program_counter(&self) -> VirtAddr {
        VirtAddr::new(self.rip)
    }

    /// The stack pointer at that moment.
    pub fn stack_pointer(&self) -> VirtAddr {
        VirtAddr::new(self.rsp)
    }

    /// The frame pointer at that moment.
    pub fn frame_pointer(&self) -> VirtAddr {
        VirtAddr::new(self.rbp)
    }

    /// From which side the trap came.
    #[inline]
    pub fn origin(&self) -> Origin {
        const REQUESTED_PRIVILEGE: usize = 3;
        if self.cs & REQUESTED_PRIVILEGE == 0 {
            Origin::Kernel
        } else {
            Origin::User
        }
    }

    /// Whether interrupts were on.
    #[inline]
    pub(in crate::machine) fn had_interrupts(&self) -> bool {
        const INTERRUPTS: usize = 1 << 9;
        self.rflags & INTERRUPTS != 0
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            [
                ("rax", self.rax),
                ("rbx", self.rbx),
                ("rcx", self.rcx),
                ("rdx", self.rdx),
            ],
            [
                ("rsi", self.rsi),
                ("rdi", self.rdi),
                ("rbp", self.rbp),
                ("rsp", self.rsp),
            ],
            [
                (" r8", self.r8),
                (" r9", self.r9),
                ("r10", self.r10),
                ("r11", self.r11),
            ],
            [
                ("r12", self.r12),
                ("r13", self.r13),
                ("r14", self.r14),
                ("r15", self.r15),
            ],
            [
                ("rip", self.rip),
                ("flg", self.rflags),
                (" cs", self.cs),
                (" ss", self.ss),
            ],
        ];
        for line in lines {
            for (name, value) in line {
                write!(formatter, "  {name} {value:016x}")?;
            }
            writeln!(formatter)?;
        }
        write!(
            formatter,
            "  vector {}, error code {:#x}",
            self.vector, self.error_code
        )
    }
}
