//! Copies between user memory and the pages of a VMO, with nothing in between.
//!
//! A page reference keeps the page, but programs may have it mapped and change it at any moment, so
//! it is never borrowed as a slice: the bytes go through `arch`'s copy, which is made for that.

#![allow(
    unsafe_code,
    reason = "pages that programs can write to are reached by raw pointers"
)]

use arch::user;
use arch::user_memory::{UserFault, UserRange};
use vm::addr::PAGE_SIZE;
use vm::vmo::PageRef;

/// Copies bytes of `page`, from `offset` on, to the program's `destination`.
///
/// # Errors
/// [`UserFault`] if not all of `destination` can be written.
///
/// # Panics
/// If the bytes do not all lie in the page.
pub fn to_user(page: &PageRef, offset: usize, destination: UserRange) -> Result<(), UserFault> {
    let source = at(page, offset, destination.bytes());
    // SAFETY:
    // 1. `at` has checked that the bytes lie in the page, which `page` keeps.
    // 2. The copy reads bytes that may change meanwhile; it is assembly, so no reference is broken.
    unsafe { user::copy_out(destination, source) }
}

/// Copies the program's `source` into `page`, from `offset` on.
///
/// # Errors
/// [`UserFault`] if not all of `source` can be read.
///
/// # Panics
/// If the bytes do not all lie in the page.
pub fn from_user(page: &PageRef, offset: usize, source: UserRange) -> Result<(), UserFault> {
    let destination = at(page, offset, source.bytes());
    // SAFETY:
    // 1. `at` has checked that the bytes lie in the page, which `page` keeps.
    // 2. Nobody has a reference to the bytes of a VMO's page: all access goes by copy or by mapping.
    unsafe { user::copy_in(destination, source) }
}

/// The place of `bytes` bytes of `page` that begin at `offset`.
fn at(page: &PageRef, offset: usize, bytes: usize) -> *mut u8 {
    let fits = offset
        .checked_add(bytes)
        .is_some_and(|end| end <= PAGE_SIZE);
    assert!(fits, "a copy of {bytes} bytes at {offset} leaves its page");
    page.pointer().as_ptr().wrapping_add(offset)
}
