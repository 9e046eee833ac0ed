//! Steps at random: families grow and die, and most steps are such that succeed.

use alloc::vec::Vec;

use syscall::{Rights, VmOptions, VmarOp, VmoChildOptions, VmoOptions};

use super::{
    Bytes, Child, Families, Handle, MAX_SIZE, Mapping, Place, RangeOp, Step, Touch, Transfer,
    WINDOW_PAGES, WINDOWS,
};
use crate::{PAGE, Random};

const P: u64 = PAGE as u64;

const READ_WRITE: VmOptions = VmOptions::PERM_READ.union(VmOptions::PERM_WRITE);

/// So many VMOs with handles are enough.
const ENOUGH: usize = 9;

/// The pages of an ordinary VMO at most.
const PAGES: usize = 16;

/// The pages that a step makes, moves or copies at most.
const STEP_PAGES: usize = 4;

/// Sizes and offsets that hurt.
const WRONG: [u64; 10] = [
    1,
    P - 1,
    P + 1,
    1 << 52,
    1 << 63,
    MAX_SIZE - P,
    MAX_SIZE,
    MAX_SIZE + P,
    u64::MAX - P + 1,
    u64::MAX,
];

/// Permissions to map with; the last can never be had.
const PERMISSIONS: [VmOptions; 7] = [
    READ_WRITE,
    READ_WRITE,
    READ_WRITE,
    VmOptions::PERM_READ,
    VmOptions::PERM_READ,
    VmOptions::empty(),
    VmOptions::PERM_WRITE,
];

/// Options that a mapping may carry besides.
const MAPPING_EXTRAS: [VmOptions; 6] = [
    VmOptions::MAP_RANGE,
    VmOptions::ALLOW_FAULTS,
    VmOptions::ALLOW_FAULTS.union(VmOptions::FAULT_BEYOND_STREAM_SIZE),
    VmOptions::ALLOW_FAULTS.union(VmOptions::FAULT_BEYOND_STREAM_SIZE),
    VmOptions::REQUIRE_NON_RESIZABLE,
    VmOptions::FAULT_BEYOND_STREAM_SIZE,
];

/// Kinds of children; snapshots are what families are about.
const KINDS: [VmoChildOptions; 8] = [
    VmoChildOptions::SNAPSHOT,
    VmoChildOptions::SNAPSHOT,
    VmoChildOptions::SNAPSHOT,
    VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE,
    VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE,
    VmoChildOptions::SNAPSHOT_MODIFIED,
    VmoChildOptions::SLICE,
    VmoChildOptions::REFERENCE,
];

/// What is done through mappings.
const MAPPED_OPERATIONS: [VmarOp; 7] = [
    VmarOp::COMMIT,
    VmarOp::COMMIT,
    VmarOp::DECOMMIT,
    VmarOp::ZERO,
    VmarOp::MAP_RANGE,
    VmarOp::MAP_RANGE,
    VmarOp::PREFETCH,
];

/// Where the steps come from.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
}

