//! Slices and references: `docs/spec/vmo.md` §7.3, §7.4, and §4 and §5 through them.

use zx::{Status, VmarFlags, VmoChildOptions, VmoOp};

use super::faces::{
    Face, PAGE, REFERENCE, SLICE, SNAPSHOT, WAYS, Way, child_of, first_byte, map_all, pairs_of_ways,
};
use crate::fixtures::{
    P, Probe, READ_WRITE, Region, numbered_vmo, peek, poke, resizable_vmo_of, vmo_of,
};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    a_slice_and_its_parent_see_each_others_writes,
    slices_of_slices_add_their_offsets,
    a_slice_ends_where_it_ends,
    a_mapping_of_a_slice_ends_with_it,
    mappings_of_slices_tell_their_own_offsets,
    operations_on_a_slice_stay_inside,
    a_slice_outlives_its_parents_handle,
    a_snapshot_of_a_slice_leaves_the_rest,
    a_snapshot_of_the_parent_is_not_the_slices,
    the_stream_of_a_slice_is_its_own,
    a_reference_shares_everything,
    a_reference_of_a_reference_works_alike,
    a_reference_sees_new_sizes,
    snapshots_of_references_are_snapshots,
    what_is_mapped_counts_for_each,
];

fn a_slice_and_its_parent_see_each_others_writes() -> Outcome {
    for (of_parent, of_slice) in pairs_of_ways() {
        let parent = Face::numbered(6)?;
        let slice = parent.child_of(SLICE, 2, 3)?;
        check_eq(slice.contents(of_slice)?, [3, 4, 5].into())?;
        slice.write(of_slice, 1, 40)?;
        parent.write(of_parent, 4, 50)?;
        for way in WAYS {
            check_eq(parent.contents(way)?, [1, 2, 3, 40, 50, 6].into())?;
            check_eq(slice.contents(way)?, [3, 40, 50].into())?;
        }
    }
    Ok(())
}

fn slices_of_slices_add_their_offsets() -> Outcome {
    for way in WAYS {
        let parent = Face::new(vmo_of(10)?, 10)?;
        let outer = parent.child_of(SLICE, 2, 7)?;
        let inner = outer.child_of(SLICE, 3, 4)?;
        inner.write(way, 1, 7)?;
        check_eq((outer.read(way, 4)?, parent.read(way, 6)?), (7, 7))?;
        drop(outer);
        parent.write(way, 8, 9)?;
        check_eq(inner.contents(way)?, [0, 7, 0, 9].into())?;
    }
    Ok(())
}

fn a_slice_ends_where_it_ends() -> Outcome {
    let parent = numbered_vmo(4, 1)?;
    let slice = child_of(&parent, SLICE, 1, 2)?;
    let mut byte = [0];
    check_refused(slice.read(&mut byte, 2 * PAGE), Status::OUT_OF_RANGE)?;
    check_refused(slice.write(&[9; 2], 2 * PAGE - 1), Status::OUT_OF_RANGE)?;
    check_refused(
        slice.op_range(VmoOp::ZERO, PAGE, 2 * PAGE),
        Status::OUT_OF_RANGE,
    )?;
    check_refused(slice.set_size(PAGE), Status::UNAVAILABLE)?;
    check_eq(first_byte(&parent, 3)?, 4)
}

fn a_mapping_of_a_slice_ends_with_it() -> Outcome {
    let parent = numbered_vmo(4, 1)?;
    let slice = child_of(&parent, SLICE, 1, 2)?;
    let region = Region::new(4)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC | VmarFlags::ALLOW_FAULTS;
    region.map(0, &slice, PAGE, 3 * P, flags)?;
    check_eq(peek(region.at(0)), 3)?;
    // There the parent has a page, and the slice has none.
    Probe::new()?.check_faults(region.at(1))
}

fn mappings_of_slices_tell_their_own_offsets() -> Outcome {
    let parent = numbered_vmo(4, 1)?;
    let slice = child_of(&parent, SLICE, 1, 3)?;
    let region = Region::new(2)?;
    region.map(0, &slice, PAGE, P, READ_WRITE | VmarFlags::SPECIFIC)?;
    let records = region.info_maps_vec()?;
    let shown = records.iter().find_map(|record| record.as_mapping());
    let expected = (slice.info()?.koid, PAGE);
    check_eq(
        shown.map(|shown| (shown.vmo_koid, shown.vmo_offset)),
        Some(expected),
    )
}

fn operations_on_a_slice_stay_inside() -> Outcome {
    let parent = Face::numbered(5)?;
    let slice = parent.child_of(SLICE, 1, 2)?;
    slice.op(VmoOp::ZERO, 0, 2)?;
    check_eq(parent.contents(Way::Mapping)?, [1, 0, 0, 4, 5].into())?;
    slice.op(VmoOp::COMMIT, 0, 2)?;
    check_eq(parent.info()?.committed_bytes, 5 * PAGE)?;
    slice.op(VmoOp::DECOMMIT, 1, 1)?;
    check_eq(parent.info()?.committed_bytes, 4 * PAGE)?;
    check_eq(parent.contents(Way::Call)?, [1, 0, 0, 4, 5].into())
}

