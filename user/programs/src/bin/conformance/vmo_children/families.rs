//! Who is whose child, and what is left when members close: `docs/spec/vmo.md` §8 and §10.

use alloc::vec::Vec;

use zx::{Koid, MonotonicInstant, Signals, Status, Vmo, VmoChildOptions};

use super::faces::{
    Face, PAGE, REFERENCE, SLICE, SNAPSHOT, WAYS, Way, first_byte, map_all, vmo_pages,
};
use crate::fixtures::{numbered_vmo, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    a_new_vmo_has_no_children,
    each_kind_of_child_counts,
    the_last_child_to_go_sets_the_signal,
    a_mapping_keeps_a_child,
    grandchildren_are_left_to_the_parent,
    children_of_an_orphan_are_orphans,
    parents_are_told,
    three_generations_close_in_any_order,
    handles_close_in_any_order_and_mappings_remain,
    the_last_sharer_writes_without_a_copy,
    closing_a_child_frees_what_only_it_saw,
    clones_of_clones_for_ever_cost_nothing,
    wide_families_cost_nothing_after,
    deep_families_close_from_either_end,
];

const ZERO_CHILDREN: Signals = Signals::VMO_ZERO_CHILDREN;
const KINDS: [VmoChildOptions; 3] = [SNAPSHOT, SLICE, REFERENCE];

/// A child of a kind that shows as much of `parent` as it may.
fn child(parent: &Vmo, kind: VmoChildOptions) -> Result<Vmo, Status> {
    let size = if kind == REFERENCE {
        0
    } else {
        parent.get_size()?
    };
    parent.create_child(kind, 0, size)
}

/// How many children a VMO has; fails if the signal says something else.
fn children(vmo: &Vmo) -> Result<usize, Status> {
    let count = vmo.info()?.num_children;
    let waited = vmo.wait_one(ZERO_CHILDREN, MonotonicInstant::INFINITE_PAST);
    let is_set = waited.to_result().is_ok();
    if is_set == (count == 0) {
        Ok(count)
    } else {
        Err(Status::BAD_STATE)
    }
}

fn a_new_vmo_has_no_children() -> Outcome {
    let parent = vmo_of(1)?;
    check_eq(children(&parent)?, 0)?;
    for kind in KINDS {
        check_eq(children(&child(&parent, kind)?)?, 0)?;
    }
    Ok(())
}

fn each_kind_of_child_counts() -> Outcome {
    let parent = vmo_of(1)?;
    let family = KINDS.map(|kind| child(&parent, kind));
    check_eq(children(&parent)?, family.len())?;
    for (kind, made) in KINDS.into_iter().zip(family) {
        let of_child = child(&made?, kind)?;
        check_eq(of_child.get_size()?, PAGE)?;
    }
    check_eq(children(&parent)?, 0)
}

fn the_last_child_to_go_sets_the_signal() -> Outcome {
    for kind in KINDS {
        let parent = vmo_of(1)?;
        let (first, second) = (child(&parent, kind)?, child(&parent, kind)?);
        drop(first);
        check_eq(children(&parent)?, 1)?;
        drop(second);
        parent
            .wait_one(ZERO_CHILDREN, MonotonicInstant::INFINITE)
            .to_result()?;
        check_eq(children(&parent)?, 0)?;
    }
    Ok(())
}

fn a_mapping_keeps_a_child() -> Outcome {
    for kind in KINDS {
        let parent = numbered_vmo(2, 1)?;
        let made = child(&parent, kind)?;
        let region = map_all(&made, 2)?;
        drop(made);
        check_eq(children(&parent)?, 1)?;
        check_eq(peek(region.at(1)), 2)?;
        drop(region);
        check_eq(children(&parent)?, 0)?;
    }
    Ok(())
}

fn grandchildren_are_left_to_the_parent() -> Outcome {
    for middle_kind in KINDS {
        for last_kind in KINDS {
            if middle_kind == SLICE && last_kind == REFERENCE {
                continue;
            }
            let parent = vmo_of(1)?;
            let middle = child(&parent, middle_kind)?;
            let last = child(&middle, last_kind)?;
            check_eq((children(&parent)?, children(&middle)?), (1, 1))?;
            drop(middle);
            check_eq(children(&parent)?, 1)?;
            drop(last);
            check_eq(children(&parent)?, 0)?;
        }
    }
    Ok(())
}

fn children_of_an_orphan_are_orphans() -> Outcome {
    let parent = numbered_vmo(1, 1)?;
    let middle = child(&parent, SNAPSHOT)?;
    let last = child(&middle, SNAPSHOT)?;
    drop(parent);
    drop(middle);
    check_eq(first_byte(&last, 0)?, 1)?;
    check_eq(children(&last)?, 0)?;
    let newest = child(&last, SNAPSHOT)?;
    check_eq(children(&last)?, 1)?;
    check_eq(newest.info()?.parent_koid, last.koid()?)
}

fn parents_are_told() -> Outcome {
    let parent = vmo_of(1)?;
    check_eq(parent.info()?.parent_koid, Koid::INVALID)?;
    for kind in KINDS {
        let made = child(&parent, kind)?;
        check_eq(made.info()?.parent_koid, parent.koid()?)?;
        if kind != SLICE {
            let reference = child(&made, REFERENCE)?;
            check_eq(reference.info()?.parent_koid, made.koid()?)?;
        }
    }
    Ok(())
}

