//! Children of a part, offsets, and what happens when sizes change: `docs/spec/vmo.md` §8.

use zx::{Status, Vmo, VmoChildOptions, VmoOptions};

use super::faces::{Face, PAGE, SNAPSHOT, WAYS, Way, child_of, first_byte, vmo_pages};
use crate::fixtures::{P, Probe, numbered_vmo, resizable_vmo_of};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    a_child_of_a_part_sees_that_part,
    offsets_accumulate,
    a_clone_of_a_clone_ends_with_the_middle_one,
    beyond_the_parent_are_zeros_for_ever,
    a_child_may_lie_beyond_its_parent,
    odd_sizes_are_rounded_up,
    what_no_child_sees_goes_with_the_parent,
    shrinking_the_parent_leaves_the_child_its_pages,
    shrinking_the_parent_frees_what_no_child_sees,
    shrinking_the_child_frees_what_only_it_sees,
    a_child_that_grows_again_begins_with_zeros,
    a_child_grows_beyond_its_range_with_zeros,
    the_tail_of_a_shared_page_is_zeroed_in_a_copy,
    a_stream_that_shrinks_is_zeroed_in_a_copy,
    accumulated_offsets_never_wrap,
    resizing_never_reaches_beyond_the_last_offset,
];

const RESIZABLE: VmoChildOptions = VmoChildOptions::RESIZABLE;

fn resizable_numbered(pages: usize) -> Result<Vmo, Status> {
    let vmo = resizable_vmo_of(pages)?;
    for page in 0..pages {
        vmo.write(&[page as u8 + 1], page as u64 * PAGE)?;
    }
    Ok(vmo)
}

fn a_child_of_a_part_sees_that_part() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(8)?;
        let child = parent.child_of(SNAPSHOT, 3, 2)?;
        parent.write(way, 3, 30)?;
        child.write(way, 1, 50)?;
        check_eq(child.contents(way)?, [4, 50].into())?;
        check_eq(parent.read(way, 4)?, 5)?;
    }
    Ok(())
}

fn offsets_accumulate() -> Outcome {
    for way in WAYS {
        // Over the edges of whatever the kernel keeps pages in.
        let root = Face::new(numbered_vmo(200, 1)?, 200)?;
        let child = root.child_of(SNAPSHOT, 61, 130)?;
        let grandchild = child.child_of(SNAPSHOT, 3, 70)?;
        root.write(way, 64, 0)?;
        child.write(way, 4, 0)?;
        check_eq(grandchild.read(way, 0)?, 65)?;
        check_eq(grandchild.read(way, 1)?, 66)?;
        check_eq(grandchild.read(way, 69)?, 134)?;
    }
    Ok(())
}

fn a_clone_of_a_clone_ends_with_the_middle_one() -> Outcome {
    for way in WAYS {
        let root = Face::numbered(6)?;
        let middle = root.child_of(SNAPSHOT, 1, 2)?;
        let last = middle.child_of(SNAPSHOT, 1, 3)?;
        check_eq(last.contents(way)?, [3, 0, 0].into())?;
        last.write(way, 1, 9)?;
        check_eq(root.contents(way)?, [1, 2, 3, 4, 5, 6].into())?;
    }
    Ok(())
}

fn beyond_the_parent_are_zeros_for_ever() -> Outcome {
    for way in WAYS {
        let parent = resizable_numbered(2)?;
        let child = Face::new(child_of(&parent, SNAPSHOT, 1, 3)?, 3)?;
        check_eq(child.contents(way)?, [2, 0, 0].into())?;
        parent.set_size(4 * PAGE)?;
        parent.write(&[8], 2 * PAGE)?;
        check_eq(child.contents(way)?, [2, 0, 0].into())?;
    }
    Ok(())
}

fn a_child_may_lie_beyond_its_parent() -> Outcome {
    let parent = numbered_vmo(2, 1)?;
    let child = Face::new(child_of(&parent, SNAPSHOT, 5, 2)?, 2)?;
    for way in WAYS {
        check_eq(child.contents(way)?, [0, 0].into())?;
    }
    child.write(Way::Mapping, 1, 3)?;
    check_eq(first_byte(&child, 1)?, 3)?;
    // An empty one is fine as well.
    check_eq(child_of(&parent, SNAPSHOT, 0, 0)?.get_size()?, 0)
}

fn odd_sizes_are_rounded_up() -> Outcome {
    let parent = numbered_vmo(3, 1)?;
    let child = parent.create_child(SNAPSHOT, PAGE, PAGE + 1)?;
    check_eq(child.get_size()?, 2 * PAGE)?;
    check_eq(child.get_stream_size()?, PAGE + 1)?;
    check_eq(first_byte(&child, 1)?, 3)?;
    child.write(&[4], 2 * PAGE - 1)?;
    Ok(())
}

fn what_no_child_sees_goes_with_the_parent() -> Outcome {
    let before = vmo_pages()?;
    let parent = numbered_vmo(100, 1)?;
    let low = child_of(&parent, SNAPSHOT, 10, 5)?;
    let high = child_of(&parent, SNAPSHOT, 70, 3)?;
    drop(parent);
    check_eq(vmo_pages()?, before + 8)?;
    check_eq((first_byte(&low, 4)?, first_byte(&high, 2)?), (15, 73))?;
    drop(low);
    check_eq(vmo_pages()?, before + 3)
}

