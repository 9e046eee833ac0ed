//! Address-space identifiers (Arm ARM D8.16.3), lent by [`crate::lender`]: there are 256 or 65536 of them.

use core::sync::atomic::{AtomicU64, Ordering};

use vm::cpu::CpuId;

use super::super::features::{Features, features};
use super::tlb;
use crate::irq_lock::IrqLock;
use crate::lender::{Lender, Loan};

const MANY: usize = 1 << 16;
const FEW: usize = 1 << 8;

/// What the kernel's own threads use, when no program's tables are active.
pub(super) const NOBODY: u16 = 0;

static LENDER: IrqLock<Lender> = IrqLock::new(Lender::new());

/// One address space's identifier: a [`Loan`], as a number, that changes under the lender's lock only.
#[derive(Debug, Default)]
pub struct Asid(AtomicU64);

impl Asid {
    /// No identifier yet.
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(Loan::NONE.raw()))
    }

    /// What CPUs may know translations by; `None` if no CPU ever used these tables.
    #[inline]
    pub(super) fn identifier(&self) -> Option<u16> {
        self.loan().tag()
    }

    /// Has `cpu`, the current one, use this address space: calls `switch` with the identifier, with
    /// interrupts off.
    #[inline]
    pub(super) fn activate(&self, cpu: CpuId, switch: impl FnOnce(u16)) {
        let count = if features().contains(Features::ASID16) {
            MANY
        } else {
            FEW
        };
        let mut lender = LENDER.lock();
        let activation = lender.activate(self.loan(), cpu, count);
        self.0.store(activation.loan.raw(), Ordering::Relaxed);
        if activation.forget_all {
            tlb::forget_everything();
        }
        switch(activation.loan.tag().unwrap_or(NOBODY));
    }

    /// Gives the identifier back and has all CPUs forget its translations.
    ///
    /// # Panics
    /// If a CPU still uses it.
    pub(super) fn release(&self) {
        tlb::forget_space(self);
        LENDER.lock().release(self.loan());
    }

    fn loan(&self) -> Loan {
        Loan::from_raw(self.0.load(Ordering::Relaxed))
    }
}

/// Has `cpu`, the current one, use no program's address space: calls `switch` with interrupts off.
#[inline]
pub(super) fn deactivate(cpu: CpuId, switch: impl FnOnce()) {
    let mut lender = LENDER.lock();
    lender.deactivate(cpu);
    switch();
}
