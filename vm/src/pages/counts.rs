//! How many frames there are, and whose they are.

use core::fmt;

use arrayvec::ArrayVec;
use spin::MutexGuard;

use super::PageDatabase;
use super::cache::Cache;
use super::depot::BLOCK_FRAMES;
use super::frame::OwnerKind;
use crate::addr::PageCount;
use crate::cpu::MAX_CPUS;
use crate::mmu::MemoryType;

/// How many frames there are of each sort. The parts always add up to the total.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameCounts {
    /// All frames that were added.
    pub total: PageCount,
    /// Those that nobody has.
    pub free: PageCount,
    owned: [PageCount; OwnerKind::ALL.len()],
}

impl FrameCounts {
    /// The frames that owners of this kind have.
    pub const fn owned_by(&self, kind: OwnerKind) -> PageCount {
        self.owned[kind as usize]
    }
}

/// Where the free frames are kept. They add up to those in [`FrameCounts`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FreeFrames {
    /// At hand for single processors.
    pub caches: PageCount,
    /// In blocks of which others are in use.
    pub depot: PageCount,
    /// In whole blocks, from which contiguous ranges come.
    pub buddy: PageCount,
}

/// Two ways to count the same frames that came to different results.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mismatch {
    /// What was counted.
    pub what: &'static str,
    /// What the records of the frames say.
    pub found: usize,
    /// What the books say.
    pub booked: usize,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            found,
            booked,
        } = self;
        write!(
            formatter,
            "{found} frames are {what}, but the books say {booked}"
        )
    }
}

impl core::error::Error for Mismatch {}

/// What the records of the frames say, in frames.
#[derive(Default)]
struct Found {
    free: usize,
    /// Free frames that the direct map does not show as cached memory.
    retyped: usize,
    owned: [usize; OwnerKind::ALL.len()],
}

type Caches<'a> = ArrayVec<MutexGuard<'a, Cache>, MAX_CPUS>;

impl PageDatabase {
    /// Counts the frames by owner. Locks all caches.
    pub fn counts(&self) -> FrameCounts {
        self.book(&self.lock_caches())
    }

    /// Counts the frames by owner, and the free ones by place, at one moment. Locks all caches and the depot.
    pub fn counts_with_places(&self) -> (FrameCounts, FreeFrames) {
        let caches = self.lock_caches();
        let depot = self.depot.lock();
        let counts = self.book(&caches);
        let in_caches = caches.iter().map(|cache| cache.len()).sum();
        // So a block on its way between the depot and the buddy counts as the buddy's, and none is missing.
        let elsewhere = in_caches + depot.frames();
        let places = FreeFrames {
            caches: PageCount::new(in_caches),
            depot: PageCount::new(depot.frames()),
            buddy: PageCount::new(counts.free.get().saturating_sub(elsewhere)),
        };
        (counts, places)
    }

    /// Walks over all frames and compares what it finds with the books. Locks everything.
    ///
    /// For tests, at moments when no processor is in the middle of allocating or freeing.
    ///
    /// # Errors
    /// The first count that does not agree.
    pub fn audit(&self) -> Result<FrameCounts, Mismatch> {
        let caches = self.lock_caches();
        let depot = self.depot.lock();
        let counts = self.book(&caches);
        let in_buddy = self.buddy_blocks() * BLOCK_FRAMES as usize;
        let in_caches: usize = caches.iter().map(|cache| cache.len()).sum();
        let found = self.count_records();

        agree("in the depot", depot.count_frames(), depot.frames())?;
        agree("free", found.free, counts.free.get())?;
        agree("free but not cached", found.retyped, 0)?;
        agree(
            "in caches, depot and buddy",
            in_caches + depot.frames() + in_buddy,
            counts.free.get(),
        )?;
        for kind in OwnerKind::ALL {
            agree(
                kind.name(),
                found.owned[kind as usize],
                counts.owned_by(kind).get(),
            )?;
        }
        Ok(counts)
    }

    /// Counts the frames by what their records say.
    fn count_records(&self) -> Found {
        let mut found = Found::default();
        for number in self.infos.numbers() {
            let info = self.infos.get(number);
            if info.is_free() {
                found.free += 1;
                found.retyped += usize::from(info.memory() != MemoryType::Cached);
            } else if let Some(owner) = info.owner() {
                found.owned[owner as usize] += 1;
            }
        }
        found
    }

    fn lock_caches(&self) -> Caches<'_> {
        self.caches.iter().map(|cache| cache.0.lock()).collect()
    }

    fn book(&self, caches: &Caches<'_>) -> FrameCounts {
        let owned = OwnerKind::ALL.map(|kind| {
            let sum: isize = caches.iter().map(|cache| cache.held(kind)).sum();
            PageCount::new(sum.max(0) as usize)
        });
        let total = self.total_frames();
        let free = total - owned.iter().map(|count| count.get()).sum::<usize>();
        FrameCounts {
            total: PageCount::new(total),
            free: PageCount::new(free),
            owned,
        }
    }
}

fn agree(what: &'static str, found: usize, booked: usize) -> Result<(), Mismatch> {
    if found == booked {
        Ok(())
    } else {
        Err(Mismatch {
            what,
            found,
            booked,
        })
    }
}
