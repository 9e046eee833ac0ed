//! Who sees which writes: the first rows of `docs/spec/vmo.md` §8, and §9 with children.

use zx::{Vmo, VmoChildOptions, VmoOp};

use super::faces::{
    Face, PAGE, SNAPSHOT, WAYS, Way, child_of, first_byte, pairs_of_ways, vmo_pages,
};
use crate::fixtures::{P, peek, poke};
use crate::harness::{Outcome, Test, check, check_eq, tests};

pub const TESTS: &[Test] = tests![
    a_snapshot_keeps_what_it_saw,
    the_weaker_snapshots_promise_as_much_without_a_pager,
    writes_of_the_parent_leave_its_own_mappings_right,
    siblings_are_independent,
    generations_are_independent,
    a_mapping_made_before_the_write_shows_the_new_page,
    every_mapping_of_the_writer_shows_the_new_page,
    reading_a_child_commits_nothing,
    mapping_a_range_to_read_commits_nothing,
    a_write_within_a_page_keeps_the_rest_of_it,
    zeros_in_the_child_stay_zeros,
    zeros_in_the_parent_stay_its_own,
    a_zeroed_page_of_the_child_begins_anew,
    part_of_a_page_is_zeroed_in_a_copy,
    what_all_have_zeroed_is_freed,
    commit_copies_what_is_shared,
    absent_pages_are_made_apart,
    a_read_only_snapshot_never_changes,
];

const PAGES: usize = 4;

fn a_snapshot_keeps_what_it_saw() -> Outcome {
    for (of_parent, of_child) in pairs_of_ways() {
        let parent = Face::numbered(PAGES)?;
        let child = parent.child(SNAPSHOT)?;
        for way in WAYS {
            check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
        }
        parent.write(of_parent, 0, 10)?;
        child.write(of_child, 1, 20)?;
        parent.write(of_parent, 2, 30)?;
        child.write(of_child, 2, 31)?;
        for way in WAYS {
            check_eq(parent.contents(way)?, [10, 2, 30, 4].into())?;
            check_eq(child.contents(way)?, [1, 20, 31, 4].into())?;
        }
    }
    Ok(())
}

fn the_weaker_snapshots_promise_as_much_without_a_pager() -> Outcome {
    for kind in [
        VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE,
        VmoChildOptions::SNAPSHOT_MODIFIED,
    ] {
        for (of_parent, of_child) in pairs_of_ways() {
            let parent = Face::numbered(PAGES)?;
            let child = parent.child(kind)?;
            child.write(of_child, 0, 20)?;
            parent.write(of_parent, 0, 10)?;
            parent.write(of_parent, 1, 11)?;
            check_eq(parent.contents(of_parent)?, [10, 11, 3, 4].into())?;
            check_eq(child.contents(of_child)?, [20, 2, 3, 4].into())?;
        }
    }
    Ok(())
}

fn writes_of_the_parent_leave_its_own_mappings_right() -> Outcome {
    let parent = Face::numbered(PAGES)?;
    let child = parent.child(SNAPSHOT)?;
    // The page table allowed this write before the snapshot.
    parent.write(Way::Mapping, 3, 40)?;
    parent.write(Way::Call, 2, 30)?;
    check_eq(parent.contents(Way::Mapping)?, [1, 2, 30, 40].into())?;
    check_eq(parent.contents(Way::Call)?, [1, 2, 30, 40].into())?;
    check_eq(child.contents(Way::Mapping)?, [1, 2, 3, 4].into())
}

fn siblings_are_independent() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(PAGES)?;
        let first = parent.child(SNAPSHOT)?;
        parent.write(way, 0, 10)?;
        let second = parent.child(SNAPSHOT)?;
        second.write(way, 1, 12)?;
        first.write(way, 1, 11)?;
        parent.write(way, 3, 13)?;
        check_eq(first.contents(way)?, [1, 11, 3, 4].into())?;
        check_eq(second.contents(way)?, [10, 12, 3, 4].into())?;
        check_eq(parent.contents(way)?, [10, 2, 3, 13].into())?;
    }
    Ok(())
}

