//! Which permissions the pages of one mapping have, as runs of equal permission.
//!
//! A mapping whose pages all have the same permissions needs no run list at all. Where they differ, a
//! sorted list says where each run begins:
//!
//! ```text
//!   mapping   0x4000                0x7000   0x8000          0xa000
//!             │  read, write        │  read  │  read, write  │
//!   runs      [0x4000 rw]           [0x7000 r] [0x8000 rw]
//! ```
//!
//! A run begins at a page, so its address leaves room for the permissions in its low bits.

use alloc::boxed::Box;
use alloc::vec::Vec;

use syscall::Result;

use crate::addr::{VirtAddr, VirtRange};
use crate::mmu::Access;
use crate::try_alloc::try_reserve;

/// A maximal range of pages with the same permissions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProtectionRun {
    /// The pages.
    pub range: VirtRange,
    /// What they allow.
    pub access: Access,
}

/// What the pages of a mapping allow.
#[derive(Debug)]
pub enum Protection {
    /// The same everywhere.
    Uniform(Access),
    /// As the runs say.
    Runs(Box<Runs>),
}

/// Where a run begins, and what it allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Start(usize);

impl Start {
    fn new(address: VirtAddr, access: Access) -> Self {
        Self(address.page_base().raw() | usize::from(access.bits()))
    }

    const fn address(self) -> VirtAddr {
        VirtAddr::new(self.0).page_base()
    }

    fn access(self) -> Access {
        Access::from_bits_truncate(VirtAddr::new(self.0).page_offset() as u8)
    }
}

/// The runs of a mapping whose permissions differ.
///
/// 1. Starts ascend, and the first one is the mapping's base.
/// 2. Neighbours differ in permissions.
#[derive(Debug)]
pub struct Runs {
    starts: Vec<Start>,
}

/// How many more runs one [`Runs::set`] can make.
const GROWTH: usize = 2;

impl Runs {
    /// One run from `base` on, with room for two [`set`](Self::set)s: one, and usually its reversal.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no room for the list.
    pub fn uniform(base: VirtAddr, access: Access) -> Result<Self> {
        let mut starts = Vec::new();
        try_reserve(&mut starts, 1 + 2 * GROWTH)?;
        starts.push(Start::new(base, access));
        Ok(Self { starts })
    }

    /// Makes room for one [`set`](Self::set).
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none. The runs are as before.
    pub fn reserve(&mut self) -> Result<()> {
        try_reserve(&mut self.starts, GROWTH)
    }

    /// A copy of the runs from `at` on, for the upper part of a mapping that is split.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no room for it.
    pub fn tail(&self, at: VirtAddr) -> Result<Self> {
        let first = self.index(at);
        let mut starts = Vec::new();
        try_reserve(&mut starts, self.starts.len() - first)?;
        starts.extend_from_slice(&self.starts[first..]);
        let mut tail = Self { starts };
        tail.move_first(at);
        Ok(tail)
    }

    /// Forgets what lies outside `range`, to which the mapping has shrunk.
    pub fn clip(&mut self, range: VirtRange) {
        let past = self
            .starts
            .partition_point(|start| start.address() < range.end());
        self.starts.truncate(past);
        let first = self.index(range.base());
        self.starts.drain(..first);
        self.move_first(range.base());
    }

    /// Appends the runs of a mapping that continues this one at `base`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no room. The runs are as before.
    pub fn append(&mut self, base: VirtAddr, upper: &Protection) -> Result<()> {
        let more: &[Start] = match upper {
            Protection::Uniform(access) => &[Start::new(base, *access)],
            Protection::Runs(runs) => &runs.starts,
        };
        try_reserve(&mut self.starts, more.len())?;
        let is_same = match (self.starts.last(), more.first()) {
            (Some(last), Some(first)) => last.access() == first.access(),
            _ => false,
        };
        self.starts.extend_from_slice(&more[usize::from(is_same)..]);
        Ok(())
    }

    /// What the page at `address` allows.
    pub fn access(&self, address: VirtAddr) -> Access {
        self.starts[self.index(address)].access()
    }

    /// The permissions, if they are the same everywhere.
    pub fn as_uniform(&self) -> Option<Access> {
        match self.starts.as_slice() {
            [only] => Some(only.access()),
            _ => None,
        }
    }

    /// Gives the pages of `range` these permissions; `end` is the end of the mapping.
    ///
    /// Does not allocate if there was a [`reserve`](Self::reserve) before.
    pub fn set(&mut self, range: VirtRange, access: Access, end: VirtAddr) {
        let after = (range.end() < end).then(|| Start::new(range.end(), self.access(range.end())));
        let first = self
            .starts
            .partition_point(|start| start.address() < range.base());
        let past = self
            .starts
            .partition_point(|start| start.address() <= range.end());
        let before = first
            .checked_sub(1)
            .map(|index| self.starts[index].access());
        let middle = (before != Some(access)).then(|| Start::new(range.base(), access));
        let after = after.filter(|after| after.access() != access);
        self.starts
            .splice(first..past, middle.into_iter().chain(after));
    }

