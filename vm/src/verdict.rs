//! What would happen if a program touched an address now.
//!
//! [`Explanation`] says what the regions allow, a [`Translation`] what the page table does. A [`Verdict`]
//! puts the two together, without touching anything:
//!
//! | page table | regions | verdict |
//! |---|---|---|
//! | allows it | | `Granted`: no fault |
//! | does not, or has nothing | allow it | `Resolved`: a fault that makes it possible |
//! | does not, or has nothing | refuse it | `Refused`, by a region or by the VMO |
//! | does not | know nothing | `Fixed`: a page of the kernel's image or of the direct map |

use crate::explain::{Backing, Explanation, Refusal};
use crate::mmu::{Access, Domain, Translation};

/// What would happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It works at once: the page table allows it.
    Granted,
    /// It faults, and works after the fault was resolved in this way.
    Resolved(Remedy),
    /// It faults, and a region or the VMO refuses it.
    Refused(Refusal),
    /// The page is mapped for good, with this access, and no region knows about it.
    Fixed(Access),
    /// The mapping allows it, but the page is not in the table, and faults of the kernel are not resolved.
    NotEntered,
}

/// How a fault would be resolved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// The VMO has no page there: the page of zeros is entered, read-only.
    ZeroPage,
    /// The VMO has no page there: one is made.
    FreshPage,
    /// The VMO has the page, and so have others: a copy is made, and entered.
    CopiedPage,
    /// The VMO has the page: it is entered.
    Enter,
    /// The page is in the table, allowing less than its mapping: it is made to allow more.
    Upgrade,
}

impl Explanation {
    /// What would happen if somebody in `domain` tried `access`, of one kind, at the address that is
    /// explained. `leaf` is what the page table says about it.
    pub fn verdict(&self, access: Access, domain: Domain, leaf: Option<Translation>) -> Verdict {
        let leaf = leaf.filter(|leaf| leaf.flags.domain == domain);
        if leaf.is_some_and(|leaf| leaf.flags.access.contains(access)) {
            return Verdict::Granted;
        }
        match (self.refusal(access), leaf) {
            (Some(Refusal::NotMapped), Some(leaf)) => Verdict::Fixed(leaf.flags.access),
            (Some(refusal), _) => Verdict::Refused(refusal),
            (None, _) if domain == Domain::Kernel => Verdict::NotEntered,
            (None, leaf) => Verdict::Resolved(self.remedy(access, leaf)),
        }
    }

    fn remedy(&self, access: Access, leaf: Option<Translation>) -> Remedy {
        match (self.backing, leaf) {
            (Some(Backing::Shared), _) if access.contains(Access::WRITE) => Remedy::CopiedPage,
            (Some(Backing::Present | Backing::Shared), Some(_)) => Remedy::Upgrade,
            (Some(Backing::Present | Backing::Shared), None) => Remedy::Enter,
            _ if access.contains(Access::WRITE) => Remedy::FreshPage,
            _ => Remedy::ZeroPage,
        }
    }
}

#[cfg(test)]
mod tests {
    use syscall::{Result, VmOptions};

    use super::*;
    use crate::addr::{PAGE_SIZE, VirtAddr};
    use crate::counters::{Event, Totals};
    use crate::mmu::Mmu;
    use crate::paging::Entry;
    use crate::sim::SimMmu;
    use crate::testing::*;
    use crate::vmar::OpChildren::Allowed;

    const KINDS: [Access; 3] = [Access::READ, Access::WRITE, Access::EXECUTE];

    fn verdict(world: &World, address: VirtAddr, access: Access) -> Verdict {
        let leaf = match world
            .space
            .mmu()
            .walk(address)
            .last()
            .map(|step| step.entry)
        {
            Some(Entry::Leaf(leaf)) => Some(leaf),
            Some(Entry::Empty | Entry::Table(_)) | None => None,
        };
        world
            .space
            .explain(address)
            .verdict(access, Domain::User, leaf)
    }

    fn touch(world: &World, address: VirtAddr, access: Access) -> Result<()> {
        match access {
            Access::READ => world.load(address).map(drop),
            Access::WRITE => world.store(address, 1),
            _ => world.fetch(address).map(drop),
        }
    }

