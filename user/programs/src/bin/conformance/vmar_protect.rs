//! `zx_vmar_protect`: `docs/spec/vmar.md` §7.

pub mod arguments;
pub mod effects;
pub mod mappings;
pub mod order;
pub mod pairs;
pub mod walk;

use zx::{Rights, Status, VmarFlags, sys};

use crate::calls::ProtectCall;
use crate::fixtures::{P, Region, numbered_vmo, vmo_of, with_rights};
use crate::harness::Outcome;

pub const READ: u32 = sys::ZX_VM_PERM_READ;
pub const WRITE: u32 = sys::ZX_VM_PERM_WRITE;
pub const EXECUTE: u32 = sys::ZX_VM_PERM_EXECUTE;

/// A region of 12 pages and three mappings of four pages; the middle one from a handle without WRITE if
/// `middle` says so.
pub fn three_mappings(middle: Rights) -> Result<Region, Status> {
    let region = Region::new(12)?;
    for (page, rights) in [(0, Rights::WRITE), (4, middle), (8, Rights::WRITE)] {
        let rights = Rights::BASIC | Rights::MAP | Rights::READ | rights;
        let vmo = with_rights(&numbered_vmo(4, 1)?, rights)?;
        let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
        region.map(page * P, &vmo, 0, 4 * P, flags)?;
    }
    Ok(region)
}

/// Makes the call for `pages` pages from page `page` on.
pub fn protect(region: &Region, page: usize, pages: usize, options: u32) -> Result<(), Status> {
    ProtectCall {
        options,
        length: pages * P,
        ..ProtectCall::read_only(region, page)
    }
    .make()
}

/// Runs `test` with a region whose four pages are mapped, and a call that makes the first read-only.
pub fn with_call(test: impl FnOnce(&Region, ProtectCall) -> Outcome) -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    test(&region, ProtectCall::read_only(&region, 0))
}
