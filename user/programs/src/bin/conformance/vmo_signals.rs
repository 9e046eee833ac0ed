//! ZERO_CHILDREN and the number of children: `docs/spec/vmo.md` §10.

use alloc::vec::Vec;
use core::ptr;

use zx::{
    AsHandleRef, MonotonicInstant, Rights, Signals, Status, Vmo, VmoChildOptions, WaitResult, ok,
    sys,
};

use crate::fixtures::{P, Region, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    a_new_vmo_has_no_children,
    each_kind_of_child_counts_while_it_lives,
    the_last_of_many_children_counts,
    every_handle_to_a_child_keeps_it,
    a_mapping_keeps_a_child,
    a_child_is_a_vmo_without_children_of_its_own,
    a_grandchild_does_not_count_while_its_parent_lives,
    a_grandchild_is_left_to_its_grandparent,
    any_grandchild_keeps_the_signal_away,
    three_generations_close_in_every_order,
    a_waiter_through_another_handle_sees_it_too,
    a_child_that_cannot_be_told_does_not_count,
    a_refused_child_does_not_count,
    children_and_user_signals_leave_each_other_alone,
    it_can_be_waited_for_while_there_are_children,
];

const KINDS: [VmoChildOptions; 5] = [
    VmoChildOptions::SNAPSHOT,
    VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE,
    VmoChildOptions::SNAPSHOT_MODIFIED,
    VmoChildOptions::SLICE,
    VmoChildOptions::REFERENCE,
];

/// The pages of the VMOs here.
const PAGES: usize = 2;

/// A child of all pages of `parent`.
fn child(parent: &Vmo, kind: VmoChildOptions) -> Result<Vmo, Status> {
    let size = if kind == VmoChildOptions::REFERENCE {
        0
    } else {
        (PAGES * P) as u64
    };
    parent.create_child(kind, 0, size)
}

/// All signals of a VMO.
fn signals_of(vmo: &Vmo) -> Result<Signals, Status> {
    match vmo.wait_one(Signals::NONE, MonotonicInstant::INFINITE_PAST) {
        WaitResult::TimedOut(active) => Ok(active),
        other => Err(other.err().unwrap_or(Status::INTERNAL)),
    }
}

/// Fails unless a VMO has this many children, and says whether it has any.
#[track_caller]
fn check_children(vmo: &Vmo, count: usize) -> Outcome {
    check_eq(vmo.info()?.num_children, count)?;
    let expected = if count == 0 {
        Signals::VMO_ZERO_CHILDREN
    } else {
        Signals::NONE
    };
    check_eq(signals_of(vmo)?, expected)
}

fn a_new_vmo_has_no_children() -> Outcome {
    check_children(&vmo_of(PAGES)?, 0)
}

fn each_kind_of_child_counts_while_it_lives() -> Outcome {
    for kind in KINDS {
        let parent = vmo_of(PAGES)?;
        let first = child(&parent, kind)?;
        check_children(&parent, 1)?;
        let second = child(&parent, kind)?;
        check_children(&parent, 2)?;
        drop(first);
        check_children(&parent, 1)?;
        drop(second);
        check_children(&parent, 0)?;
    }
    Ok(())
}

fn the_last_of_many_children_counts() -> Outcome {
    const COUNT: usize = 200;

    let parent = vmo_of(PAGES)?;
    let mut children = Vec::new();
    for place in 0..COUNT {
        children.push(child(&parent, KINDS[place % KINDS.len()])?);
    }
    // From both ends in turn.
    for left in (0..COUNT).rev() {
        check_children(&parent, left + 1)?;
        let place = if left % 2 == 0 { 0 } else { left };
        drop(children.remove(place));
    }
    check_children(&parent, 0)
}

fn every_handle_to_a_child_keeps_it() -> Outcome {
    let parent = vmo_of(PAGES)?;
    let first = child(&parent, VmoChildOptions::SNAPSHOT)?;
    let second = with_rights(&first, Rights::NONE)?;
    drop(first);
    check_children(&parent, 1)?;
    drop(second);
    check_children(&parent, 0)
}

fn a_mapping_keeps_a_child() -> Outcome {
    for kind in KINDS {
        let (parent, region) = (vmo_of(PAGES)?, Region::new(4)?);
        let mapped = child(&parent, kind)?;
        region.map_at(0, &mapped, 1)?;
        region.map_at(2, &mapped, 1)?;
        drop(mapped);
        check_children(&parent, 1)?;
        crate::calls::unmap(region.raw_handle(), region.at(0), P)?;
        check_children(&parent, 1)?;
        crate::calls::unmap(region.raw_handle(), region.at(2), P)?;
        check_children(&parent, 0)?;
    }
    Ok(())
}

fn a_child_is_a_vmo_without_children_of_its_own() -> Outcome {
    let parent = vmo_of(PAGES)?;
    parent.signal(Signals::NONE, Signals::USER_0)?;
    for kind in KINDS {
        check_children(&child(&parent, kind)?, 0)?;
    }
    Ok(())
}

fn a_grandchild_does_not_count_while_its_parent_lives() -> Outcome {
    for kind in KINDS {
        let parent = vmo_of(PAGES)?;
        let middle = child(&parent, VmoChildOptions::SNAPSHOT)?;
        let last = child(&middle, kind)?;
        check_children(&parent, 1)?;
        check_children(&middle, 1)?;
        check_children(&last, 0)?;
        drop(last);
        check_children(&middle, 0)?;
        check_children(&parent, 1)?;
    }
    Ok(())
}

