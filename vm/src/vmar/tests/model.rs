//! Random operations on nested VMARs against a [flat map](Model) of pages.
//!
//! The same steps are done with pages, and with granules of many pages, where large pages come and go.

use proptest::prelude::*;
use syscall::VmOptions;

use super::flat_map::{MapStep, Model, PAGES, VMO_PAGES, VMOS, access_of};
use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::aspace::{Aslr, Entropy};
use crate::counters::{Event, Totals};
use crate::mmu::{Access, PageSize};
use crate::paging::EntryFormat;
use crate::sim::SimFormat;
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapEntryKind, MapRequest, RangeOp, RangeRequest};

/// The bytes of a granule: four of them make a large page.
const GRANULE: usize = PageSize::Large.bytes() / 4;

#[derive(Clone, Debug)]
enum Step {
    Allocate {
        parent: usize,
        at: usize,
        count: usize,
    },
    Map(MapStep),
    Unmap {
        vmar: usize,
        at: usize,
        count: usize,
    },
    Protect {
        vmar: usize,
        at: usize,
        count: usize,
        options: VmOptions,
    },
    Operate {
        op: RangeOp,
        vmar: usize,
        at: usize,
        count: usize,
    },
    Destroy {
        vmar: usize,
    },
    Load {
        page: usize,
        cpu: usize,
    },
    Store {
        page: usize,
        cpu: usize,
        value: u8,
    },
    Resize {
        vmo: usize,
        pages: usize,
    },
}

fn options() -> impl Strategy<Value = VmOptions> {
    prop::sample::select(vec![VmOptions::empty(), R, RW, RW, RX])
}

fn operation() -> impl Strategy<Value = RangeOp> {
    use RangeOp::{AlwaysNeed, Commit, Decommit, DontNeed, MapRange, Prefetch, Zero};
    prop::sample::select(vec![
        Commit, Commit, Decommit, MapRange, Zero, DontNeed, AlwaysNeed, Prefetch,
    ])
}