fn generations_are_independent() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(PAGES)?;
        let child = parent.child(SNAPSHOT)?;
        child.write(way, 0, 20)?;
        let grandchild = child.child(SNAPSHOT)?;
        grandchild.write(way, 1, 30)?;
        child.write(way, 2, 21)?;
        parent.write(way, 3, 10)?;
        check_eq(parent.contents(way)?, [1, 2, 3, 10].into())?;
        check_eq(child.contents(way)?, [20, 2, 21, 4].into())?;
        check_eq(grandchild.contents(way)?, [20, 30, 3, 4].into())?;
    }
    Ok(())
}

fn a_mapping_made_before_the_write_shows_the_new_page() -> Outcome {
    let parent = Face::numbered(PAGES)?;
    let child = parent.child(SNAPSHOT)?;
    check_eq(child.read(Way::Mapping, 1)?, 2)?;
    child.write(Way::Call, 1, 22)?;
    check_eq(child.read(Way::Mapping, 1)?, 22)?;
    child.write(Way::Mapping, 1, 23)?;
    check_eq(child.read(Way::Call, 1)?, 23)
}

fn every_mapping_of_the_writer_shows_the_new_page() -> Outcome {
    let parent = Face::numbered(PAGES)?;
    let child = parent.child(SNAPSHOT)?;
    let second = super::faces::map_all(&child, PAGES)?;
    let third = super::faces::map_all(&parent, PAGES)?;
    for page in 0..PAGES {
        check_eq(peek(second.at(page)), page as u8 + 1)?;
        check_eq(peek(third.at(page)), page as u8 + 1)?;
    }
    child.write(Way::Mapping, 2, 33)?;
    check_eq((peek(second.at(2)), peek(third.at(2))), (33, 3))?;
    parent.write(Way::Mapping, 0, 11)?;
    check_eq((peek(second.at(0)), peek(third.at(0))), (1, 11))
}

fn reading_a_child_commits_nothing() -> Outcome {
    let parent = Face::numbered(PAGES)?;
    let child = parent.child(SNAPSHOT)?;
    let before = vmo_pages()?;
    for way in WAYS {
        check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
    }
    check_eq(child.info()?.committed_private_bytes, 0)?;
    check_eq(vmo_pages()?, before)
}

fn mapping_a_range_to_read_commits_nothing() -> Outcome {
    let parent = Face::numbered(PAGES)?;
    let child = child_of(&parent, SNAPSHOT, 0, PAGES)?;
    let before = vmo_pages()?;
    let region = crate::fixtures::Region::new(PAGES)?;
    let flags = zx::VmarFlags::PERM_READ | zx::VmarFlags::SPECIFIC | zx::VmarFlags::MAP_RANGE;
    region.map(0, &child, 0, PAGES * P, flags)?;
    check_eq(peek(region.at(3)), 4)?;
    check_eq(vmo_pages()?, before)
}

fn a_write_within_a_page_keeps_the_rest_of_it() -> Outcome {
    let parent = Vmo::create(PAGE)?;
    parent.write(&[7; P], 0)?;
    let child = child_of(&parent, SNAPSHOT, 0, 1)?;
    child.write(&[9; 3], 100)?;
    let bytes = child.read_to_vec::<u8>(0, PAGE)?;
    let changed = bytes.iter().enumerate().filter(|(_, byte)| **byte != 7);
    check_eq(
        changed.map(|(at, _)| at).collect(),
        alloc::vec![100, 101, 102],
    )?;
    check_eq(parent.read_to_vec::<u8>(0, PAGE)?, alloc::vec![7; P])
}

fn zeros_in_the_child_stay_zeros() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(PAGES)?;
        let child = parent.child(SNAPSHOT)?;
        check_eq(child.read(Way::Mapping, 1)?, 2)?;
        child.op(VmoOp::ZERO, 1, 2)?;
        parent.write(way, 1, 50)?;
        check_eq(child.contents(way)?, [1, 0, 0, 4].into())?;
        check_eq(parent.contents(way)?, [1, 50, 3, 4].into())?;
        check_eq(child.info()?.committed_bytes, 2 * PAGE)?;
    }
    Ok(())
}

fn zeros_in_the_parent_stay_its_own() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(PAGES)?;
        let child = parent.child(SNAPSHOT)?;
        parent.op(VmoOp::ZERO, 0, 3)?;
        check_eq(parent.contents(way)?, [0, 0, 0, 4].into())?;
        check_eq(child.contents(way)?, [1, 2, 3, 4].into())?;
    }
    Ok(())
}

