//! Large pages, as far as a program can tell: by the memory that page tables take, and by contents that
//! survive what happens to a part of them.

use zx::{AsHandleRef, Status, VmarFlags, VmarOp, Vmo, sys};

use crate::calls::{self, MapCall, ProtectCall, RangeCall};
use crate::fixtures::{P, Probe, Region, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, tests};

pub const TESTS: &[Test] = tests![
    a_committed_range_needs_no_table_per_large_page,
    a_second_mapping_of_the_pages_needs_none_either,
    the_rest_outlives_a_part_that_is_unmapped,
    the_rest_outlives_a_part_that_is_protected,
    the_rest_outlives_a_part_that_is_decommitted,
    the_rest_outlives_a_part_that_is_overwritten,
    a_part_may_allow_more_than_the_rest,
    a_large_mapping_without_wishes_goes_to_a_multiple_of_its_pages,
];

const READ: u32 = sys::ZX_VM_PERM_READ;
const WRITE: u32 = sys::ZX_VM_PERM_WRITE;

/// The pages of a large page.
const LARGE: usize = 512;

/// Enough large pages that their tables would be noticed among the few above them.
const COUNT: usize = 8;

/// The tables above those of base pages that a new mapping may need: two paths of two.
const TABLES_ABOVE: u64 = 4;

/// How many frames are page tables.
fn tables() -> Result<u64, Status> {
    Ok(rt::system_resource().mem_stats()?.mmu_overhead_bytes / P as u64)
}

/// A region that begins at a multiple of a large page.
struct Aligned {
    region: Region,
    first: usize,
}

impl Aligned {
    /// Has `count` large pages' worth of addresses from page `first` on.
    fn new(count: usize) -> Result<Self, Status> {
        let region = Region::new((count + 1) * LARGE)?;
        let first = (region.at(0) / P).next_multiple_of(LARGE) - region.at(0) / P;
        Ok(Self { region, first })
    }

    fn operate(&self, op: VmarOp, page: usize, pages: usize) -> Result<(), Status> {
        RangeCall {
            length: pages * P,
            ..RangeCall::one_page(&self.region, op.into_raw(), self.first + page)
        }
        .make()
    }

    fn at(&self, page: usize) -> usize {
        self.region.at(self.first + page)
    }

    fn unmap(&self, page: usize, pages: usize) -> Result<(), Status> {
        calls::unmap(self.region.raw_handle(), self.at(page), pages * P)
    }

    fn protect(&self, options: u32, page: usize, pages: usize) -> Result<(), Status> {
        let call = ProtectCall {
            options,
            length: pages * P,
            ..ProtectCall::read_only(&self.region, self.first + page)
        };
        call.make()
    }

    /// Maps and commits one large page, and numbers some of its pages.
    fn numbered(&self) -> Result<Vmo, Status> {
        let vmo = vmo_of(LARGE)?;
        self.region.map_at(self.first, &vmo, LARGE)?;
        self.operate(VmarOp::COMMIT, 0, LARGE)?;
        for page in SAMPLES {
            poke(self.at(page), page as u8);
        }
        Ok(vmo)
    }

    /// Checks that the numbers are there, but for the page that is treated.
    fn check_rest(&self) -> Outcome {
        SAMPLES
            .into_iter()
            .filter(|page| *page != TREATED)
            .try_for_each(|page| check_eq(peek(self.at(page)), page as u8))
    }
}

/// The pages that are looked at.
const SAMPLES: [usize; 6] = [0, 1, TREATED - 1, TREATED, TREATED + 1, LARGE - 1];

/// The page to which something is done.
const TREATED: usize = 100;

fn a_committed_range_needs_no_table_per_large_page() -> Outcome {
    let space = Aligned::new(COUNT)?;
    let vmo = vmo_of(COUNT * LARGE)?;
    space.region.map_at(space.first, &vmo, COUNT * LARGE)?;
    let before = tables()?;
    space.operate(VmarOp::COMMIT, 0, COUNT * LARGE)?;
    check(
        tables()? <= before + TABLES_ABOVE,
        "large pages in the place of tables",
    )?;
    for page in [0, LARGE, COUNT * LARGE - 1] {
        check_eq(peek(space.at(page)), 0)?;
        poke(space.at(page), 7);
        check_eq(vmo.read_to_object::<u8>((page * P) as u64)?, 7)?;
    }
    check(
        tables()? <= before + TABLES_ABOVE,
        "the same after pages were touched",
    )
}

