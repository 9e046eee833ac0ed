//! Lending tags for address spaces when there are more spaces than tags.
//!
//! A tag lets the translations of several address spaces stay in the TLBs together. Each loan belongs to a
//! generation; when all tags are lent, a new generation begins, in which only those that a CPU uses at
//! that moment are still taken, and everything that TLBs know by tags is to be forgotten. An address space
//! that comes back with a loan of an older generation gets a new one, unless a CPU has used the old one all
//! the time.
//!
//! Whoever owns a [`Lender`] keeps it under one lock, so that no CPU begins to use a loan while it is called
//! in.

use vm::cpu::{CpuId, MAX_CPUS};

/// Bits of a tag, at most.
pub(crate) const TAG_BITS: u32 = 16;

const TAGS: usize = 1 << TAG_BITS;
const WORD_BITS: usize = u64::BITS as usize;

/// A generation, and below it a tag. An address space begins with [`Loan::NONE`] and keeps what it got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Loan(u64);

/// What has to be done so that a CPU can use a loan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a new generation begins with TLBs that know nothing"]
pub(crate) struct Activation {
    /// The address space's loan from now on.
    pub(crate) loan: Loan,
    /// Whether all CPUs have to forget all tagged translations before.
    pub(crate) forget_all: bool,
}

/// The tags, and who uses them.
///
/// 1. A bit of `taken` is set if the tag is lent in this generation, or was in use when it began; that of
///    tag 0 never matters, because 0 is not lent.
/// 2. `active` has the loan that each CPU uses.
pub(crate) struct Lender {
    generation: u64,
    taken: [u64; TAGS / WORD_BITS],
    next: usize,
    active: [Loan; MAX_CPUS],
}

impl Loan {
    /// No loan.
    pub(crate) const NONE: Self = Self(0);

    /// From what [`raw`](Self::raw) gave.
    pub(crate) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// A number to keep; 0 for [`NONE`](Self::NONE).
    pub(crate) const fn raw(self) -> u64 {
        self.0
    }

    /// The tag; `None` if there is no loan.
    pub(crate) const fn tag(self) -> Option<u16> {
        match self.0 {
            0 => None,
            raw => Some((raw % TAGS as u64) as u16),
        }
    }

    const fn generation(self) -> u64 {
        self.0 >> TAG_BITS
    }

    /// The index of the tag in `taken`.
    const fn index(self) -> usize {
        self.0 as usize % TAGS
    }
}

impl Lender {
    /// All tags are free.
    pub(crate) const fn new() -> Self {
        Self {
            generation: 1,
            taken: [0; TAGS / WORD_BITS],
            next: 1,
            active: [Loan::NONE; MAX_CPUS],
        }
    }

    /// Has `cpu` use an address space that has `loan`, where there are `tags` tags: more than CPUs, at most
    /// 65536.
    pub(crate) fn activate(&mut self, loan: Loan, cpu: CpuId, tags: usize) -> Activation {
        let activation = if loan.generation() == self.generation {
            Activation {
                loan,
                forget_all: false,
            }
        } else {
            self.renew(loan, tags)
        };
        self.active[cpu.index()] = activation.loan;
        activation
    }

    /// Has `cpu` use no address space.
    pub(crate) fn deactivate(&mut self, cpu: CpuId) {
        self.active[cpu.index()] = Loan::NONE;
    }

    /// Takes back the loan of an address space that is gone. TLBs know nothing by its tag any more.
    ///
    /// # Panics
    /// If a CPU still uses it.
    pub(crate) fn release(&mut self, loan: Loan) {
        if loan == Loan::NONE {
            return;
        }
        assert!(
            !self.active.contains(&loan),
            "an address space goes while a CPU uses it"
        );
        if loan.generation() == self.generation {
            self.give_back(loan.index());
        }
    }

    /// A loan of this generation instead of `old`.
    fn renew(&mut self, old: Loan, tags: usize) -> Activation {
        if old != Loan::NONE && self.active.contains(&old) {
            // Its tag was kept for it.
            return Activation {
                loan: self.keep(old),
                forget_all: false,
            };
        }
        let (tag, forget_all) = match self.find_free(tags) {
            Some(tag) => (tag, false),
            None => {
                self.begin_generation();
                (self.find_free(tags).expect("more tags than CPUs"), true)
            }
        };
        self.take(tag);
        self.next = tag + 1;
        Activation {
            loan: self.loan(tag),
            forget_all,
        }
    }

    /// The same tag in this generation, for all CPUs that use it.
    fn keep(&mut self, old: Loan) -> Loan {
        let renewed = self.loan(old.index());
        for active in self.active.iter_mut().filter(|active| **active == old) {
            *active = renewed;
        }
        renewed
    }

    /// Calls in all loans but those that CPUs use.
    fn begin_generation(&mut self) {
        self.generation += 1;
        self.taken.fill(0);
        for cpu in 0..MAX_CPUS {
            self.take(self.active[cpu].index());
        }
        self.next = 1;
    }

    /// A tag that is not taken, looking first behind the one that was found last.
    fn find_free(&self, tags: usize) -> Option<usize> {
        let is_free = |tag: &usize| self.taken[tag / WORD_BITS] & 1 << (tag % WORD_BITS) == 0;
        (self.next..tags)
            .chain(1..self.next.min(tags))
            .find(is_free)
    }

    const fn take(&mut self, tag: usize) {
        self.taken[tag / WORD_BITS] |= 1 << (tag % WORD_BITS);
    }

    const fn give_back(&mut self, tag: usize) {
        self.taken[tag / WORD_BITS] &= !(1 << (tag % WORD_BITS));
    }

    const fn loan(&self, tag: usize) -> Loan {
        Loan(self.generation << TAG_BITS | tag as u64)
    }
}

#[cfg(test)]
mod tests;
