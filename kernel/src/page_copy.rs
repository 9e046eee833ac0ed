//! Copies between user memory and the pages of a VMO, with nothing in between.
//!
//! The VMO is locked meanwhile, which keeps the page; but programs may have it mapped and change it at any
//! moment, so it is never borrowed as a slice: the bytes go through `arch`'s copy, which is made for that.
//! A fault on user memory is not resolved here, because that could need the lock that is held.

#![allow(
    unsafe_code,
    reason = "pages that programs can write to are reached by raw pointers"
)]

use arch::user;
use arch::user_memory::{Obstacle, UserRange};
use vm::vmo::{PageView, PageViewMut};

/// Copies bytes of `page`, from `offset` on, to the program's `destination`.
///
/// # Errors
/// [`Obstacle`]: not all of `destination` can be written now.
///
/// # Panics
/// If the bytes do not all lie in the page.
#[inline]
pub fn to_user(page: PageView<'_>, offset: usize, destination: UserRange) -> Result<(), Obstacle> {
    let source = page.bytes(offset, destination.bytes());
    // SAFETY:
    // 1. `bytes` has checked that they lie in the page, which stays while `page` lives, as the VMO is locked.
    // 2. The copy reads bytes that may change meanwhile; it is assembly, so no reference is broken.
    unsafe { user::try_copy_out(destination, source) }
}

/// Copies the program's `source` into `page`, from `offset` on.
///
/// # Errors
/// [`Obstacle`]: not all of `source` can be read now.
///
/// # Panics
/// If the bytes do not all lie in the page.
#[inline]
pub fn from_user(
    mut page: PageViewMut<'_>,
    offset: usize,
    source: UserRange,
) -> Result<(), Obstacle> {
    let destination = page.bytes(offset, source.bytes());
    // SAFETY:
    // 1. `bytes` has checked that they lie in the page, which stays while `page` lives, as the VMO is locked.
    // 2. Nobody has a reference to the bytes of a VMO's page: all access goes by copy or by mapping.
    unsafe { user::try_copy_in(destination, source) }
}
