//! `zx_vmar_map`: `docs/spec/vmar.md` §5.

pub mod arguments;
pub mod effects;
pub mod map_range;
pub mod order;
pub mod pairs;
pub mod places;

use zx::sys;

use crate::calls::MapCall;
use crate::fixtures::{Region, vmo_of};
use crate::harness::Outcome;

pub const SPECIFIC: u32 = sys::ZX_VM_SPECIFIC;
pub const UPPER_LIMIT: u32 = sys::ZX_VM_OFFSET_IS_UPPER_LIMIT;
pub const READ: u32 = sys::ZX_VM_PERM_READ;
pub const WRITE: u32 = sys::ZX_VM_PERM_WRITE;
pub const EXECUTE: u32 = sys::ZX_VM_PERM_EXECUTE;

/// Runs `test` with a region of `pages` pages and a call that maps one page of a one-page VMO there.
pub fn with_call(pages: usize, test: impl FnOnce(&Region, MapCall) -> Outcome) -> Outcome {
    let region = Region::new(pages)?;
    let vmo = vmo_of(1)?;
    test(&region, MapCall::one_page(&region, &vmo))
}