fn map_step() -> impl Strategy<Value = MapStep> {
    let place = (0..8_usize, 0..PAGES, 1..10_usize);
    let source = (0..VMOS, 0..VMO_PAGES - 10);
    let flags = (options(), any::<bool>(), any::<bool>());
    (place, source, flags).prop_map(|((vmar, at, count), (vmo, aligned), flags)| {
        let (options, may_all, overwrite) = flags;
        let maximal = if may_all {
            Access::all()
        } else {
            access_of(options)
        };
        // Often the place in the VMO follows from the place in the VMAR, so that mappings can merge.
        let vmo_page = if may_all {
            at % (VMO_PAGES / 2)
        } else {
            aligned
        };
        MapStep {
            vmar,
            at,
            count,
            vmo,
            vmo_page,
            options,
            maximal,
            overwrite,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..8_usize, 0..PAGES, 1..12_usize);
    prop_oneof![
        3 => place().prop_map(|(parent, at, count)| Step::Allocate { parent, at, count }),
        8 => map_step().prop_map(Step::Map),
        4 => place().prop_map(|(vmar, at, count)| Step::Unmap { vmar, at, count }),
        6 => (place(), options()).prop_map(|((vmar, at, count), options)| {
            Step::Protect { vmar, at, count, options }
        }),
        6 => (place(), operation()).prop_map(|((vmar, at, count), op)| {
            Step::Operate { op, vmar, at, count }
        }),
        1 => (1..8_usize).prop_map(|vmar| Step::Destroy { vmar }),
        6 => (0..PAGES, 0..CPUS).prop_map(|(page, cpu)| Step::Load { page, cpu }),
        8 => (0..PAGES, 0..CPUS, any::<u8>())
            .prop_map(|(page, cpu, value)| Step::Store { page, cpu, value }),
        1 => (0..VMOS, 0..=VMO_PAGES).prop_map(|(vmo, pages)| Step::Resize { vmo, pages }),
    ]
}

/// What is, beside what should be.
struct Pair {
    /// The bytes that one page of the model stands for.
    unit: usize,
    world: World,
    vmars: Vec<Region>,
    vmos: Vec<Memory>,
    model: Model,
}

impl Pair {
    /// Each page of the model stands for `unit` bytes.
    fn new(unit: usize) -> Self {
        let pages = unit / PAGE_SIZE;
        let world = World::with_frames(Aslr::On(Entropy::new(random)), 2048 + 64 * pages);
        let aligned = CAN_ALL | VmOptions::from_raw(PageSize::Large.shift() << 24);
        let whole = world.root.allocate(aligned, 0, PAGES * unit);
        let vmars = vec![whole.expect("room")];
        let vmos = (0..VMOS)
            .map(|_| world.resizable(VMO_PAGES * pages))
            .collect();
        Self {
            unit,
            world,
            vmars,
            vmos,
            model: Model::new(),
        }
    }

    /// Does the same to both.
    fn step(&mut self, step: Step) {
        let known = self.vmars.len();
        match step {
            Step::Allocate { parent, at, count } => {
                let parent = parent % known;
                let options = CAN_ALL | SPECIFIC;
                let made = self.vmars[parent].allocate(options, at * self.unit, count * self.unit);
                let expected = self.model.allocate(parent, at, count);
                assert_eq!(
                    made.as_ref().map(|_| ()).map_err(|status| *status),
                    expected
                );
                self.vmars.extend(made);
            }
            Step::Map(mut step) => {
                step.vmar %= known;
                self.map(&step);
            }
            Step::Unmap { vmar, at, count } => {
                let vmar = vmar % known;
                let address = self.address(vmar, at);
                let result = self.vmars[vmar].unmap(address, count * self.unit, Allowed);
                assert_eq!(result, self.model.unmap(vmar, at, count));
            }
            Step::Protect {
                vmar,
                at,
                count,
                options,
            } => {
                let vmar = vmar % known;
                let address = self.address(vmar, at);
                let result = self.vmars[vmar].protect(options, address, count * self.unit, Allowed);
                assert_eq!(result, self.model.protect(vmar, at, count, options));
            }
            Step::Operate {
                op,
                vmar,
                at,
                count,
            } => self.operate(op, vmar % known, at, count),
            Step::Destroy { vmar } if vmar < known => {
                assert_eq!(self.vmars[vmar].destroy(), self.model.destroy(vmar));
            }
            Step::Destroy { .. } => {}
            Step::Load { page, cpu } => self.load(page, cpu),
            Step::Store { page, cpu, value } => {
                let address = self.address(0, page);
                let result = self.world.store_on(cpu, &self.world.space, address, value);
                let expected = self.model.touch(page, Access::WRITE, value).map(|_| ());
                assert_eq!(result, expected);
            }
            Step::Resize { vmo, pages } => {
                self.vmos[vmo]
                    .set_size((pages * self.unit) as u64)
                    .expect("resizable");
                self.model.resize(vmo, pages);
            }
        }
    }

    fn operate(&mut self, op: RangeOp, vmar: usize, at: usize, count: usize) {
        let expected = self.model.op_range(op, vmar, at, count);
        let clears = matches!(op, RangeOp::Decommit | RangeOp::Zero);
        if clears && expected.is_err() {
            // How far it would come depends on which mappings have become one.
            return;
        }
        let request = RangeRequest {
            op,
            address: self.address(vmar, at),
            length: count * self.unit,
            children: Allowed,
        };
        assert_eq!(self.vmars[vmar].op_range(request, || Ok(())), expected);
        if clears {
            self.model.clear(vmar, at, count);
        }
    }

    fn map(&mut self, step: &MapStep) {
        let place = if step.overwrite {
            VmOptions::SPECIFIC_OVERWRITE
        } else {
            SPECIFIC
        };
        let request = MapRequest {
            options: step.options | place,
            permitted: step.maximal,
            offset: step.at * self.unit,
            vmo_offset: (step.vmo_page * self.unit) as u64,
            length: step.count * self.unit,
            ..request(RW, &self.vmos[step.vmo], 1)
        };
        let result = self.vmars[step.vmar].map(request);
        assert_eq!(result.map(|_| ()), self.model.map(step));
    }

    fn load(&mut self, page: usize, cpu: usize) {
        let address = self.address(0, page);
        let result = self.world.load_on(cpu, &self.world.space, address);
        assert_eq!(result, self.model.touch(page, Access::READ, 0));
    }

    fn address(&self, vmar: usize, at: usize) -> VirtAddr {
        page_of(&self.vmars[vmar], at * self.unit / PAGE_SIZE)
    }

    /// Compares the records with the flat map.
    fn compare(&self) {
        let base = self.vmars[0].range().base().raw();
        let koids: Vec<_> = self.vmos.iter().map(|vmo| vmo.koid()).collect();
        let mut pages = [None; PAGES];
        let mut regions = Vec::new();
        for entry in records(&self.vmars[0]).expect("the outermost one stays alive") {
            let first = (entry.range.base().raw() - base) / self.unit;
            let range = first..first + entry.range.bytes() / self.unit;
            match entry.kind {
                MapEntryKind::Vmar => regions.push(range),
                MapEntryKind::Mapping {
                    access,
                    vmo,
                    vmo_offset,
                    ..
                } => {
                    let vmo = koids
                        .iter()
                        .position(|koid| *koid == vmo)
                        .expect("one of the VMOs");
                    for (offset, page) in range.enumerate() {
                        pages[page] = Some((vmo, vmo_offset as usize / self.unit + offset, access));
                    }
                }
            }
        }
        let expected = self
            .model
            .pages
            .map(|page| page.map(|it| (it.vmo, it.vmo_page, it.access)));
        assert_eq!(pages, expected);
        let alive = self.model.vmars.iter().filter(|vmar| vmar.is_alive);
        let mut expected: Vec<_> = alive.map(|vmar| vmar.pages.clone()).collect();
        expected.sort_by_key(|range| (range.start, PAGES - range.end));
        assert_eq!(regions, expected);
    }

    fn end(mut self) {
        for cpu in 0..CPUS {
            for page in 0..PAGES {
                self.load(page, cpu);
            }
        }
        drop((self.vmars, self.vmos));
        finish(self.world);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn behaves_like_a_flat_map(steps in prop::collection::vec(step(), 1..100)) {
        run(PAGE_SIZE, steps.into_iter());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn behaves_like_a_flat_map_of_granules(steps in prop::collection::vec(step(), 1..80)) {
        let large_pages = Totals::from(SimFormat::counters());
        run(GRANULE, committed().into_iter().chain(steps));
        let large_pages = Totals::from(SimFormat::counters()).since(&large_pages);
        prop_assert!(large_pages.of(Event::LargePage) >= 9);
    }
}

/// Maps something everywhere and commits all of it: with granules, to large pages.
fn committed() -> Vec<Step> {
    let half = |vmo| {
        let (vmar, at, count) = (0, vmo * PAGES / 2, PAGES / 2);
        let map = MapStep {
            vmar,
            at,
            count,
            vmo,
            vmo_page: 0,
            options: RW,
            maximal: Access::all(),
            overwrite: false,
        };
        let op = RangeOp::Commit;
        [
            Step::Map(map),
            Step::Operate {
                op,
                vmar,
                at,
                count,
            },
        ]
    };
    (0..VMOS).flat_map(half).collect()
}

fn run(unit: usize, steps: impl Iterator<Item = Step>) {
    let mut pair = Pair::new(unit);
    for step in steps {
        pair.step(step);
        pair.compare();
        pair.world.space.mmu().assert_nothing_is_stale();
    }
    pair.end();
}
