//! What members of a family account for: `docs/spec/vmo.md` §12.

use zx::{Status, Vmo, VmoChildOptions, VmoInfo, VmoOp};

use super::faces::{PAGE, REFERENCE, SLICE, SNAPSHOT, child_of, map_all, vmo_pages};
use crate::fixtures::{numbered_vmo, peek, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, tests};

pub const TESTS: &[Test] = tests![
    a_plain_vmo_has_its_pages_alone,
    two_sharers_count_halves,
    three_sharers_count_thirds,
    a_written_page_is_private,
    the_parts_add_up_to_the_pages,
    the_only_one_left_has_all,
    owners_account_for_their_views,
    an_owner_without_handles_accounts_on,
    reads_and_second_commits_change_nothing,
    zeros_and_holes_never_count,
    mappings_account_for_what_they_show,
    metadata_begins_with_the_first_page,
];

/// One byte in the fractional fields.
const ONE: u128 = 1 << 63;

fn figures(info: &VmoInfo) -> (u64, u64, u64) {
    let pages = |bytes| bytes / PAGE;
    (
        pages(info.committed_bytes),
        pages(info.committed_private_bytes),
        info.committed_scaled_bytes,
    )
}

/// What the VMOs account for together, in parts of a byte.
fn parts(vmos: &[&Vmo]) -> Result<u128, Status> {
    vmos.iter().try_fold(0, |sum, vmo| {
        let info = vmo.info()?;
        let whole = u128::from(info.committed_scaled_bytes) * ONE;
        Ok(sum + whole + u128::from(info.committed_fractional_scaled_bytes))
    })
}

fn a_plain_vmo_has_its_pages_alone() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    let info = vmo.info()?;
    check_eq(figures(&info), (3, 3, 3 * PAGE))?;
    check_eq(info.committed_fractional_scaled_bytes, 0)?;
    check_eq(info.populated_bytes, info.committed_bytes)?;
    check_eq(info.populated_private_bytes, info.committed_private_bytes)?;
    check_eq(info.populated_scaled_bytes, info.committed_scaled_bytes)
}

fn two_sharers_count_halves() -> Outcome {
    let parent = numbered_vmo(3, 1)?;
    let child = child_of(&parent, SNAPSHOT, 0, 3)?;
    for vmo in [&parent, &child] {
        let info = vmo.info()?;
        check_eq(figures(&info), (3, 0, 3 * PAGE / 2))?;
        check_eq(info.committed_fractional_scaled_bytes, 0)?;
    }
    check(
        child.info()?.flags.contains(zx::VmoInfoFlags::IS_COW_CLONE),
        "a copy-on-write clone",
    )
}

fn three_sharers_count_thirds() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let child = child_of(&parent, SNAPSHOT, 0, 2)?;
    let grandchild = child_of(&child, SNAPSHOT, 0, 2)?;
    for vmo in [&parent, &child, &grandchild] {
        let info = vmo.info()?;
        check_eq(figures(&info), (2, 0, 2 * PAGE / 3))?;
        // Two thirds of a byte, but for what cannot be divided.
        let fraction = u128::from(info.committed_fractional_scaled_bytes);
        check(fraction.abs_diff(ONE * 2 / 3) <= 2, "two thirds")?;
    }
    check_eq(
        parts(&[&parent, &child, &grandchild])?,
        u128::from(2 * PAGE) * ONE,
    )
}

fn a_written_page_is_private() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let child = child_of(&parent, SNAPSHOT, 0, 2)?;
    let sibling = child_of(&parent, SNAPSHOT, 0, 2)?;
    child.write(&[9], 0)?;
    let third = PAGE as f64 / 3.0;
    let scaled = child.info()?.committed_scaled_bytes as f64;
    check(
        (scaled - PAGE as f64 - third).abs() < 1.0,
        "a page and a third",
    )?;
    check_eq(figures(&child.info()?).1, 1)?;
    for vmo in [&parent, &sibling] {
        check_eq(figures(&vmo.info()?), (2, 0, PAGE / 2 + PAGE / 3))?;
    }
    Ok(())
}

