//! Random steps, compared with a plain set of frames.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Allocate {
        cpu: usize,
    },
    Free {
        cpu: usize,
        which: usize,
    },
    AllocateRun {
        cpu: usize,
        count: usize,
        align: u32,
    },
    FreeRun {
        cpu: usize,
        which: usize,
    },
    FreeMany {
        cpu: usize,
        count: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let cpu = 0..3_usize;
    prop_oneof![
        4 => cpu.clone().prop_map(|cpu| Step::Allocate { cpu }),
        3 => (cpu.clone(), any::<usize>()).prop_map(|(cpu, which)| Step::Free { cpu, which }),
        2 => (cpu.clone(), 1..150_usize, 12..20_u32)
            .prop_map(|(cpu, count, align)| Step::AllocateRun { cpu, count, align }),
        2 => (cpu.clone(), any::<usize>()).prop_map(|(cpu, which)| Step::FreeRun { cpu, which }),
        1 => (cpu, 1..100_usize).prop_map(|(cpu, count)| Step::FreeMany { cpu, count }),
    ]
}

/// What should be true, and the frames to check it by.
struct Model {
    pages: &'static PageDatabase,
    free: BTreeSet<PhysAddr>,
    singles: Vec<Frame<owner::Vmo>>,
    runs: Vec<FrameRun<owner::Heap>>,
}

fn addresses(range: PhysRange) -> impl Iterator<Item = PhysAddr> {
    (range.base().raw()..range.end().raw())
        .step_by(PAGE_SIZE)
        .map(PhysAddr::new)
}

impl Model {
    fn new(ranges: &[PhysRange]) -> Self {
        let pages = database(ranges);
        let mut free: BTreeSet<_> = ranges.iter().flat_map(|range| addresses(*range)).collect();
        free.remove(&pages.zero_page());
        Self {
            pages,
            free,
            singles: Vec::new(),
            runs: Vec::new(),
        }
    }

    fn apply(&mut self, step: Step) {
        let pages = self.pages;
        match step {
            Step::Allocate { cpu } => {
                on_cpu(cpu);
                match pages.allocate() {
                    Ok(frame) => {
                        assert!(self.free.remove(&frame.address()), "{frame:?} was not free");
                        self.singles.push(frame);
                    }
                    Err(_) => assert!(self.free.is_empty(), "frames were free"),
                }
            }
            Step::Free { cpu, which } => {
                on_cpu(cpu);
                if !self.singles.is_empty() {
                    let frame = self.singles.swap_remove(which % self.singles.len());
                    assert!(self.free.insert(frame.address()));
                    pages.free(frame);
                }
            }
            Step::AllocateRun { cpu, count, align } => {
                on_cpu(cpu);
                // A refusal may be right although there is room, since the buddy deals in powers of two.
                if let Ok(run) = pages.allocate_contiguous(PageCount::new(count), align) {
                    assert!(run.range().base().is_aligned_to(align));
                    assert_eq!(run.pages().get(), count);
                    for address in addresses(run.range()) {
                        assert!(self.free.remove(&address), "{address:?} was not free");
                    }
                    self.runs.push(run);
                }
            }
            Step::FreeRun { cpu, which } => {
                on_cpu(cpu);
                if !self.runs.is_empty() {
                    let run = self.runs.swap_remove(which % self.runs.len());
                    self.free.extend(addresses(run.range()));
                    pages.free_run(run);
                }
            }
            Step::FreeMany { cpu, count } => {
                on_cpu(cpu);
                let mut list = FrameList::new();
                for frame in self
                    .singles
                    .drain(self.singles.len().saturating_sub(count)..)
                {
                    self.free.insert(frame.address());
                    assert!(list.push(pages, frame).is_ok());
                }
                pages.free_list(list);
            }
        }
        let counts = audit(pages);
        assert_eq!(counts.free.get(), self.free.len());
        assert_eq!(counts.owned_by(OwnerKind::Vmo).get(), self.singles.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_frame_is_lost_or_handed_out_twice(steps in prop::collection::vec(step(), 1..120)) {
        let mut model = Model::new(&[frames(1003, 90), frames(1100, 600), frames(1900, 64)]);
        for step in steps {
            model.apply(step);
        }
        on_cpu(0);
    }
}
