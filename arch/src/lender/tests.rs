//! Tests of lending tags, with CPUs that remember.

use std::boxed::Box;
use std::collections::HashMap;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const CPUS: usize = 3;
const SPACES: usize = 12;
const FEW_TAGS: usize = 6;

fn cpu(index: usize) -> CpuId {
    CpuId::new(index).expect("a possible CPU")
}

/// CPUs that remember by tag which address space they used, until they are told to forget.
struct Machine {
    lender: Box<Lender>,
    loans: [Loan; SPACES],
    active: [Option<usize>; CPUS],
    remembered: [HashMap<u16, usize>; CPUS],
}

impl Machine {
    fn new() -> Self {
        Self {
            lender: Box::new(Lender::new()),
            loans: [Loan::NONE; SPACES],
            active: [None; CPUS],
            remembered: Default::default(),
        }
    }

    fn activate(&mut self, space: usize, on: usize) {
        let Activation { loan, forget_all } =
            self.lender.activate(self.loans[space], cpu(on), FEW_TAGS);
        if forget_all {
            self.remembered.iter_mut().for_each(HashMap::clear);
            // CPUs that run go on and fill their TLBs again.
            for (cpu, active) in self.active.iter().enumerate().filter(|(cpu, _)| *cpu != on) {
                if let Some((space, tag)) =
                    active.and_then(|space| Some((space, self.loans[space].tag()?)))
                {
                    self.remembered[cpu].insert(tag, space);
                }
            }
        }
        // It is kept as a number, as page tables do.
        self.loans[space] = Loan::from_raw(loan.raw());
        self.active[on] = Some(space);
        let tag = loan.tag().expect("an active space has a tag");
        let before = self.remembered[on].insert(tag, space);
        assert!(
            before.is_none_or(|before| before == space),
            "the CPU mixes up {before:?} and {space}"
        );
    }

    fn deactivate(&mut self, on: usize) {
        self.lender.deactivate(cpu(on));
        self.active[on] = None;
    }

    fn destroy(&mut self, space: usize) {
        if self.active.contains(&Some(space)) {
            return;
        }
        if let Some(tag) = self.loans[space].tag() {
            self.remembered
                .iter_mut()
                .for_each(|known| known.retain(|known, _| *known != tag));
        }
        self.lender.release(self.loans[space]);
        self.loans[space] = Loan::NONE;
    }

    /// All CPUs that use a space know it by the tag that invalidations name.
    fn check(&self) {
        for (on, active) in self.active.iter().enumerate() {
            let Some(space) = *active else { continue };
            let tag = self.loans[space].tag().expect("an active space has a tag");
            assert_eq!(self.lender.active[on].tag(), Some(tag));
            let others = self
                .active
                .iter()
                .flatten()
                .filter(|other| **other != space);
            let tags: Vec<_> = others.map(|other| self.loans[*other].tag()).collect();
            assert!(
                !tags.contains(&Some(tag)),
                "two active spaces share tag {tag}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_cpu_mixes_up_address_spaces(
        steps in proptest::collection::vec((0..8usize, 0..SPACES, 0..CPUS), 1..400),
    ) {
        let mut machine = Machine::new();
        for (what, space, on) in steps {
            match what {
                0 => machine.deactivate(on),
                1 => machine.destroy(space),
                _ => machine.activate(space, on),
            }
            machine.check();
        }
    }
}

#[test]
fn a_loan_lasts_until_the_tags_are_used_up() {
    let mut lender = Box::new(Lender::new());
    let mut lend = |loan| lender.activate(loan, CpuId::BOOT, FEW_TAGS);
    let loans: Vec<_> = (1..FEW_TAGS).map(|_| lend(Loan::NONE).loan).collect();
    let tags: Vec<_> = loans.iter().filter_map(|loan| loan.tag()).collect();
    assert_eq!(tags, [1, 2, 3, 4, 5]);
    assert_eq!(
        lend(loans[0]),
        Activation {
            loan: loans[0],
            forget_all: false
        }
    );
    let next = lend(Loan::NONE);
    assert!(next.forget_all);
    assert_eq!(next.loan.tag(), Some(2), "tag 1 is in use");
    assert_ne!(lend(loans[3]).loan, loans[3], "it was called in");
}

#[test]
fn a_tag_that_is_given_back_is_lent_again() {
    let mut lender = Box::new(Lender::new());
    let lent = lender.activate(Loan::NONE, CpuId::BOOT, 2).loan;
    lender.deactivate(CpuId::BOOT);
    lender.release(lent);
    assert_eq!(
        lender.activate(Loan::NONE, CpuId::BOOT, 2),
        Activation {
            loan: lent,
            forget_all: false
        }
    );
}

#[test]
#[should_panic(expected = "while a CPU uses it")]
fn a_loan_in_use_is_not_taken_back() {
    let mut lender = Box::new(Lender::new());
    let lent = lender.activate(Loan::NONE, CpuId::BOOT, FEW_TAGS).loan;
    lender.release(lent);
}