fn a_second_mapping_of_the_pages_needs_none_either() -> Outcome {
    let (space, other) = (Aligned::new(COUNT)?, Aligned::new(COUNT)?);
    let vmo = vmo_of(COUNT * LARGE)?;
    space.region.map_at(space.first, &vmo, COUNT * LARGE)?;
    space.operate(VmarOp::COMMIT, 0, COUNT * LARGE)?;
    poke(space.at(LARGE + 3), 5);
    let before = tables()?;
    other.region.map_at(other.first, &vmo, COUNT * LARGE)?;
    for large in 0..COUNT {
        check_eq(
            peek(other.at(large * LARGE + 3)),
            if large == 1 { 5 } else { 0 },
        )?;
    }
    check(
        tables()? <= before + TABLES_ABOVE,
        "faults enter large pages",
    )?;
    other.unmap(0, COUNT * LARGE)?;
    check(tables()? <= before, "no table is left")
}

fn the_rest_outlives_a_part_that_is_unmapped() -> Outcome {
    let space = Aligned::new(1)?;
    space.numbered()?;
    space.unmap(TREATED, 1)?;
    check_eq(Probe::new()?.is_readable(space.at(TREATED))?, false)?;
    space.check_rest()
}

fn the_rest_outlives_a_part_that_is_protected() -> Outcome {
    let space = Aligned::new(1)?;
    space.numbered()?;
    space.protect(READ, TREATED, 1)?;
    let probe = Probe::new()?;
    check_eq(probe.is_writable(space.at(TREATED))?, false)?;
    check_eq(peek(space.at(TREATED)), TREATED as u8)?;
    check_eq(probe.is_writable(space.at(TREATED + 1) + 1)?, true)?;
    space.check_rest()
}

fn the_rest_outlives_a_part_that_is_decommitted() -> Outcome {
    let space = Aligned::new(1)?;
    let vmo = space.numbered()?;
    space.operate(VmarOp::DECOMMIT, TREATED, 1)?;
    check_eq(peek(space.at(TREATED)), 0)?;
    check_eq(vmo.info()?.committed_bytes, ((LARGE - 1) * P) as u64)?;
    space.check_rest()
}

fn the_rest_outlives_a_part_that_is_overwritten() -> Outcome {
    let space = Aligned::new(1)?;
    space.numbered()?;
    let vmo = vmo_of(1)?;
    let call = MapCall {
        options: READ | WRITE | sys::ZX_VM_SPECIFIC_OVERWRITE,
        vmar_offset: (space.first + TREATED) * P,
        ..MapCall::one_page(&space.region, &vmo)
    };
    call.make()?;
    check_eq(peek(space.at(TREATED)), 0)?;
    space.check_rest()
}

fn a_part_may_allow_more_than_the_rest() -> Outcome {
    let space = Aligned::new(1)?;
    space.numbered()?;
    space.protect(READ, 0, LARGE)?;
    space.check_rest()?;
    space.protect(READ | WRITE, TREATED, 1)?;
    poke(space.at(TREATED), 1);
    check_eq(Probe::new()?.is_writable(space.at(0))?, false)?;
    space.check_rest()?;
    space.protect(READ | WRITE, 0, LARGE)?;
    poke(space.at(1) + 1, 1);
    space.check_rest()
}

fn a_large_mapping_without_wishes_goes_to_a_multiple_of_its_pages() -> Outcome {
    let vmo = vmo_of(2 * LARGE)?;
    let root = rt::vmar_root_self();
    for pages in [LARGE, LARGE + 1, 2 * LARGE] {
        let address = root.map(0, &vmo, 0, pages * P, VmarFlags::PERM_READ)?;
        calls::unmap(root.raw_handle(), address, pages * P)?;
        check_eq(address % (LARGE * P), 0)?;
    }
    Ok(())
}
