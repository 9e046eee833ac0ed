//! Operations on more than there is memory for.

use zx::{Status, VmarFlags, VmarOp, Vmo, VmoOptions};

use super::{ALL, committed_pages, operate};
use crate::calls::RangeCall;
use crate::fixtures::{CAN_MAP_ALL, P, READ_WRITE, Region, peek, poke};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    a_commit_of_16_tib_is_refused_at_once,
    a_commit_of_more_than_is_free_is_refused,
    ranges_without_pages_are_done_at_once,
    a_commit_of_many_blocks_makes_every_page,
];

/// 2^44 bytes: the heap may have cut the largest hole in the address space to a quarter.
const HUGE_PAGES: usize = 1 << 32;

/// A region of 16 TiB that shows a part of the largest VMO.
fn huge() -> Result<(Region, Vmo), Status> {
    let region = Region::with_flags(HUGE_PAGES, CAN_MAP_ALL)?;
    let vmo = Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    region.map(0, &vmo, 1 << 62, HUGE_PAGES * P, flags)?;
    Ok((region, vmo))
}

fn a_commit_of_16_tib_is_refused_at_once() -> Outcome {
    let (region, vmo) = huge()?;
    poke(region.at(HUGE_PAGES - 1), 3);
    check_refused(
        operate(&region, VmarOp::COMMIT, 0, HUGE_PAGES),
        Status::NO_MEMORY,
    )?;
    check_eq(committed_pages(&vmo)?, 1)?;
    check_eq(peek(region.at(HUGE_PAGES - 1)), 3)
}

fn a_commit_of_more_than_is_free_is_refused() -> Outcome {
    let (region, vmo) = huge()?;
    let pages = zx::system_get_physmem() as usize / P;
    check_refused(
        operate(&region, VmarOp::COMMIT, 1, pages),
        Status::NO_MEMORY,
    )?;
    check_eq(committed_pages(&vmo)?, 0)
}

fn ranges_without_pages_are_done_at_once() -> Outcome {
    let (region, vmo) = huge()?;
    for page in [0, HUGE_PAGES / 2, HUGE_PAGES - 1] {
        poke(region.at(page), 1);
    }
    for op in ALL.into_iter().filter(|op| *op != VmarOp::COMMIT) {
        check_eq(operate(&region, op, 0, HUGE_PAGES), Ok(()))?;
    }
    check_eq(committed_pages(&vmo)?, 0)
}

fn a_commit_of_many_blocks_makes_every_page() -> Outcome {
    // Begins and ends within blocks of 512 pages, both in the VMO and in the region.
    let pages = 1500;
    let region = Region::new(pages)?;
    let vmo = Vmo::create(((pages + 100) * P) as u64)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    region.map(0, &vmo, 100 * P as u64, pages * P, flags)?;
    let commit = RangeCall {
        length: pages * P,
        ..RangeCall::one_page(&region, VmarOp::COMMIT.into_raw(), 0)
    };
    commit.make()?;
    check_eq(committed_pages(&vmo)?, pages as u64)?;
    operate(&region, VmarOp::DECOMMIT, 1, pages - 2)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    commit.make()?;
    check_eq(committed_pages(&vmo)?, pages as u64)
}
