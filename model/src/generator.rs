//! Steps at random: mostly such that succeed, with arguments near the edges, and some that are wrong.

use alloc::vec::Vec;

use syscall::{VmOptions, VmarOp};

use crate::step::{
    Allocation, Handle, Mapping, Operation, Protection, Reach, Removal, Step, Touch,
};
use crate::{Model, PAGE, Random};

const READ_WRITE: VmOptions = VmOptions::PERM_READ.union(VmOptions::PERM_WRITE);
const READ_EXECUTE: VmOptions = VmOptions::PERM_READ.union(VmOptions::PERM_EXECUTE);

/// Permissions to ask for; the last can never be had.
const PERMISSIONS: [VmOptions; 11] = [
    VmOptions::empty(),
    VmOptions::PERM_READ,
    VmOptions::PERM_READ,
    READ_WRITE,
    READ_WRITE,
    READ_WRITE,
    READ_EXECUTE,
    VmOptions::PERM_READ,
    VmOptions::PERMISSIONS,
    READ_WRITE,
    VmOptions::PERM_WRITE,
];

const OPERATIONS: [VmarOp; 9] = [
    VmarOp::COMMIT,
    VmarOp::COMMIT,
    VmarOp::DECOMMIT,
    VmarOp::MAP_RANGE,
    VmarOp::MAP_RANGE,
    VmarOp::ZERO,
    VmarOp::DONT_NEED,
    VmarOp::ALWAYS_NEED,
    VmarOp::PREFETCH,
];

/// Exponents of alignments: most are none, some too large for a window, two that there are not.
const EXPONENTS: [u32; 10] = [10, 12, 13, 13, 14, 14, 16, 21, 9, 33];

/// Options that a mapping may carry without being placed by them.
const MAPPING_EXTRAS: [VmOptions; 7] = [
    VmOptions::MAP_RANGE,
    VmOptions::MAP_RANGE,
    VmOptions::ALLOW_FAULTS,
    VmOptions::ALLOW_FAULTS.union(VmOptions::FAULT_BEYOND_STREAM_SIZE),
    VmOptions::ALLOW_FAULTS.union(VmOptions::FAULT_BEYOND_STREAM_SIZE),
    VmOptions::REQUIRE_NON_RESIZABLE,
    VmOptions::FAULT_BEYOND_STREAM_SIZE,
];

/// Lengths and offsets that hurt.
const WRONG_BYTES: [usize; 6] = [0, 1, PAGE + 1, usize::MAX, usize::MAX - PAGE + 1, 1 << 52];

/// Where the steps come from.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
    /// Pages of each VMO at the beginning.
    vmo_pages: &'static [usize],
}

impl Generator {
    /// The steps of `seed`, for a model of this shape.
    pub const fn new(seed: u64, shape: crate::Shape) -> Self {
        Self {
            random: Random::new(seed),
            vmo_pages: shape.vmos,
        }
    }

    /// The next step.
    pub fn step(&mut self, model: &Model) -> Step {
        match self.random.below(100) {
            0..6 => Step::Allocate(self.allocation(model)),
            6..34 => Step::Map(self.mapping(model)),
            34..40 => Step::Unmap(self.removal(model)),
            40..53 => Step::Protect(self.protection(model)),
            53..67 => Step::Operate(self.operation(model)),
            67..68 => Step::Destroy(self.handle(model, 1)),
            68..94 => Step::Touch(self.touch(model)),
            94..96 => self.resize(),
            96..97 => self.set_stream(),
            _ => self.write(),
        }
    }

    fn allocation(&mut self, model: &Model) -> Allocation {
        let parent = self.handle(model, 0);
        let (at, count) = self.part(model, parent);
        let mut options = VmOptions::CAN_MAP_PERMISSIONS | VmOptions::CAN_MAP_SPECIFIC;
        if self.random.chance(30) {
            let capability =
                self.random.below(4) as u32 + VmOptions::CAN_MAP_SPECIFIC.bits().trailing_zeros();
            options -= VmOptions::from_bits_retain(1 << capability);
        }
        if self.random.chance(20) {
            options |= VmOptions::COMPACT;
        }
        let (place, offset) = self.place(at, at + count);
        let wrong = self.wrong_option();
        Allocation {
            parent,
            options: options | place | wrong,
            offset: self.spoiled(offset),
            // Regions have room for some mappings.
            size: self.spoiled((count * 2).min(model.page_count()) * PAGE),
        }
    }