fn a_slice_outlives_its_parents_handle() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(3)?;
        let slice = parent.child_of(SLICE, 1, 2)?;
        drop(parent);
        check_eq(slice.contents(way)?, [2, 3].into())?;
        slice.write(way, 0, 9)?;
        check_eq(slice.contents(Way::Call)?, [9, 3].into())?;
    }
    Ok(())
}

fn a_snapshot_of_a_slice_leaves_the_rest() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(4)?;
        let slice = parent.child_of(SLICE, 1, 2)?;
        let clone = slice.child_of(SNAPSHOT, 0, 3)?;
        check_eq(clone.contents(way)?, [2, 3, 0].into())?;
        slice.write(way, 0, 8)?;
        parent.write(way, 2, 9)?;
        clone.write(way, 1, 7)?;
        check_eq(clone.contents(way)?, [2, 7, 0].into())?;
        check_eq(parent.contents(way)?, [1, 8, 9, 4].into())?;
    }
    Ok(())
}

fn a_snapshot_of_the_parent_is_not_the_slices() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(3)?;
        let slice = parent.child_of(SLICE, 0, 3)?;
        let clone = parent.child(SNAPSHOT)?;
        slice.write(way, 1, 9)?;
        check_eq(parent.contents(way)?, [1, 9, 3].into())?;
        check_eq(clone.contents(way)?, [1, 2, 3].into())?;
    }
    Ok(())
}

fn the_stream_of_a_slice_is_its_own() -> Outcome {
    let parent = numbered_vmo(4, 1)?;
    let slice = parent.create_child(SLICE, PAGE, PAGE + 5)?;
    check_eq(slice.get_stream_size()?, PAGE + 5)?;
    slice.set_stream_size(2 * PAGE)?;
    check_eq(
        (slice.get_stream_size()?, parent.get_stream_size()?),
        (2 * PAGE, 4 * PAGE),
    )?;
    check_refused(slice.set_stream_size(2 * PAGE + 1), Status::OUT_OF_RANGE)?;
    slice.set_stream_size(PAGE)?;
    check_eq(first_byte(&parent, 2)?, 0)?;
    check_eq((first_byte(&parent, 1)?, first_byte(&parent, 3)?), (2, 4))
}

fn a_reference_shares_everything() -> Outcome {
    for (of_parent, of_reference) in pairs_of_ways() {
        let parent = Face::numbered(3)?;
        let reference = Face::new(parent.create_child(REFERENCE, 0, 0)?, 3)?;
        reference.write(of_reference, 0, 9)?;
        parent.write(of_parent, 1, 8)?;
        for way in WAYS {
            check_eq(parent.contents(way)?, [9, 8, 3].into())?;
            check_eq(reference.contents(way)?, [9, 8, 3].into())?;
        }
        reference.set_stream_size(PAGE)?;
        check_eq(parent.get_stream_size()?, PAGE)?;
        check_eq(parent.contents(of_parent)?, [9, 0, 0].into())?;
    }
    Ok(())
}

fn a_reference_of_a_reference_works_alike() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let first = parent.create_child(REFERENCE, 0, 0)?;
    let second = first.create_child(REFERENCE, 0, 0)?;
    drop(first);
    second.write(&[9], 0)?;
    check_eq(first_byte(&parent, 0)?, 9)?;
    drop(parent);
    check_eq((first_byte(&second, 0)?, first_byte(&second, 1)?), (9, 2))
}

fn a_reference_sees_new_sizes() -> Outcome {
    let parent = resizable_vmo_of(3)?;
    let reference = parent.create_child(REFERENCE | VmoChildOptions::RESIZABLE, 0, 0)?;
    let region = map_all(&reference, 3)?;
    poke(region.at(2), 5);
    parent.set_size(PAGE)?;
    check_eq(reference.get_size()?, PAGE)?;
    Probe::new()?.check_faults(region.at(2))?;
    reference.set_size(3 * PAGE)?;
    check_eq((parent.get_size()?, peek(region.at(2))), (3 * PAGE, 0))
}

fn snapshots_of_references_are_snapshots() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(2)?;
        let reference = Face::new(parent.create_child(REFERENCE, 0, 0)?, 2)?;
        let clone = reference.child(SNAPSHOT)?;
        parent.write(way, 0, 9)?;
        reference.write(way, 1, 8)?;
        check_eq(clone.contents(way)?, [1, 2].into())?;
        check_eq(parent.contents(way)?, [9, 8].into())?;
        check_eq(
            (parent.info()?.num_children, reference.info()?.num_children),
            (1, 1),
        )?;
    }
    Ok(())
}

fn what_is_mapped_counts_for_each() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let slice = child_of(&parent, SLICE, 0, 2)?;
    let (one, two) = (map_all(&parent, 2)?, map_all(&slice, 1)?);
    check_eq(
        (parent.info()?.num_mappings, slice.info()?.num_mappings),
        (1, 1),
    )?;
    check_eq(
        (parent.info()?.share_count, slice.info()?.share_count),
        (1, 1),
    )?;
    drop(one);
    check_eq(
        (parent.info()?.num_mappings, slice.info()?.num_mappings),
        (0, 1),
    )?;
    check(peek(two.at(0)) == 1, "the page")
}
