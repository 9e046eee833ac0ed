//! Address-space identifiers (Arm ARM D8.16.3): tags that let translations of several programs stay in
//! the TLBs together.
//!
//! There are 256 or 65536 of them, so they are lent. Each loan belongs to a generation; when all are lent, a
//! new generation begins, in which only those that a CPU uses at that moment are still taken, and
//! all translations of programs are forgotten. An address space that comes back with a loan of an
//! older generation gets a new one, unless a CPU has used the old one all the time.
//!
//! All decisions are made under one lock, so that no CPU starts to use a loan while it is called in.

use core::sync::atomic::{AtomicU64, Ordering};

use vm::cpu::{CpuId, MAX_CPUS};

use super::super::features::{Features, features};
use super::tlb;
use crate::irq_lock::IrqLock;

/// One address space's loan: generation and identifier, or 0 before the first.
#[derive(Debug, Default)]
pub struct Asid(AtomicU64);

/// Bits of an identifier.
const BITS: u32 = 16;
const IDENTIFIERS: usize = 1 << BITS;
const FEW_IDENTIFIERS: usize = 1 << 8;
const WORD_BITS: usize = u64::BITS as usize;

/// What the kernel's own threads use, when no program's tables are active.
pub(super) const NOBODY: u16 = 0;

/// 1. A bit of `taken` is set if the identifier is lent in this generation, or was active when it began.
/// 2. `active` has the loan that each CPU uses; 0 for none.
struct Lender {
    generation: u64,
    taken: [u64; IDENTIFIERS / WORD_BITS],
    next: usize,
    active: [u64; MAX_CPUS],
}

static LENDER: IrqLock<Lender> = IrqLock::new(Lender {
    generation: 1 << BITS,
    taken: [0; IDENTIFIERS / WORD_BITS],
    next: 1,
    active: [0; MAX_CPUS],
});

impl Asid {
    /// No loan yet.
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The identifier that CPUs may know translations by; `None` if no CPU ever used these tables.
    #[inline]
    pub(super) fn identifier(&self) -> Option<u16> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            loan => Some(identifier(loan)),
        }
    }

    /// Has `cpu`, the current one, use this address space: calls `switch` with the identifier, with
    /// interrupts off.
    #[inline]
    pub(super) fn activate(&self, cpu: CpuId, switch: impl FnOnce(u16)) {
        let mut lender = LENDER.lock();
        let mut loan = self.0.load(Ordering::Relaxed);
        if loan >> BITS << BITS != lender.generation {
            loan = lender.renew(loan);
            self.0.store(loan, Ordering::Relaxed);
        }
        lender.active[cpu.index()] = loan;
        switch(identifier(loan));
    }

    /// Gives the loan back and has all CPUs forget its translations.
    ///
    /// # Panics
    /// If a CPU still uses it.
    pub(super) fn release(&self) {
        let loan = self.0.load(Ordering::Relaxed);
        if loan == 0 {
            return;
        }
        tlb::forget_space(self);
        let mut lender = LENDER.lock();
        assert!(
            !lender.active.contains(&loan),
            "an address space goes while a CPU uses it"
        );
        if loan >> BITS << BITS == lender.generation {
            lender.set(identifier(loan) as usize, false);
        }
    }
}

/// Has `cpu`, the current one, use no program's address space: calls `switch` with interrupts off.
#[inline]
pub(super) fn deactivate(cpu: CpuId, switch: impl FnOnce()) {
    let mut lender = LENDER.lock();
    lender.active[cpu.index()] = 0;
    switch();
}

impl Lender {
    /// A loan of this generation instead of `old`.
    fn renew(&mut self, old: u64) -> u64 {
        if old != 0 && self.active.contains(&old) {
            // Its identifier was kept for it.
            return self.keep(old);
        }
        let free = self.find_free().or_else(|| {
            self.begin_generation();
            self.find_free()
        });
        let found = free.expect("more identifiers than CPUs");
        self.set(found, true);
        self.next = found + 1;
        self.generation | found as u64
    }

    /// The same identifier in this generation.
    fn keep(&mut self, old: u64) -> u64 {
        let renewed = self.generation | u64::from(identifier(old));
        for active in self.active.iter_mut().filter(|active| **active == old) {
            *active = renewed;
        }
        renewed
    }

    /// Calls in all loans but those that CPUs use.
    fn begin_generation(&mut self) {
        self.generation += 1 << BITS;
        self.taken.fill(0);
        for index in 0..MAX_CPUS {
            if self.active[index] != 0 {
                self.set(identifier(self.active[index]) as usize, true);
            }
        }
        self.next = 1;
        tlb::forget_everything();
    }

    /// An identifier that is not taken, looking first behind the one that was found last.
    fn find_free(&self) -> Option<usize> {
        let is_wide = features().contains(Features::ASID16);
        let count = if is_wide {
            IDENTIFIERS
        } else {
            FEW_IDENTIFIERS
        };
        let is_free = |index: &usize| self.taken[index / WORD_BITS] & 1 << (index % WORD_BITS) == 0;
        (self.next..count)
            .chain(1..self.next.min(count))
            .find(is_free)
    }

    fn set(&mut self, index: usize, taken: bool) {
        let bit = 1 << (index % WORD_BITS);
        match taken {
            true => self.taken[index / WORD_BITS] |= bit,
            false => self.taken[index / WORD_BITS] &= !bit,
        }
    }
}

const fn identifier(loan: u64) -> u16 {
    (loan % (1 << BITS)) as u16
}