    fn mapping(&mut self, model: &Model) -> Mapping {
        let vmar = self.handle(model, 0);
        let (at, count) = self.part(model, vmar);
        let (mut place, offset) = self.place(at, at + count);
        if place == VmOptions::SPECIFIC && self.random.chance(45) {
            place = VmOptions::SPECIFIC_OVERWRITE;
        }
        if self.random.chance(30) {
            place |= self.random.pick(&MAPPING_EXTRAS);
        }
        let wrong = self.wrong_option();
        let vmo = self.random.below(self.vmo_pages.len());
        // Often the place in the VMO follows from the place in the region, so that mappings can merge.
        let vmo_page = if self.random.chance(70) {
            at % self.vmo_pages[vmo]
        } else {
            self.random.below(self.vmo_pages[vmo] + 2)
        };
        let vmo_offset = self.spoiled(vmo_page * PAGE) as u64;
        Mapping {
            vmar,
            options: self.random.pick(&PERMISSIONS) | place | wrong,
            offset: self.spoiled(offset),
            vmo,
            vmo_rights: self.rights(),
            vmo_offset,
            length: self.length(count),
        }
    }

    fn removal(&mut self, model: &Model) -> Removal {
        let vmar = self.handle(model, 0);
        let (address, length) = self.range(model, vmar);
        Removal {
            vmar,
            address,
            length,
        }
    }

    fn protection(&mut self, model: &Model) -> Protection {
        let vmar = self.handle(model, 0);
        let (address, length) = self.range(model, vmar);
        let wrong = self.wrong_option();
        let options = self.random.pick(&PERMISSIONS) | wrong;
        Protection {
            vmar,
            options,
            address,
            length,
        }
    }

    fn operation(&mut self, model: &Model) -> Operation {
        let vmar = self.handle(model, 0);
        let (address, length) = self.range(model, vmar);
        let op = self.random.pick(&OPERATIONS);
        Operation {
            vmar,
            op,
            address,
            length,
        }
    }

    fn touch(&mut self, model: &Model) -> Touch {
        let kinds = [
            VmOptions::PERM_READ,
            VmOptions::PERM_READ,
            VmOptions::PERM_WRITE,
            VmOptions::PERM_WRITE,
            VmOptions::PERM_EXECUTE,
        ];
        let mut page = self.random.below(model.page_count());
        // A page that shows something tells more than a hole.
        for _ in 0..3 {
            if model.pages[page].is_none() {
                page = self.random.below(model.page_count());
            }
        }
        Touch {
            page,
            access: self.random.pick(&kinds),
            value: self.random.next() as u8,
            cpu: self.random.below(64),
        }
    }

    fn resize(&mut self) -> Step {
        let vmo = self.random.below(self.vmo_pages.len());
        Step::Resize {
            vmo,
            size: self.vmo_size(vmo),
        }
    }

    fn set_stream(&mut self) -> Step {
        let vmo = self.random.below(self.vmo_pages.len());
        Step::SetStream {
            vmo,
            size: self.vmo_size(vmo),
        }
    }

    /// A size that a VMO may get, in halves of pages; large ones more often.
    fn vmo_size(&mut self, vmo: usize) -> u64 {
        let halves = 2 * self.vmo_pages[vmo] + 1;
        let size = self.random.below(halves).max(self.random.below(halves));
        (size * PAGE / 2) as u64
    }

    fn write(&mut self) -> Step {
        let vmo = self.random.below(self.vmo_pages.len());
        Step::Write {
            vmo,
            page: self.random.below(self.vmo_pages[vmo] + 1),
            value: self.random.next() as u8,
        }
    }