fn the_parts_add_up_to_the_pages() -> Outcome {
    let before = vmo_pages()?;
    let root = numbered_vmo(70, 1)?;
    let first = child_of(&root, SNAPSHOT, 3, 60)?;
    let second = child_of(&first, SNAPSHOT, 10, 30)?;
    let third = child_of(&root, SNAPSHOT, 0, 70)?;
    first.write(&[1], 20 * PAGE)?;
    second.write(&[1], 0)?;
    third.op_range(VmoOp::ZERO, 40 * PAGE, 10 * PAGE)?;
    let family = [&root, &first, &second, &third];
    let pages = vmo_pages()? - before;
    check_eq(parts(&family)?, u128::from(pages * PAGE) * ONE)?;
    drop(root);
    let pages = vmo_pages()? - before;
    check_eq(
        parts(&[&first, &second, &third])?,
        u128::from(pages * PAGE) * ONE,
    )
}

fn the_only_one_left_has_all() -> Outcome {
    let parent = numbered_vmo(3, 1)?;
    let child = child_of(&parent, SNAPSHOT, 0, 3)?;
    drop(parent);
    check_eq(figures(&child.info()?), (3, 3, 3 * PAGE))
}

fn owners_account_for_their_views() -> Outcome {
    let owner = numbered_vmo(3, 1)?;
    let views = [
        child_of(&owner, SLICE, 1, 2)?,
        owner.create_child(REFERENCE, 0, 0)?,
    ];
    views[0].write(&[5], 0)?;
    for view in &views {
        let info = view.info()?;
        check_eq(figures(&info), (0, 0, 0))?;
        check_eq(info.metadata_bytes, 0)?;
        check(
            !info.flags.contains(zx::VmoInfoFlags::IS_COW_CLONE),
            "no copy-on-write clone",
        )?;
    }
    check_eq(figures(&owner.info()?), (3, 3, 3 * PAGE))
}

fn an_owner_without_handles_accounts_on() -> Outcome {
    let before = vmo_pages()?;
    let owner = numbered_vmo(3, 1)?;
    let slice = child_of(&owner, SLICE, 1, 2)?;
    drop(owner);
    check_eq(figures(&slice.info()?), (0, 0, 0))?;
    check_eq(vmo_pages()?, before + 3)?;
    drop(slice);
    check_eq(vmo_pages()?, before)
}

fn reads_and_second_commits_change_nothing() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let child = child_of(&parent, SNAPSHOT, 0, 3)?;
    let region = map_all(&child, 3)?;
    let before = figures(&child.info()?);
    child.read_to_vec::<u8>(0, 3 * PAGE)?;
    check_eq((peek(region.at(0)), peek(region.at(2))), (1, 0))?;
    check_eq(figures(&child.info()?), before)?;
    child.op_range(VmoOp::COMMIT, 0, 3 * PAGE)?;
    let committed = figures(&child.info()?);
    check_eq(committed, (3, 3, 3 * PAGE))?;
    child.op_range(VmoOp::COMMIT, 0, 3 * PAGE)?;
    check_eq(figures(&child.info()?), committed)
}

fn zeros_and_holes_never_count() -> Outcome {
    let parent = vmo_of(3)?;
    let region = map_all(&parent, 3)?;
    check_eq(peek(region.at(1)), 0)?;
    let child = child_of(&parent, SNAPSHOT, 0, 3)?;
    check_eq(figures(&parent.info()?), (0, 0, 0))?;
    parent.write(&[1], 0)?;
    child.write(&[1], PAGE)?;
    child.op_range(VmoOp::ZERO, PAGE, PAGE)?;
    check_eq(figures(&parent.info()?), (1, 1, PAGE))?;
    check_eq(figures(&child.info()?), (0, 0, 0))
}

fn mappings_account_for_what_they_show() -> Outcome {
    let parent = numbered_vmo(4, 1)?;
    let child = child_of(&parent, SNAPSHOT, 0, 4)?;
    let region = map_all(&child, 2)?;
    child.write(&[9], 0)?;
    child.write(&[9], 3 * PAGE)?;
    let records = region.info_maps_vec()?;
    let shown = records.iter().find_map(|record| record.as_mapping());
    let page = PAGE as usize;
    let figures = shown.map(|shown| {
        (
            shown.committed_bytes,
            shown.committed_private_bytes,
            shown.committed_scaled_bytes,
        )
    });
    check_eq(figures, Some((2 * page, page, page + page / 2)))
}

fn metadata_begins_with_the_first_page() -> Outcome {
    let vmo = vmo_of(4)?;
    check_eq(vmo.info()?.metadata_bytes, 0)?;
    vmo.write(&[1], PAGE)?;
    check(vmo.info()?.metadata_bytes > 0, "memory to find the page by")?;
    let child = vmo.create_child(VmoChildOptions::SNAPSHOT, 0, 4 * PAGE)?;
    check(
        child.info()?.metadata_bytes > 0,
        "memory to find the page by",
    )
}