impl Generator {
    /// The steps of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
        }
    }

    /// The next step.
    pub fn step(&mut self, model: &Families) -> Step {
        let open: Vec<_> = model.open().collect();
        if open.is_empty() || open.len() < 2 && self.random.chance(30) {
            return self.create();
        }
        match self.random.below(100) {
            0..19 if open.len() > ENOUGH => Step::Close(self.random.pick(&open)),
            0..3 => self.create(),
            3..15 => Step::CreateChild(self.child(model, &open)),
            15..19 => Step::Close(self.random.pick(&open)),
            19..26 => Step::Read(self.bytes(model, &open)),
            26..41 => Step::Write(self.bytes(model, &open), self.random.next() as u8),
            41..46 => self.resize(model, &open),
            46..48 => self.set_stream(model, &open),
            48..57 => self.operate(model, &open),
            57..60 => Step::Transfer(self.transfer(model, &open)),
            60..68 => Step::Map(self.mapping(model, &open)),
            68..71 => Step::Unmap(self.place()),
            71..74 => Step::Protect(self.place(), self.random.pick(&PERMISSIONS)),
            74..77 => Step::OperateMapped(self.random.pick(&MAPPED_OPERATIONS), self.place()),
            _ => Step::Touch(self.touch(model)),
        }
    }

    fn create(&mut self) -> Step {
        let options = match self.random.below(100) {
            0..45 => VmoOptions::empty(),
            45..90 => VmoOptions::RESIZABLE,
            90..93 => VmoOptions::UNBOUNDED,
            93..98 => VmoOptions::DISCARDABLE,
            _ => VmoOptions::from_bits_retain(1 << self.random.below(6)),
        };
        let size = self.size();
        Step::Create { size, options }
    }

    /// The size of a VMO in bytes: a few pages, not always all of the last, or in few cases very many.
    fn size(&mut self) -> u64 {
        let pages = self.random.below(PAGES + 1) as u64;
        match self.random.below(100) {
            0..70 => pages * P,
            70..95 => pages * P + self.random.below(PAGE) as u64,
            _ => self.random.pick(&WRONG),
        }
    }

    fn child(&mut self, model: &Families, open: &[usize]) -> Child {
        let parent = self.handle(open);
        let mut options = self.random.pick(&KINDS);
        if self.random.chance(25) {
            options |= VmoChildOptions::RESIZABLE;
        } else if self.random.chance(10) {
            options |= VmoChildOptions::NO_WRITE;
        }
        if self.random.chance(3) {
            options ^= VmoChildOptions::from_bits_retain(1 << self.random.below(9));
        }
        let size = model.size(parent.vmo);
        let is_reference = options.contains(VmoChildOptions::REFERENCE);
        if is_reference && self.random.chance(95) {
            return Child {
                parent,
                options,
                offset: 0,
                size: 0,
            };
        }
        let offset = if self.random.chance(50) {
            0
        } else {
            self.page_of(size) * P
        };
        let length = match self.random.below(100) {
            // All that is left, and no more: a slice can have that.
            0..60 => size.saturating_sub(offset),
            60..80 => self.random.below(PAGES + 1) as u64 * P,
            _ => self.size(),
        };
        Child {
            parent,
            options,
            offset: self.spoiled(offset),
            size: length,
        }
    }

    fn bytes(&mut self, model: &Families, open: &[usize]) -> Bytes {
        let vmo = self.handle(open);
        let page = self.page_of(model.size(vmo.vmo)) * P;
        let (offset, length) = match self.random.below(100) {
            0..35 => (page, P),
            35..60 => (page, self.random.below(STEP_PAGES + 1) as u64 * P),
            _ => (
                page + self.random.below(PAGE) as u64,
                self.random.below(STEP_PAGES * PAGE) as u64,
            ),
        };
        Bytes {
            vmo,
            offset: self.spoiled(offset),
            length,
        }
    }

    fn operate(&mut self, model: &Families, open: &[usize]) -> Step {
        let often = [RangeOp::Commit, RangeOp::Decommit, RangeOp::Zero];
        let op = if self.random.chance(90) {
            self.random.pick(&often)
        } else {
            self.random.pick(&RangeOp::ALL)
        };
        let mut bytes = self.bytes(model, open);
        if op != RangeOp::Commit && self.random.chance(15) {
            // To the end, however far that is, or further.
            let rest = model.size(bytes.vmo.vmo).saturating_sub(bytes.offset);
            bytes.length = self.spoiled(rest);
        }
        Step::Operate(op, bytes)
    }

    fn resize(&mut self, model: &Families, open: &[usize]) -> Step {
        let mut handle = self.handle(open);
        // Most have to stay as large as they are, which says little.
        for _ in 0..3 {
            if !model.is_resizable(handle.vmo) {
                handle = self.handle(open);
            }
        }
        Step::Resize(handle, self.size())
    }

    fn set_stream(&mut self, model: &Families, open: &[usize]) -> Step {
        let handle = self.handle(open);
        let size = model.size(handle.vmo);
        let stream = self.page_of(size) * P + self.random.below(PAGE) as u64;
        Step::SetStream(handle, self.spoiled(stream.min(size)))
    }

    fn transfer(&mut self, model: &Families, open: &[usize]) -> Transfer {
        let (to, from) = (self.handle(open), self.handle(open));
        let to_offset = self.page_of(model.size(to.vmo)) * P;
        let from_offset = self.page_of(model.size(from.vmo)) * P;
        let length = self.random.below(STEP_PAGES + 1) as u64 * P;
        Transfer {
            to,
            to_offset: self.spoiled(to_offset),
            length,
            from,
            from_offset: self.spoiled(from_offset),
        }
    }

    fn mapping(&mut self, model: &Families, open: &[usize]) -> Mapping {
        let vmo = self.handle(open);
        let place = self.place();
        let mut options = self.random.pick(&PERMISSIONS);
        options |= if self.random.chance(60) {
            VmOptions::SPECIFIC_OVERWRITE
        } else {
            VmOptions::SPECIFIC
        };
        let extra = self.random.pick(&MAPPING_EXTRAS);
        let is_possible = !options.contains(VmOptions::SPECIFIC_OVERWRITE)
            || !extra.contains(VmOptions::MAP_RANGE);
        if is_possible && self.random.chance(30) {
            options |= extra;
        }
        let offset = if self.random.chance(60) {
            // So that mappings can merge.
            place.first as u64 % PAGES as u64 * P
        } else {
            self.page_of(model.size(vmo.vmo)) * P
        };
        Mapping {
            vmo,
            options,
            offset: self.spoiled(offset),
            place,
        }
    }

    fn touch(&mut self, model: &Families) -> Touch {
        let window = self.random.below(WINDOWS);
        let mut page = self.random.below(WINDOW_PAGES);
        // A page that may be touched tells more than a hole.
        for _ in 0..4 {
            if model.allowed_at(window, page).is_empty() {
                page = self.random.below(WINDOW_PAGES);
            }
        }
        let is_write = self.random.chance(50);
        Touch {
            window,
            page,
            offset: self.random.below(PAGE),
            value: is_write.then_some(self.random.next() as u8),
            cpu: self.random.below(64),
        }
    }

    fn place(&mut self) -> Place {
        let first = self.random.below(WINDOW_PAGES);
        let most = if self.random.chance(20) {
            WINDOW_PAGES
        } else {
            6
        };
        Place {
            window: self.random.below(WINDOWS),
            first,
            count: 1 + self.random.below(most.min(WINDOW_PAGES - first)),
        }
    }

    /// A handle, mostly with all rights.
    fn handle(&mut self, open: &[usize]) -> Handle {
        let rights = if self.random.chance(95) {
            Rights::ALL
        } else {
            Rights::ALL.difference(Rights::from_bits_retain(1 << self.random.below(23)))
        };
        Handle {
            vmo: self.random.pick(open),
            rights,
        }
    }

    /// A page of a VMO that has `size` bytes, or the one after its last.
    ///
    /// Of a VMO that is larger than others, one at its beginning or its end.
    fn page_of(&mut self, size: u64) -> u64 {
        let near = self.random.below(PAGES + 1) as u64;
        let last = size / P;
        if last > PAGES as u64 {
            let is_at_end = self.random.chance(40);
            return if is_at_end { last - near } else { near };
        }
        self.random.below(last as usize + 1) as u64
    }

    /// `bytes`, or in few cases something that hurts.
    fn spoiled(&mut self, bytes: u64) -> u64 {
        if self.random.chance(2) {
            self.random.pick(&WRONG)
        } else {
            bytes
        }
    }
}