    /// A handle to a region that is not one of the first `skipped`; dead ones are taken seldom.
    ///
    /// If there is none, a handle to the window that cannot reach below, so that the window goes on.
    fn handle(&mut self, model: &Model, skipped: usize) -> Handle {
        let rights = self.rights();
        let is_any = self.random.chance(5);
        let candidates: Vec<_> = (skipped..model.region_count())
            .filter(|region| is_any || model.regions[*region].is_alive)
            .collect();
        if candidates.is_empty() {
            return Handle {
                region: 0,
                rights,
                reach: Reach::Own,
            };
        }
        let reach = if self.random.chance(85) {
            Reach::Descendants
        } else {
            Reach::Own
        };
        Handle {
            region: self.random.pick(&candidates),
            rights,
            reach,
        }
    }

    /// What a handle allows: mostly all.
    fn rights(&mut self) -> VmOptions {
        if self.random.chance(93) {
            VmOptions::PERMISSIONS
        } else {
            VmOptions::from_bits_retain(self.random.below(8) as u32)
        }
    }

    /// Pages of a region, from its base, and how many; sometimes one too many.
    fn part(&mut self, model: &Model, handle: Handle) -> (usize, usize) {
        let pages = model.regions[handle.region].pages.len();
        let at = self.random.below(pages);
        let most = if self.random.chance(15) { pages } else { 12 };
        let count = 1 + self.random.below(most);
        let limit = if self.random.chance(5) {
            pages + 1
        } else {
            pages
        };
        (at, count.min(limit - at))
    }

    /// The addresses of such pages, or of pages around some that are mapped.
    fn range(&mut self, model: &Model, handle: Handle) -> (usize, usize) {
        let region = &model.regions[handle.region].pages;
        let (at, count) = if self.random.chance(35) {
            self.part(model, handle)
        } else {
            self.mapped_part(model, handle)
        };
        let address = model.address_of(region.start + at);
        let address = if self.random.chance(2) {
            address.wrapping_add(self.random.pick(&WRONG_BYTES))
        } else {
            address
        };
        (address, self.length(count))
    }

    /// Pages of one mapping, mostly; counted as in [`part`](Self::part).
    fn mapped_part(&mut self, model: &Model, handle: Handle) -> (usize, usize) {
        let region = model.regions[handle.region].pages.clone();
        let draws = [(); 8].map(|()| region.start + self.random.below(region.len()));
        let Some(page) = draws.into_iter().find(|page| model.pages[*page].is_some()) else {
            return self.part(model, handle);
        };
        let run = model.run_at(page, region.end);
        let count = if self.random.chance(40) {
            run.len()
        } else {
            1 + self.random.below(run.len())
        };
        (page - region.start, count)
    }

    /// A length of so many pages, which the last one need not be used up by.
    fn length(&mut self, pages: usize) -> usize {
        let unused = if self.random.chance(10) {
            self.random.below(PAGE)
        } else {
            0
        };
        self.spoiled(pages * PAGE - unused)
    }

    /// How something is placed that would like to be at page `at` and to end before page `past`.
    fn place(&mut self, at: usize, past: usize) -> (VmOptions, usize) {
        let (option, offset) = match self.random.below(100) {
            0..70 => (VmOptions::SPECIFIC, at),
            70..84 => (VmOptions::empty(), 0),
            84..98 => (VmOptions::OFFSET_IS_UPPER_LIMIT, past),
            _ => (VmOptions::empty(), at),
        };
        (option | self.alignment(), offset * PAGE)
    }

    fn alignment(&mut self) -> VmOptions {
        if self.random.chance(12) {
            VmOptions::from_bits_retain(self.random.pick(&EXPONENTS) << 24)
        } else {
            VmOptions::empty()
        }
    }

    /// One of the flags, whatever it means, in few cases.
    fn wrong_option(&mut self) -> VmOptions {
        // Execute-only depends on the machine, so the highest bit it could be is left out.
        let xom = VmOptions::PERM_READ_IF_XOM_UNSUPPORTED;
        if self.random.chance(3) {
            VmOptions::from_bits_retain(1 << self.random.below(20)) - xom
        } else {
            VmOptions::empty()
        }
    }

    /// `bytes`, or in few cases something that hurts.
    fn spoiled(&mut self, bytes: usize) -> usize {
        if self.random.chance(1) {
            self.random.pick(&WRONG_BYTES)
        } else {
            bytes
        }
    }
}