    /// The run that contains `address`, in a mapping of `range`.
    pub fn run_at(&self, address: VirtAddr, range: VirtRange) -> Option<ProtectionRun> {
        let index = self.index(address);
        let start = self.starts[index];
        let end = self
            .starts
            .get(index + 1)
            .map_or(range.end(), |next| next.address());
        Some(ProtectionRun {
            range: VirtRange::between(start.address(), end)?,
            access: start.access(),
        })
    }

    /// The run that contains `address`, which is not below the first.
    fn index(&self, address: VirtAddr) -> usize {
        self.starts
            .partition_point(|start| start.address() <= address)
            .saturating_sub(1)
    }

    fn move_first(&mut self, base: VirtAddr) {
        if let Some(first) = self.starts.first_mut() {
            *first = Start::new(base, first.access());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::addr::{PAGE_SIZE, PageCount};

    const PAGES: usize = 12;
    const BASE: usize = 0x10_0000;

    fn page(number: usize) -> VirtAddr {
        VirtAddr::new(BASE + number * PAGE_SIZE)
    }

    fn pages(first: usize, past: usize) -> VirtRange {
        VirtRange::new(page(first), PageCount::new(past - first)).expect("a valid range")
    }

    fn accesses(runs: &Runs, first: usize, past: usize) -> Vec<Access> {
        (first..past)
            .map(|number| runs.access(page(number)))
            .collect()
    }

    fn check(runs: &Runs, base: VirtAddr) {
        assert_eq!(runs.starts[0].address(), base);
        for pair in runs.starts.windows(2) {
            assert!(pair[0].address() < pair[1].address());
            assert_ne!(pair[0].access(), pair[1].access());
        }
    }

    #[test]
    fn setting_back_what_was_split_leaves_one_run() {
        let write = Access::READ | Access::WRITE;
        let mut runs = Runs::uniform(page(0), write).expect("memory");
        runs.set(pages(3, 4), Access::READ, page(PAGES));
        assert_eq!(runs.as_uniform(), None);
        let run = runs.run_at(page(3), pages(0, PAGES)).expect("a run");
        assert_eq!((run.range, run.access), (pages(3, 4), Access::READ));
        runs.set(pages(3, 4), write, page(PAGES));
        assert_eq!(runs.as_uniform(), Some(write));
    }

    #[test]
    fn the_first_and_the_last_page_can_differ() {
        let mut runs = Runs::uniform(page(0), Access::READ).expect("memory");
        runs.set(pages(0, 1), Access::empty(), page(PAGES));
        runs.set(pages(PAGES - 1, PAGES), Access::EXECUTE, page(PAGES));
        check(&runs, page(0));
        assert_eq!(runs.access(page(0)), Access::empty());
        assert_eq!(runs.access(page(PAGES - 1)), Access::EXECUTE);
        assert_eq!(runs.access(page(PAGES - 2)), Access::READ);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(usize, usize, u8),
        Clip(usize, usize),
        SplitAndAppend(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..PAGES, 1..=PAGES, 0..8_u8).prop_map(|(a, b, access)| Step::Set(a, b, access)),
            1 => (0..3_usize, PAGES - 2..=PAGES).prop_map(|(a, b)| Step::Clip(a, b)),
            2 => (1..PAGES).prop_map(Step::SplitAndAppend),
        ]
    }

    proptest! {
        #[test]
        fn behaves_like_an_array_of_pages(steps in prop::collection::vec(step(), 1..60)) {
            let mut runs = Runs::uniform(page(0), Access::READ).expect("memory");
            let mut model = [Access::READ; PAGES];
            let (mut low, mut high) = (0, PAGES);
            for step in steps {
                match step {
                    Step::Set(first, past, access) => {
                        let (first, past) = (first.max(low), past.min(high));
                        if first < past {
                            let access = Access::from_bits_truncate(access);
                            runs.reserve().expect("memory");
                            let capacity = runs.starts.capacity();
                            runs.set(pages(first, past), access, page(high));
                            prop_assert_eq!(runs.starts.capacity(), capacity);
                            model[first..past].fill(access);
                        }
                    }
                    Step::Clip(first, past) => {
                        (low, high) = (low.max(first), high.min(past));
                        runs.clip(pages(low, high));
                    }
                    Step::SplitAndAppend(at) if low < at && at < high => {
                        let tail = runs.tail(page(at)).expect("memory");
                        prop_assert_eq!(accesses(&tail, at, high), model[at..high].to_vec());
                        runs.clip(pages(low, at));
                        let upper = Protection::Runs(Box::new(tail));
                        runs.append(page(at), &upper).expect("memory");
                    }
                    Step::SplitAndAppend(_) => {}
                }
                check(&runs, page(low));
                prop_assert_eq!(accesses(&runs, low, high), model[low..high].to_vec());
            }
        }
    }
}