fn shrinking_the_parent_leaves_the_child_its_pages() -> Outcome {
    for way in WAYS {
        let parent = Face::new(resizable_numbered(4)?, 4)?;
        let child = parent.child(SNAPSHOT)?;
        check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
        parent.set_size(PAGE)?;
        check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
        parent.set_size(4 * PAGE)?;
        check_eq(parent.contents(way)?, [1, 0, 0, 0].into())?;
        check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
    }
    Ok(())
}

fn shrinking_the_parent_frees_what_no_child_sees() -> Outcome {
    let before = vmo_pages()?;
    let parent = resizable_numbered(8)?;
    let child = child_of(&parent, SNAPSHOT, 0, 5)?;
    parent.set_size(PAGE)?;
    check_eq(vmo_pages()?, before + 5)?;
    check_eq(first_byte(&child, 4)?, 5)
}

fn shrinking_the_child_frees_what_only_it_sees() -> Outcome {
    let before = vmo_pages()?;
    let parent = resizable_numbered(4)?;
    let child = child_of(&parent, SNAPSHOT | RESIZABLE, 0, 4)?;
    child.write(&[9], 3 * PAGE)?;
    parent.write(&[8], 2 * PAGE)?;
    check_eq(vmo_pages()?, before + 6)?;
    child.set_size(2 * PAGE)?;
    // Its own page and the old one of the parent.
    check_eq(vmo_pages()?, before + 4)?;
    check_eq((first_byte(&parent, 2)?, first_byte(&parent, 3)?), (8, 4))
}

fn a_child_that_grows_again_begins_with_zeros() -> Outcome {
    for way in WAYS {
        let parent = numbered_vmo(4, 1)?;
        let child = Face::new(child_of(&parent, SNAPSHOT | RESIZABLE, 0, 4)?, 4)?;
        check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
        child.set_size(PAGE)?;
        Probe::new()?.check_faults(child.address(1))?;
        child.set_size(4 * PAGE)?;
        check_eq(child.contents(way)?, [1, 0, 0, 0].into())?;
        check_eq(first_byte(&parent, 3)?, 4)?;
    }
    Ok(())
}

fn a_child_grows_beyond_its_range_with_zeros() -> Outcome {
    for way in WAYS {
        let parent = numbered_vmo(4, 1)?;
        let child = Face::new(child_of(&parent, SNAPSHOT | RESIZABLE, 0, 2)?, 4)?;
        child.set_size(4 * PAGE)?;
        check_eq(child.contents(way)?, [1, 2, 0, 0].into())?;
    }
    Ok(())
}

fn the_tail_of_a_shared_page_is_zeroed_in_a_copy() -> Outcome {
    let parent = Vmo::create_with_opts(VmoOptions::RESIZABLE, PAGE)?;
    parent.write(&[6; P], 0)?;
    let child = child_of(&parent, SNAPSHOT, 0, 1)?;
    parent.set_size(100)?;
    check_eq(parent.read_to_vec::<u8>(98, 4)?, alloc::vec![6, 6, 0, 0])?;
    check_eq(child.read_to_vec::<u8>(98, 4)?, alloc::vec![6; 4])
}

fn a_stream_that_shrinks_is_zeroed_in_a_copy() -> Outcome {
    let parent = Vmo::create(3 * PAGE)?;
    parent.write(&[6; 3 * P], 0)?;
    let child = child_of(&parent, SNAPSHOT, 0, 3)?;
    parent.set_stream_size(PAGE + 100)?;
    check_eq(
        parent.read_to_vec::<u8>(PAGE + 98, 4)?,
        alloc::vec![6, 6, 0, 0],
    )?;
    check_eq(first_byte(&parent, 2)?, 0)?;
    check_eq(child.read_to_vec::<u8>(0, 3 * PAGE)?, alloc::vec![6; 3 * P])
}

fn accumulated_offsets_never_wrap() -> Outcome {
    let far = 1 << 63;
    let parent = numbered_vmo(1, 1)?;
    let child = parent.create_child(SNAPSHOT, far, PAGE)?;
    let grandchild = child.create_child(SNAPSHOT, far - 2 * PAGE, PAGE)?;
    check_eq(first_byte(&grandchild, 0)?, 0)?;
    check_refused(
        child.create_child(SNAPSHOT, far, PAGE),
        Status::INVALID_ARGS,
    )?;
    check_refused(
        grandchild.create_child(SNAPSHOT, 2 * PAGE, PAGE),
        Status::INVALID_ARGS,
    )
}

fn resizing_never_reaches_beyond_the_last_offset() -> Outcome {
    let parent = numbered_vmo(1, 1)?;
    let far = 1 << 63;
    let child = parent.create_child(SNAPSHOT | RESIZABLE, far, PAGE)?;
    check_refused(child.set_size(far + PAGE), Status::INVALID_ARGS)?;
    check_eq(child.get_size()?, PAGE)?;
    child.set_size(far / 2)?;
    child.write(&[3], far / 2 - PAGE)?;
    Ok(())
}
