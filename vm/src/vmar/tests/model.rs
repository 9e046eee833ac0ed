//! Random operations on nested VMARs against a flat map of pages.

use std::ops::Range;

use proptest::prelude::*;
use syscall::{Result, Status, VmOptions};

use crate::addr::PAGE_SIZE;
use crate::mmu::Access;
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapEntryKind, MapRequest};

const P: usize = PAGE_SIZE;
/// The pages of the outermost VMAR.
const PAGES: usize = 40;
const VMOS: usize = 2;
const VMO_PAGES: usize = 24;

/// What one page of the outermost VMAR shows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shown {
    /// The VMAR that the mapping is a region of.
    owner: usize,
    vmo: usize,
    vmo_page: usize,
    access: Access,
    maximal: Access,
}

struct ModelVmar {
    parent: Option<usize>,
    pages: Range<usize>,
    is_alive: bool,
}

/// What should be.
struct Model {
    vmars: Vec<ModelVmar>,
    pages: [Option<Shown>; PAGES],
    sizes: [usize; VMOS],
    bytes: [[u8; VMO_PAGES]; VMOS],
}

/// What a VMAR has at a page.
enum Child {
    Nothing,
    Mapping,
    Vmar(usize),
}

impl Model {
    fn new() -> Self {
        Self {
            vmars: vec![ModelVmar {
                parent: None,
                pages: 0..PAGES,
                is_alive: true,
            }],
            pages: [None; PAGES],
            sizes: [VMO_PAGES; VMOS],
            bytes: [[0; VMO_PAGES]; VMOS],
        }
    }

    fn child_at(&self, vmar: usize, page: usize) -> Child {
        let below = |other: &ModelVmar| {
            other.is_alive && other.parent == Some(vmar) && other.pages.contains(&page)
        };
        match self.vmars.iter().position(below) {
            Some(child) => Child::Vmar(child),
            None if self.pages[page].is_some_and(|shown| shown.owner == vmar) => Child::Mapping,
            None => Child::Nothing,
        }
    }

    /// The pages that a range of a VMAR means, from its base.
    fn place(&self, vmar: usize, at: usize, count: usize) -> Result<Range<usize>> {
        let whole = &self.vmars[vmar];
        if !whole.is_alive {
            return Err(Status::BAD_STATE);
        }
        let range = whole.pages.start + at..whole.pages.start + at + count;
        if range.end > whole.pages.end {
            Err(Status::INVALID_ARGS)
        } else {
            Ok(range)
        }
    }

    fn is_free(&self, vmar: usize, range: Range<usize>) -> bool {
        range
            .clone()
            .all(|page| matches!(self.child_at(vmar, page), Child::Nothing))
    }

    fn allocate(&mut self, parent: usize, at: usize, count: usize) -> Result<()> {
        let pages = self.place(parent, at, count)?;
        if !self.is_free(parent, pages.clone()) {
            return Err(Status::ALREADY_EXISTS);
        }
        self.vmars.push(ModelVmar {
            parent: Some(parent),
            pages,
            is_alive: true,
        });
        Ok(())
    }

    fn map(&mut self, step: &MapStep) -> Result<()> {
        let range = self.place(step.vmar, step.at, step.count)?;
        if step.overwrite {
            let is_vmar = |page| matches!(self.child_at(step.vmar, page), Child::Vmar(_));
            if range.clone().any(is_vmar) {
                return Err(Status::INVALID_ARGS);
            }
        } else if !self.is_free(step.vmar, range.clone()) {
            return Err(Status::ALREADY_EXISTS);
        }
        for (offset, page) in range.enumerate() {
            self.pages[page] = Some(Shown {
                owner: step.vmar,
                vmo: step.vmo,
                vmo_page: step.vmo_page + offset,
                access: access_of(step.options),
                maximal: step.maximal,
            });
        }
        Ok(())
    }

    fn unmap(&mut self, vmar: usize, at: usize, count: usize) -> Result<()> {
        let range = self.place(vmar, at, count)?;
        for page in range.clone() {
            if let Child::Vmar(child) = self.child_at(vmar, page) {
                let pages = &self.vmars[child].pages;
                if pages.start < range.start || range.end < pages.end {
                    return Err(Status::INVALID_ARGS);
                }
            }
        }
        for page in range {
            if let Child::Vmar(child) = self.child_at(vmar, page) {
                self.kill(child);
            }
            self.pages[page] = None;
        }
        Ok(())
    }

    fn kill(&mut self, vmar: usize) {
        self.vmars[vmar].is_alive = false;
        for page in self.vmars[vmar].pages.clone() {
            self.pages[page] = None;
        }
        for other in 0..self.vmars.len() {
            if self.vmars[other].is_alive && self.vmars[other].parent == Some(vmar) {
                self.kill(other);
            }
        }
    }

    fn protect(&mut self, vmar: usize, at: usize, count: usize, options: VmOptions) -> Result<()> {
        let range = self.place(vmar, at, count)?;
        let access = access_of(options);
        // Whole mappings are judged one after the other; page by page comes to the same, because the
        // pages of a mapping share their maximum and a refusal of either kind is the same.
        for page in range.clone() {
            let shown = self.pages[page].ok_or(Status::NOT_FOUND)?;
            let is_direct = shown.owner == vmar;
            if !shown.maximal.contains(access) || !is_direct && !shown.access.contains(access) {
                return Err(Status::ACCESS_DENIED);
            }
        }
        for page in range {
            if let Some(shown) = &mut self.pages[page] {
                shown.access = access;
            }
        }
        Ok(())
    }