fn a_zeroed_page_of_the_child_begins_anew() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(1)?;
        parent.vmo_write_second(8)?;
        let child = parent.child(SNAPSHOT)?;
        child.op(VmoOp::ZERO, 0, 1)?;
        child.write(way, 0, 5)?;
        check_eq(child.read_to_vec::<u8>(0, 2)?, alloc::vec![5, 0])?;
    }
    Ok(())
}

impl Face {
    /// Changes the second byte of the first page.
    fn vmo_write_second(&self, value: u8) -> Result<(), zx::Status> {
        Vmo::write(self, &[value], 1)
    }
}

fn part_of_a_page_is_zeroed_in_a_copy() -> Outcome {
    let parent = Face::numbered(2)?;
    parent.vmo_write_second(8)?;
    let child = parent.child(SNAPSHOT)?;
    check_eq(child.read(Way::Mapping, 0)?, 1)?;
    child.op_range(VmoOp::ZERO, 1, 1)?;
    check_eq(child.read_to_vec::<u8>(0, 2)?, alloc::vec![1, 0])?;
    check_eq(parent.read_to_vec::<u8>(0, 2)?, alloc::vec![1, 8])?;
    check_eq(child.info()?.committed_private_bytes, PAGE)
}

fn what_all_have_zeroed_is_freed() -> Outcome {
    let before = vmo_pages()?;
    let parent = Face::numbered(PAGES)?;
    let children = [parent.child(SNAPSHOT)?, parent.child(SNAPSHOT)?];
    check_eq(vmo_pages()?, before + PAGES as u64)?;
    parent.op(VmoOp::ZERO, 0, PAGES)?;
    children[0].op(VmoOp::ZERO, 0, PAGES)?;
    check_eq(vmo_pages()?, before + PAGES as u64)?;
    check_eq(children[1].contents(Way::Mapping)?, [1, 2, 3, 4].into())?;
    children[1].op(VmoOp::ZERO, 1, 2)?;
    check_eq(vmo_pages()?, before + 2)
}

fn commit_copies_what_is_shared() -> Outcome {
    let parent = Face::numbered(PAGES)?;
    let child = parent.child_of(SNAPSHOT, 0, PAGES + 1)?;
    let before = vmo_pages()?;
    child.op(VmoOp::COMMIT, 0, PAGES + 1)?;
    check_eq(vmo_pages()?, before + PAGES as u64 + 1)?;
    let info = child.info()?;
    check_eq(info.committed_private_bytes, info.size_bytes)?;
    for way in WAYS {
        check_eq(child.contents(way)?, [1, 2, 3, 4, 0].into())?;
    }
    check_eq(parent.info()?.committed_private_bytes, PAGES as u64 * PAGE)
}

fn absent_pages_are_made_apart() -> Outcome {
    for (of_parent, of_child) in pairs_of_ways() {
        let parent = Face::new(Vmo::create(2 * PAGE)?, 2)?;
        let child = parent.child(SNAPSHOT)?;
        for way in WAYS {
            check_eq(child.contents(way)?, [0, 0].into())?;
        }
        parent.write(of_parent, 0, 1)?;
        child.write(of_child, 1, 2)?;
        for way in WAYS {
            check_eq(parent.contents(way)?, [1, 0].into())?;
            check_eq(child.contents(way)?, [0, 2].into())?;
        }
    }
    Ok(())
}

fn a_read_only_snapshot_never_changes() -> Outcome {
    let parent = Face::numbered(2)?;
    let child = child_of(&parent, SNAPSHOT | VmoChildOptions::NO_WRITE, 0, 2)?;
    check(
        child.info()?.flags.contains(zx::VmoInfoFlags::IMMUTABLE),
        "an immutable VMO",
    )?;
    let region = crate::fixtures::Region::new(2)?;
    let flags = zx::VmarFlags::PERM_READ | zx::VmarFlags::SPECIFIC;
    region.map(0, &child, 0, 2 * P, flags)?;
    check_eq(peek(region.at(0)), 1)?;
    poke(super::faces::map_all(&parent, 2)?.at(0), 9);
    parent.write(Way::Call, 1, 9)?;
    check_eq((peek(region.at(0)), first_byte(&child, 1)?), (1, 2))
}
