//! `ZERO`.

use alloc::vec;

use zx::{Status, Vmo, VmoOp, VmoOptions};

use crate::fixtures::{P, Region, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    zeroes_exactly_the_range,
    whole_pages_are_given_back,
    absent_pages_are_not_made,
    a_part_of_a_page_keeps_the_page,
    mappings_see_it_at_once,
    a_sparse_vmo_is_zeroed_at_once,
    keeps_the_sizes,
    reaches_into_every_block,
];

const PAGE: u64 = P as u64;

/// Pages of a block that is worked on at a time.
const BLOCK: u64 = 512;

fn committed_pages(vmo: &Vmo) -> Result<u64, Status> {
    Ok(vmo.info()?.committed_bytes / PAGE)
}

/// A VMO of this many pages full of `0xa5`.
fn full_vmo(pages: usize) -> Result<Vmo, Status> {
    let vmo = vmo_of(pages)?;
    vmo.write(&vec![0xa5; pages * P], 0)?;
    Ok(vmo)
}

fn zeroes_exactly_the_range() -> Outcome {
    let edges = [
        0,
        1,
        P / 2,
        P - 1,
        P,
        P + 1,
        2 * P - 1,
        2 * P,
        2 * P + 1,
        3 * P,
    ];
    for start in edges {
        for end in edges.into_iter().filter(|end| *end >= start) {
            let vmo = full_vmo(3)?;
            vmo.op_range(VmoOp::ZERO, start as u64, (end - start) as u64)?;
            let mut expected = vec![0xa5; 3 * P];
            expected[start..end].fill(0);
            check_eq(vmo.read_to_vec::<u8>(0, 3 * PAGE)? == expected, true)?;
        }
    }
    Ok(())
}

fn whole_pages_are_given_back() -> Outcome {
    for (start, end, left) in [
        (0, 4 * PAGE, 0),
        (1, 4 * PAGE, 1),
        (0, 4 * PAGE - 1, 1),
        (PAGE, 3 * PAGE, 2),
        (PAGE - 1, 3 * PAGE + 1, 2),
        (PAGE + 1, 3 * PAGE - 1, 4),
    ] {
        let vmo = full_vmo(4)?;
        vmo.op_range(VmoOp::ZERO, start, end - start)?;
        check_eq(committed_pages(&vmo)?, left)?;
    }
    Ok(())
}

fn absent_pages_are_not_made() -> Outcome {
    let vmo = vmo_of(4)?;
    for (offset, size) in [(0, 4 * PAGE), (1, 1), (PAGE - 1, 2), (PAGE + 1, 2 * PAGE)] {
        vmo.op_range(VmoOp::ZERO, offset, size)?;
    }
    let info = vmo.info()?;
    check_eq([info.committed_bytes, info.metadata_bytes], [0, 0])
}

fn a_part_of_a_page_keeps_the_page() -> Outcome {
    let vmo = full_vmo(1)?;
    vmo.op_range(VmoOp::ZERO, 0, PAGE - 1)?;
    check_eq(committed_pages(&vmo)?, 1)?;
    check_eq(vmo.read_to_object::<u8>(PAGE - 1)?, 0xa5)
}

fn mappings_see_it_at_once() -> Outcome {
    let vmo = full_vmo(3)?;
    let region = Region::new(8)?;
    let mapped = [region.map_at(0, &vmo, 3)?, region.map_at(4, &vmo, 3)?];
    for address in mapped {
        check_eq([0, P, 2 * P].map(|page| peek(address + page)), [0xa5; 3])?;
    }
    vmo.op_range(VmoOp::ZERO, PAGE - 1, PAGE + 2)?;
    for address in mapped {
        let bytes = [P - 2, P - 1, P, 2 * P - 1, 2 * P, 2 * P + 1].map(|byte| peek(address + byte));
        check_eq(bytes, [0xa5, 0, 0, 0, 0, 0xa5])?;
    }
    poke(mapped[0] + P, 3);
    check_eq(peek(mapped[1] + P), 3)
}

fn a_sparse_vmo_is_zeroed_at_once() -> Outcome {
    let vmo = Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)?;
    let size = vmo.get_size()?;
    for offset in [0, 1 << 40, 1 << 50, size - 1] {
        vmo.write(&[1], offset)?;
    }
    vmo.op_range(VmoOp::ZERO, 1, size - 2)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    check_eq(
        [
            vmo.read_to_object::<u8>(0)?,
            vmo.read_to_object::<u8>(size - 1)?,
        ],
        [1, 1],
    )?;
    vmo.op_range(VmoOp::ZERO, 0, size)?;
    check_eq(committed_pages(&vmo)?, 0)
}

fn keeps_the_sizes() -> Outcome {
    let vmo = Vmo::create(PAGE + 5)?;
    vmo.write(&[1], 0)?;
    vmo.op_range(VmoOp::ZERO, 0, 2 * PAGE)?;
    check_eq(
        [vmo.get_size()?, vmo.get_stream_size()?],
        [2 * PAGE, PAGE + 5],
    )
}

fn reaches_into_every_block() -> Outcome {
    let vmo = Vmo::create(4 * BLOCK * PAGE)?;
    vmo.op_range(VmoOp::COMMIT, 0, 4 * BLOCK * PAGE)?;
    vmo.op_range(
        VmoOp::ZERO,
        (BLOCK - 1) * PAGE + 1,
        (2 * BLOCK + 2) * PAGE - 2,
    )?;
    check_eq(committed_pages(&vmo)?, 2 * BLOCK)
}
