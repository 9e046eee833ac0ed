//! `COMMIT` and `PREFETCH`.

use zx::{Status, VmarFlags, Vmo, VmoOp, VmoOptions, system_get_physmem};

use crate::fixtures::{P, Region, numbered_vmo, peek, poke, resizable_vmo_of, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    makes_every_page,
    grows_outward_to_pages,
    keeps_what_is_there,
    a_second_commit_changes_nothing,
    reaches_into_every_block,
    mappings_see_one_page,
    zeros_that_were_read_are_replaced,
    follows_the_size,
    what_does_not_fit_into_memory_makes_nothing,
    a_range_of_16_eib_is_refused_at_once,
    prefetch_makes_nothing,
];

const PAGE: u64 = P as u64;

/// Pages of a block that is worked on at a time.
const BLOCK: usize = 512;

fn committed_pages(vmo: &Vmo) -> Result<u64, Status> {
    Ok(vmo.info()?.committed_bytes / PAGE)
}

fn makes_every_page() -> Outcome {
    let vmo = vmo_of(5)?;
    vmo.op_range(VmoOp::COMMIT, PAGE, 3 * PAGE)?;
    let info = vmo.info()?;
    check_eq(info.committed_bytes, 3 * PAGE)?;
    check_eq(info.populated_bytes, 3 * PAGE)?;
    check_eq(vmo.read_to_vec::<u8>(0, 5 * PAGE)?, [0; 5 * P].into())
}

fn grows_outward_to_pages() -> Outcome {
    for (offset, size, pages) in [
        (0, 1, 1),
        (PAGE - 1, 1, 1),
        (PAGE - 1, 2, 2),
        (1, PAGE, 2),
        (PAGE, PAGE + 1, 2),
        (3 * PAGE, PAGE, 1),
        (1, 4 * PAGE - 1, 4),
    ] {
        let vmo = vmo_of(4)?;
        vmo.op_range(VmoOp::COMMIT, offset, size)?;
        check_eq(committed_pages(&vmo)?, pages)?;
    }
    Ok(())
}

fn keeps_what_is_there() -> Outcome {
    let vmo = numbered_vmo(4, 10)?;
    vmo.op_range(VmoOp::DECOMMIT, PAGE, PAGE)?;
    vmo.op_range(VmoOp::COMMIT, 0, 4 * PAGE)?;
    let first_bytes = [0, 1, 2, 3].map(|page| vmo.read_to_object::<u8>(page * PAGE));
    check_eq(first_bytes, [10, 0, 12, 13].map(Ok))?;
    check_eq(committed_pages(&vmo)?, 4)
}

fn a_second_commit_changes_nothing() -> Outcome {
    let vmo = vmo_of(3)?;
    vmo.op_range(VmoOp::COMMIT, 0, 3 * PAGE)?;
    let before = vmo.info()?;
    vmo.op_range(VmoOp::COMMIT, 0, 3 * PAGE)?;
    check_eq(vmo.info()?, before)
}

fn reaches_into_every_block() -> Outcome {
    let vmo = vmo_of(4 * BLOCK)?;
    let (first, pages) = (BLOCK as u64 - 1, 2 * BLOCK as u64 + 2);
    vmo.op_range(VmoOp::COMMIT, first * PAGE, pages * PAGE)?;
    check_eq(committed_pages(&vmo)?, pages)
}

fn mappings_see_one_page() -> Outcome {
    let vmo = vmo_of(2)?;
    let region = Region::new(8)?;
    let (one, other) = (region.map_at(0, &vmo, 2)?, region.map_at(4, &vmo, 2)?);
    vmo.op_range(VmoOp::COMMIT, 0, 2 * PAGE)?;
    poke(one + P, 5);
    check_eq(peek(other + P), 5)?;
    check_eq(committed_pages(&vmo)?, 2)
}

fn zeros_that_were_read_are_replaced() -> Outcome {
    let vmo = vmo_of(1)?;
    let region = Region::new(4)?;
    let mapped = region.map(0, &vmo, 0, P, VmarFlags::PERM_READ)?;
    check_eq(peek(mapped), 0)?;
    vmo.op_range(VmoOp::COMMIT, 0, PAGE)?;
    vmo.write(&[9], 0)?;
    check_eq(peek(mapped), 9)
}

fn follows_the_size() -> Outcome {
    let vmo = resizable_vmo_of(1)?;
    check_refused(
        vmo.op_range(VmoOp::COMMIT, 0, 2 * PAGE),
        Status::OUT_OF_RANGE,
    )?;
    vmo.set_size(2 * PAGE)?;
    vmo.op_range(VmoOp::COMMIT, 0, 2 * PAGE)?;
    check_eq(committed_pages(&vmo)?, 2)
}

fn what_does_not_fit_into_memory_makes_nothing() -> Outcome {
    let vmo = Vmo::create(1 << 50)?;
    vmo.write(&[3], 0)?;
    let size = system_get_physmem() + PAGE;
    check_refused(vmo.op_range(VmoOp::COMMIT, 0, size), Status::NO_MEMORY)?;
    check_eq(committed_pages(&vmo)?, 1)?;
    check_eq(vmo.read_to_object::<u8>(0)?, 3)
}

fn a_range_of_16_eib_is_refused_at_once() -> Outcome {
    let vmo = Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)?;
    let size = vmo.get_size()?;
    check(size > 1 << 63, "a VMO as large as can be")?;
    check_refused(vmo.op_range(VmoOp::COMMIT, 0, size), Status::NO_MEMORY)?;
    check_eq(committed_pages(&vmo)?, 0)?;
    vmo.op_range(VmoOp::COMMIT, size - PAGE, PAGE)?;
    check_eq(committed_pages(&vmo)?, 1)
}

fn prefetch_makes_nothing() -> Outcome {
    let vmo = vmo_of(3)?;
    vmo.write(&[1], PAGE)?;
    for (offset, size) in [(0, 3 * PAGE), (1, 1), (PAGE - 1, PAGE + 2)] {
        vmo.op_range(VmoOp::PREFETCH, offset, size)?;
    }
    check_eq(committed_pages(&vmo)?, 1)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 1)
}
