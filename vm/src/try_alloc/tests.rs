//! Fallible allocation, with every allocation failing once.

use super::fault::{fail_after, fail_each_in_turn};
use super::*;

#[test]
fn boxes_hold_what_was_put_in() {
    assert_eq!(try_box(17_u64).as_deref(), Ok(&17));
    assert_eq!(try_box(()).as_deref(), Ok(&()));
    #[repr(align(128))]
    #[derive(Debug, PartialEq)]
    struct Wide(u8);
    let wide = try_box(Wide(3)).expect("memory is plenty");
    assert_eq!((core::ptr::from_ref(&*wide).addr() % 128, wide.0), (0, 3));
}

#[test]
fn only_the_chosen_allocation_fails() {
    let guard = fail_after(1);
    assert!(try_box(1).is_ok());
    assert!(!guard.has_struck());
    assert_eq!(try_arc(2), Err(Status::NO_MEMORY));
    assert!(guard.has_struck());
    assert_eq!(try_arc(3).as_deref(), Ok(&3));
    drop(guard);
    let guard = fail_after(0);
    drop(guard);
    assert!(try_box(4).is_ok());
}

#[test]
fn a_failed_push_changes_nothing() {
    let mut vector = Vec::new();
    let guard = fail_after(0);
    assert_eq!(try_push(&mut vector, 1), Err(Status::NO_MEMORY));
    assert!(vector.is_empty());
    drop(guard);
    assert_eq!(try_push(&mut vector, 1), Ok(()));
    let _guard = fail_after(0);
    // There is room already, so nothing is allocated.
    assert_eq!(try_push(&mut vector, 2), Ok(()));
    assert_eq!(vector, [1, 2]);
}

#[test]
fn every_allocation_gets_its_turn_to_fail() {
    let mut outcomes = Vec::new();
    fail_each_in_turn(|_| {
        let outcome = (|| {
            try_box(1)?;
            try_arc(2)?;
            try_reserve(&mut Vec::<u8>::new(), 3)
        })();
        outcomes.push(outcome.is_ok());
    });
    assert_eq!(outcomes, [false, false, false, true]);
}

#[test]
fn a_permit_is_filled_whatever_fails_meanwhile() {
    let permit = ArcPermit::new().expect("memory is plenty");
    let _guard = fail_after(0);
    let arc = permit.fill_cyclic(|weak| {
        assert!(weak.upgrade().is_none());
        5
    });
    assert_eq!((*arc, Arc::strong_count(&arc)), (5, 1));
    assert_eq!(try_arc(6), Err(Status::NO_MEMORY));
}