    fn destroy(&mut self, vmar: usize) -> Result<()> {
        if !self.vmars[vmar].is_alive {
            return Err(Status::BAD_STATE);
        }
        self.kill(vmar);
        Ok(())
    }

    fn touch(&mut self, page: usize, access: Access, value: u8) -> Result<u8> {
        let shown = self.pages[page].ok_or(Status::NOT_FOUND)?;
        if !shown.access.contains(access) {
            return Err(Status::ACCESS_DENIED);
        }
        if shown.vmo_page >= self.sizes[shown.vmo] {
            return Err(Status::OUT_OF_RANGE);
        }
        let byte = &mut self.bytes[shown.vmo][shown.vmo_page];
        if access == Access::WRITE {
            *byte = value;
        }
        Ok(*byte)
    }

    fn resize(&mut self, vmo: usize, pages: usize) {
        self.sizes[vmo] = pages;
        self.bytes[vmo][pages..].fill(0);
    }
}

fn access_of(options: VmOptions) -> Access {
    Access::from_bits_truncate(options.intersection(VmOptions::PERMISSIONS).bits() as u8)
}

#[derive(Clone, Debug)]
struct MapStep {
    vmar: usize,
    at: usize,
    count: usize,
    vmo: usize,
    vmo_page: usize,
    options: VmOptions,
    maximal: Access,
    overwrite: bool,
}

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
            at % (VMO_PAGES - 10)
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
        1 => (1..8_usize).prop_map(|vmar| Step::Destroy { vmar }),
        6 => (0..PAGES, 0..CPUS).prop_map(|(page, cpu)| Step::Load { page, cpu }),
        8 => (0..PAGES, 0..CPUS, any::<u8>())
            .prop_map(|(page, cpu, value)| Step::Store { page, cpu, value }),
        1 => (0..VMOS, 0..=VMO_PAGES).prop_map(|(vmo, pages)| Step::Resize { vmo, pages }),
    ]
}

/// What is, beside what should be.
struct Pair {
    world: World,
    vmars: Vec<Region>,
    vmos: Vec<Memory>,
    model: Model,
}

impl Pair {
    fn new() -> Self {
        let world = World::new();
        let vmars = vec![world.vmar(PAGES)];
        let vmos = (0..VMOS).map(|_| world.resizable(VMO_PAGES)).collect();
        Self {
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
                let made = self.vmars[parent].allocate(options, at * P, count * P);
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
                let address = page_of(&self.vmars[vmar], at);
                let result = self.vmars[vmar].unmap(address, count * P, Allowed);
                assert_eq!(result, self.model.unmap(vmar, at, count));
            }
            Step::Protect {
                vmar,
                at,
                count,
                options,
            } => {
                let vmar = vmar % known;
                let address = page_of(&self.vmars[vmar], at);
                let result = self.vmars[vmar].protect(options, address, count * P, Allowed);
                assert_eq!(result, self.model.protect(vmar, at, count, options));
            }
            Step::Destroy { vmar } if vmar < known => {
                assert_eq!(self.vmars[vmar].destroy(), self.model.destroy(vmar));
            }
            Step::Destroy { .. } => {}
            Step::Load { page, cpu } => self.load(page, cpu),
            Step::Store { page, cpu, value } => {
                let address = page_of(&self.vmars[0], page);
                let result = self.world.store_on(cpu, &self.world.space, address, value);
                let expected = self.model.touch(page, Access::WRITE, value).map(|_| ());
                assert_eq!(result, expected);
            }
            Step::Resize { vmo, pages } => {
                self.vmos[vmo]
                    .set_size((pages * P) as u64)
                    .expect("resizable");
                self.model.resize(vmo, pages);
            }
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
            ..request_at(step.at, &self.vmos[step.vmo], step.vmo_page, step.count)
        };
        let result = self.vmars[step.vmar].map(request);
        assert_eq!(result.map(|_| ()), self.model.map(step));
    }

    fn load(&mut self, page: usize, cpu: usize) {
        let address = page_of(&self.vmars[0], page);
        let result = self.world.load_on(cpu, &self.world.space, address);
        assert_eq!(result, self.model.touch(page, Access::READ, 0));
    }

    /// Compares the records with the flat map.
    fn compare(&self) {
        let base = self.vmars[0].range().base().raw();
        let koids: Vec<_> = self.vmos.iter().map(|vmo| vmo.koid()).collect();
        let mut pages = [None; PAGES];
        let mut regions = Vec::new();
        for entry in records(&self.vmars[0]).expect("the outermost one stays alive") {
            let first = (entry.range.base().raw() - base) / P;
            let range = first..first + entry.range.pages().get();
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
                        pages[page] = Some((vmo, vmo_offset as usize / P + offset, access));
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
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step);
            pair.compare();
        }
        pair.world.space.mmu().assert_nothing_is_stale();
        pair.end();
    }
}
