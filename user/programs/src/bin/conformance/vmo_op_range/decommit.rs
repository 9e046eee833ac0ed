//! `DECOMMIT`.

use zx::{Status, Vmo, VmoChildOptions, VmoOp, VmoOptions};

use crate::fixtures::{P, Region, numbered_vmo, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    gives_pages_back,
    refuses_ranges_that_are_not_aligned,
    refuses_unaligned_ranges_of_absent_pages,
    the_end_comes_before_the_alignment,
    mappings_read_zero_at_once,
    mappings_can_write_again,
    leaves_what_is_beside_it,
    keeps_the_sizes,
    a_sparse_vmo_costs_only_what_it_has,
    reaches_into_every_block,
    families_that_copy_on_write_keep_their_pages,
    the_range_comes_before_the_family,
    views_give_back_their_owners_pages,
];

const PAGE: u64 = P as u64;

/// Pages of a block that is worked on at a time.
const BLOCK: u64 = 512;

fn committed_pages(vmo: &Vmo) -> Result<u64, Status> {
    Ok(vmo.info()?.committed_bytes / PAGE)
}

fn gives_pages_back() -> Outcome {
    let vmo = numbered_vmo(4, 1)?;
    vmo.op_range(VmoOp::DECOMMIT, PAGE, 2 * PAGE)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    vmo.op_range(VmoOp::DECOMMIT, 0, 4 * PAGE)?;
    let info = vmo.info()?;
    check_eq(info.committed_bytes, 0)?;
    check_eq(info.metadata_bytes, 0)?;
    check_eq(vmo.read_to_vec::<u8>(0, 4 * PAGE)?, [0; 4 * P].into())
}

fn refuses_ranges_that_are_not_aligned() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    for (offset, size) in [
        (1, PAGE),
        (0, 1),
        (0, PAGE - 1),
        (PAGE, PAGE + 1),
        (1, PAGE - 1),
    ] {
        let answer = vmo.op_range(VmoOp::DECOMMIT, offset, size);
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    check_eq(committed_pages(&vmo)?, 3)
}

fn refuses_unaligned_ranges_of_absent_pages() -> Outcome {
    let vmo = vmo_of(3)?;
    for (offset, size) in [(1, PAGE), (0, 1), (1, 0)] {
        let answer = vmo.op_range(VmoOp::DECOMMIT, offset, size);
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn the_end_comes_before_the_alignment() -> Outcome {
    let vmo = vmo_of(2)?;
    for (offset, size) in [
        (0, 2 * PAGE + 1),
        (1, 2 * PAGE),
        (2 * PAGE + 1, 0),
        (0, 3 * PAGE),
    ] {
        let answer = vmo.op_range(VmoOp::DECOMMIT, offset, size);
        check_refused(answer, Status::OUT_OF_RANGE)?;
    }
    Ok(())
}

fn mappings_read_zero_at_once() -> Outcome {
    let vmo = numbered_vmo(2, 7)?;
    let region = Region::new(8)?;
    let mapped = [region.map_at(0, &vmo, 2)?, region.map_at(4, &vmo, 2)?];
    for address in mapped {
        check_eq([peek(address), peek(address + P)], [7, 8])?;
    }
    vmo.op_range(VmoOp::DECOMMIT, 0, PAGE)?;
    for address in mapped {
        check_eq([peek(address), peek(address + P)], [0, 8])?;
    }
    check_eq(committed_pages(&vmo)?, 1)
}

fn mappings_can_write_again() -> Outcome {
    let vmo = vmo_of(1)?;
    let region = Region::new(4)?;
    let mapped = region.map_at(0, &vmo, 1)?;
    poke(mapped, 1);
    vmo.op_range(VmoOp::DECOMMIT, 0, PAGE)?;
    poke(mapped + 1, 2);
    check_eq(vmo.read_to_array::<u8, 2>(0)?, [0, 2])
}

fn leaves_what_is_beside_it() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    vmo.write(&[9], 2 * PAGE - 1)?;
    vmo.op_range(VmoOp::DECOMMIT, PAGE, PAGE)?;
    let first_bytes = [0, 1, 2].map(|page| vmo.read_to_object::<u8>(page * PAGE));
    check_eq(first_bytes, [1, 0, 3].map(Ok))?;
    check_eq(vmo.read_to_object::<u8>(2 * PAGE - 1)?, 0)
}

fn keeps_the_sizes() -> Outcome {
    let vmo = Vmo::create(PAGE + 5)?;
    vmo.write(&[1], 0)?;
    vmo.op_range(VmoOp::DECOMMIT, 0, 2 * PAGE)?;
    check_eq(
        [vmo.get_size()?, vmo.get_stream_size()?],
        [2 * PAGE, PAGE + 5],
    )
}

fn a_sparse_vmo_costs_only_what_it_has() -> Outcome {
    let vmo = Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)?;
    let size = vmo.get_size()?;
    for offset in [0, 1 << 40, 1 << 50, size - PAGE] {
        vmo.write(&[1], offset)?;
    }
    vmo.op_range(VmoOp::DECOMMIT, PAGE, size - 2 * PAGE)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    vmo.op_range(VmoOp::DECOMMIT, 0, size)?;
    check_eq(committed_pages(&vmo)?, 0)
}

