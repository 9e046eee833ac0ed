//! `zx_vmar_allocate`: `docs/spec/vmar.md` §3.

pub mod arguments;
pub mod effects;
pub mod order;
pub mod pairs;
pub mod places;

use zx::sys;

pub const SPECIFIC: u32 = sys::ZX_VM_SPECIFIC;
pub const UPPER_LIMIT: u32 = sys::ZX_VM_OFFSET_IS_UPPER_LIMIT;