fn a_grandchild_is_left_to_its_grandparent() -> Outcome {
    for inner in [
        VmoChildOptions::SNAPSHOT,
        VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE,
        VmoChildOptions::SNAPSHOT_MODIFIED,
    ] {
        let parent = vmo_of(PAGES)?;
        let middle = child(&parent, VmoChildOptions::SNAPSHOT)?;
        let leaves = [child(&middle, inner)?, child(&middle, inner)?];
        drop(middle);
        check_children(&parent, 2)?;
        let [first, second] = leaves;
        drop(first);
        check_children(&parent, 1)?;
        drop(second);
        check_children(&parent, 0)?;
    }
    Ok(())
}

fn any_grandchild_keeps_the_signal_away() -> Outcome {
    for (kind, inner) in KINDS
        .into_iter()
        .flat_map(|kind| KINDS.map(|inner| (kind, inner)))
    {
        // A slice has no references.
        if inner == VmoChildOptions::REFERENCE && kind == VmoChildOptions::SLICE {
            continue;
        }
        let parent = vmo_of(PAGES)?;
        let middle = child(&parent, kind)?;
        let last = child(&middle, inner)?;
        drop(middle);
        check_children(&parent, 1)?;
        drop(last);
        check_children(&parent, 0)?;
    }
    Ok(())
}

fn three_generations_close_in_every_order() -> Outcome {
    const ORDERS: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];

    for kind in KINDS {
        for order in ORDERS {
            let oldest = vmo_of(PAGES)?;
            let middle = child(&oldest, kind)?;
            let youngest = child(&middle, kind)?;
            let mut family = [Some(oldest), Some(middle), Some(youngest)];
            for closed in order {
                family[closed] = None;
                // Each of those that are left has the next younger one as its child.
                let mut younger = 0;
                for vmo in family.iter().rev().flatten() {
                    check_children(vmo, younger)?;
                    younger = 1;
                }
            }
        }
    }
    Ok(())
}

fn a_waiter_through_another_handle_sees_it_too() -> Outcome {
    let parent = vmo_of(PAGES)?;
    let other = with_rights(&parent, Rights::WAIT)?;
    let zero = Signals::VMO_ZERO_CHILDREN;
    let now = MonotonicInstant::INFINITE_PAST;
    let only = child(&parent, VmoChildOptions::SNAPSHOT)?;
    check_eq(
        other.wait_one(zero, now),
        WaitResult::TimedOut(Signals::NONE),
    )?;
    drop(only);
    let ended = other.wait_one(zero, MonotonicInstant::INFINITE);
    check_eq(ended, WaitResult::Ok(zero))
}

fn a_child_that_cannot_be_told_does_not_count() -> Outcome {
    let parent = vmo_of(PAGES)?;
    for kind in KINDS {
        let size = if kind == VmoChildOptions::REFERENCE {
            0
        } else {
            P as u64
        };
        let bad = ptr::without_provenance_mut(1);
        // SAFETY: wild result addresses are refused, which is what is tested.
        let refused =
            ok(unsafe { sys::zx_vmo_create_child(parent.raw_handle(), kind.bits(), 0, size, bad) });
        check_refused(refused, Status::INVALID_ARGS)?;
        check_children(&parent, 0)?;
    }
    Ok(())
}

fn a_refused_child_does_not_count() -> Outcome {
    let parent = vmo_of(PAGES)?;
    let kept = child(&parent, VmoChildOptions::SNAPSHOT)?;
    let weak = without_rights(&parent, Rights::READ)?;
    let refused = child(&weak, VmoChildOptions::SNAPSHOT);
    check_refused(refused, Status::ACCESS_DENIED)?;
    let refused = parent.create_child(VmoChildOptions::SLICE, 1, P as u64);
    check_refused(refused, Status::INVALID_ARGS)?;
    check_children(&parent, 1)?;
    drop(kept);
    check_children(&parent, 0)
}

fn children_and_user_signals_leave_each_other_alone() -> Outcome {
    let parent = vmo_of(PAGES)?;
    parent.signal(Signals::NONE, Signals::USER_3)?;
    let only = child(&parent, VmoChildOptions::SLICE)?;
    check_eq(signals_of(&parent)?, Signals::USER_3)?;
    parent.signal(Signals::USER_3, Signals::USER_4)?;
    check_eq(signals_of(&parent)?, Signals::USER_4)?;
    drop(only);
    let both = Signals::USER_4 | Signals::VMO_ZERO_CHILDREN;
    check_eq(signals_of(&parent)?, both)?;
    check_refused(
        parent.signal(Signals::VMO_ZERO_CHILDREN, Signals::NONE),
        Status::INVALID_ARGS,
    )?;
    check_eq(signals_of(&parent)?, both)
}

fn it_can_be_waited_for_while_there_are_children() -> Outcome {
    let parent = vmo_of(PAGES)?;
    let _only = child(&parent, VmoChildOptions::SNAPSHOT)?;
    let deadline = MonotonicInstant::after(zx::MonotonicDuration::from_millis(1));
    let ended = parent.wait_one(Signals::VMO_ZERO_CHILDREN, deadline);
    check_eq(ended, WaitResult::TimedOut(Signals::NONE))
}