fn reaches_into_every_block() -> Outcome {
    let vmo = Vmo::create(4 * BLOCK * PAGE)?;
    vmo.op_range(VmoOp::COMMIT, 0, 4 * BLOCK * PAGE)?;
    vmo.op_range(VmoOp::DECOMMIT, (BLOCK - 1) * PAGE, (2 * BLOCK + 2) * PAGE)?;
    check_eq(committed_pages(&vmo)?, 2 * BLOCK - 2)
}

fn families_that_copy_on_write_keep_their_pages() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let child = parent.create_child(VmoChildOptions::SNAPSHOT, 0, 2 * PAGE)?;
    let reference = parent.create_child(VmoChildOptions::REFERENCE, 0, 0)?;
    for member in [&parent, &child, &reference] {
        let answer = member.op_range(VmoOp::DECOMMIT, 0, PAGE);
        check_refused(answer, Status::NOT_SUPPORTED)?;
        check_eq(member.read_to_object::<u8>(0)?, 1)?;
    }
    drop(child);
    parent.op_range(VmoOp::DECOMMIT, 0, PAGE)?;
    check_eq(reference.read_to_object::<u8>(0)?, 0)
}

fn the_range_comes_before_the_family() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let child = parent.create_child(VmoChildOptions::SNAPSHOT, 0, 2 * PAGE)?;
    for member in [&parent, &child] {
        let beyond = member.op_range(VmoOp::DECOMMIT, 0, 3 * PAGE);
        check_refused(beyond, Status::OUT_OF_RANGE)?;
        let unaligned = member.op_range(VmoOp::DECOMMIT, 1, PAGE);
        check_refused(unaligned, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn views_give_back_their_owners_pages() -> Outcome {
    let owner = numbered_vmo(4, 1)?;
    let slice = owner.create_child(VmoChildOptions::SLICE, PAGE, 2 * PAGE)?;
    let reference = owner.create_child(VmoChildOptions::REFERENCE, 0, 0)?;
    let region = Region::new(4)?;
    let mapped = region.map_at(0, &owner, 4)?;
    check_eq(peek(mapped + 2 * P), 3)?;
    slice.op_range(VmoOp::DECOMMIT, PAGE, PAGE)?;
    reference.op_range(VmoOp::DECOMMIT, 3 * PAGE, PAGE)?;
    check_eq(
        [0, 1, 2, 3].map(|page| peek(mapped + page * P)),
        [1, 2, 0, 0],
    )?;
    check_eq(committed_pages(&owner)?, 2)
}