    /// Checks that touching does what the verdict says, and takes what it says; answers the verdict.
    #[track_caller]
    fn check(world: &World, address: VirtAddr, access: Access) -> Verdict {
        let said = verdict(world, address, access);
        let before = Totals::from(SimMmu::counters());
        let result = touch(world, address, access);
        let counted = Totals::from(SimMmu::counters()).since(&before);
        let (event, status) = match said {
            Verdict::Granted => (None, Ok(())),
            Verdict::Resolved(Remedy::ZeroPage) => (Some(Event::ZeroPage), Ok(())),
            Verdict::Resolved(Remedy::FreshPage) => (Some(Event::FreshPage), Ok(())),
            Verdict::Resolved(Remedy::CopiedPage) => (Some(Event::CopiedPage), Ok(())),
            Verdict::Resolved(Remedy::Enter) => (Some(Event::PresentPage), Ok(())),
            Verdict::Resolved(Remedy::Upgrade) => (Some(Event::Upgrade), Ok(())),
            Verdict::Refused(refusal) => {
                let status = refusal.status();
                (Some(Event::refused(status)), Err(status))
            }
            Verdict::Fixed(_) | Verdict::NotEntered => panic!("a program's page is {said:?}"),
        };
        assert_eq!(result, status, "{said:?}");
        let faults = Event::ALL[..=Event::Repeated as usize]
            .iter()
            .chain(&Event::ALL[Event::NotFound as usize..=Event::OtherStatus as usize]);
        for other in faults {
            let times = u64::from(event == Some(*other));
            assert_eq!(counted.of(*other), times, "{other:?} after {said:?}");
        }
        said
    }

    #[test]
    fn each_verdict_comes_true() {
        let world = World::new();
        let (vmar, vmo) = (world.vmar(8), world.vmo(3));
        vmo.write(2 * PAGE_SIZE as u64, &[1]).expect("memory");
        vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
        let at = |page| page_of(&vmar, page);
        let resolved = |remedy| Verdict::Resolved(remedy);
        assert_eq!(
            check(&world, at(0), Access::READ),
            resolved(Remedy::ZeroPage)
        );
        assert_eq!(check(&world, at(0), Access::READ), Verdict::Granted);
        assert_eq!(
            check(&world, at(0), Access::WRITE),
            resolved(Remedy::FreshPage)
        );
        assert_eq!(
            check(&world, at(1), Access::WRITE),
            resolved(Remedy::FreshPage)
        );
        assert_eq!(check(&world, at(2), Access::READ), resolved(Remedy::Enter));
        assert_eq!(check(&world, at(2), Access::WRITE), Verdict::Granted);
        vmar.protect(R, at(2), PAGE_SIZE, Allowed).expect("mapped");
        assert!(matches!(
            check(&world, at(2), Access::WRITE),
            Verdict::Refused(Refusal::NotAllowed { .. })
        ));
        vmar.protect(RW, at(2), PAGE_SIZE, Allowed).expect("mapped");
        assert_eq!(
            check(&world, at(2), Access::WRITE),
            resolved(Remedy::Upgrade)
        );
        assert!(matches!(
            check(&world, at(3), Access::READ),
            Verdict::Refused(Refusal::BeyondVmo { .. })
        ));
        assert_eq!(
            check(&world, at(5), Access::EXECUTE),
            Verdict::Refused(Refusal::NotMapped)
        );
        drop((vmar, vmo));
        finish(world);
    }

    #[test]
    fn verdicts_come_true_whatever_was_done_before() {
        const PAGES: usize = 12;
        let world = World::new();
        let (vmar, vmo) = (world.vmar(PAGES), world.vmo(PAGES - 2));
        vmar.map(request_at(0, &vmo, 0, PAGES - 1)).expect("free");
        let choices = [R, RW, RX, VmOptions::empty()];
        for _ in 0..2_000 {
            let page = page_of(&vmar, random() as usize % PAGES);
            if random().is_multiple_of(4) {
                let options = choices[random() as usize % choices.len()];
                let _ = vmar.protect(options, page, PAGE_SIZE, Allowed);
            } else {
                check(&world, page, KINDS[random() as usize % KINDS.len()]);
            }
        }
        drop((vmar, vmo));
        finish(world);
    }

    #[test]
    fn what_is_mapped_for_good_is_judged_by_the_table_alone() {
        let world = World::new();
        let nowhere = world.space.explain(VirtAddr::new(ROOT_BASE));
        let leaf = Translation {
            address: crate::addr::PhysAddr::new(0x5000),
            flags: crate::mmu::MapFlags {
                access: Access::READ,
                memory: crate::mmu::MemoryType::Cached,
                domain: Domain::Kernel,
            },
            size: crate::mmu::PageSize::Base,
        };
        let verdict = |access, domain| nowhere.verdict(access, domain, Some(leaf));
        assert_eq!(verdict(Access::READ, Domain::Kernel), Verdict::Granted);
        let fixed = Verdict::Fixed(Access::READ);
        assert_eq!(verdict(Access::WRITE, Domain::Kernel), fixed);
        // For a program there is nothing.
        let refused = Verdict::Refused(Refusal::NotMapped);
        assert_eq!(verdict(Access::READ, Domain::User), refused);
        finish(world);
    }
}