/// All orders of three.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

fn three_generations_close_in_any_order() -> Outcome {
    for order in ORDERS {
        for way in WAYS {
            let before = vmo_pages()?;
            let root = Face::numbered(4)?;
            let middle = root.child(SNAPSHOT)?;
            middle.write(way, 1, 20)?;
            let last = middle.child(SNAPSHOT)?;
            last.write(way, 2, 30)?;
            root.write(way, 0, 10)?;
            let expected = [[10, 2, 3, 4], [1, 20, 3, 4], [1, 20, 30, 4]];
            let mut family = [Some(root), Some(middle), Some(last)];
            for gone in order {
                family[gone] = None;
                for (face, expected) in family.iter().zip(expected) {
                    let Some(face) = face else { continue };
                    check_eq(face.contents(Way::Call)?, expected.into())?;
                    check_eq(face.contents(Way::Mapping)?, expected.into())?;
                }
                let left: Vec<&Face> = family.iter().flatten().collect();
                for (at, face) in left.iter().enumerate() {
                    check_eq(children(face)?, usize::from(at + 1 < left.len()))?;
                }
            }
            check_eq(vmo_pages()?, before)?;
        }
    }
    Ok(())
}

fn handles_close_in_any_order_and_mappings_remain() -> Outcome {
    for order in ORDERS {
        let before = vmo_pages()?;
        let root = Face::numbered(2)?;
        let middle = root.child(SNAPSHOT)?;
        let last = middle.child(SNAPSHOT)?;
        let mut family = [Some(root), Some(middle), Some(last)];
        let mut regions = Vec::new();
        for gone in order {
            regions.extend(family[gone].take().map(Face::into_region));
            for (at, region) in regions.iter().enumerate() {
                poke(region.at(0), at as u8 + 10);
            }
            for (at, region) in regions.iter().enumerate() {
                check_eq((peek(region.at(0)), peek(region.at(1))), (at as u8 + 10, 2))?;
            }
        }
        drop(regions);
        check_eq(vmo_pages()?, before)?;
    }
    Ok(())
}

fn the_last_sharer_writes_without_a_copy() -> Outcome {
    for way in WAYS {
        let parent = Face::numbered(2)?;
        let only = parent.child(SNAPSHOT)?;
        check_eq(only.contents(Way::Mapping)?, [1, 2].into())?;
        drop(parent);
        let before = vmo_pages()?;
        only.write(way, 0, 5)?;
        only.write(way, 1, 6)?;
        check_eq(vmo_pages()?, before)?;
        check_eq(only.contents(Way::Mapping)?, [5, 6].into())?;
    }
    Ok(())
}

fn closing_a_child_frees_what_only_it_saw() -> Outcome {
    let before = vmo_pages()?;
    let parent = Face::numbered(4)?;
    let made = parent.child(SNAPSHOT)?;
    parent.write(Way::Mapping, 0, 9)?;
    made.write(Way::Call, 1, 9)?;
    check_eq(vmo_pages()?, before + 6)?;
    drop(made);
    check_eq(vmo_pages()?, before + 4)?;
    check_eq(parent.contents(Way::Mapping)?, [9, 2, 3, 4].into())
}

fn clones_of_clones_for_ever_cost_nothing() -> Outcome {
    let before = vmo_pages()?;
    let mut generation = numbered_vmo(3, 1)?;
    for round in 0..2_000_u32 {
        let next = child(&generation, SNAPSHOT)?;
        next.write(&[round as u8], PAGE)?;
        generation = next;
    }
    check_eq(vmo_pages()?, before + 3)?;
    check_eq(first_byte(&generation, 2)?, 3)?;
    check_eq(first_byte(&generation, 1)?, (1_999 % 256) as u8)
}

fn wide_families_cost_nothing_after() -> Outcome {
    let before = vmo_pages()?;
    let parent = numbered_vmo(3, 1)?;
    let family: Result<Vec<Vmo>, Status> = (0..300).map(|_| child(&parent, SNAPSHOT)).collect();
    let family = family?;
    for (made, value) in family.iter().zip(0..=255_u8) {
        made.write(&[value], 0)?;
    }
    check_eq(vmo_pages()?, before + 3 + 256)?;
    drop(parent);
    check_eq(first_byte(&family[299], 0)?, 1)?;
    check_eq(first_byte(&family[7], 0)?, 7)?;
    drop(family);
    check_eq(vmo_pages()?, before)
}

fn deep_families_close_from_either_end() -> Outcome {
    let before = vmo_pages()?;
    for kind in KINDS {
        for from_the_root in [true, false] {
            let mut line = alloc::vec![numbered_vmo(1, 1)?];
            while line.len() < 500 {
                let next = match line.last() {
                    Some(last) => child(last, kind)?,
                    None => vmo_of(1)?,
                };
                line.push(next);
            }
            if !from_the_root {
                line.reverse();
            }
            let mut rest = line.into_iter();
            let kept = rest.next_back();
            drop(rest);
            if let Some(kept) = kept {
                check_eq(first_byte(&kept, 0)?, 1)?;
                check_eq(children(&kept)?, 0)?;
            }
        }
    }
    check_eq(vmo_pages()?, before)
}
