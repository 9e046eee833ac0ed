//! `zx_vmar_op_range`: `docs/spec/vmar.md` §8.

pub mod arguments;
pub mod effects;
pub mod mappings;
pub mod order;
pub mod sizes;

use zx::{Status, VmarOp, Vmo};

use crate::calls::RangeCall;
use crate::fixtures::{P, Region};

/// Every operation.
const ALL: [VmarOp; 7] = [
    VmarOp::COMMIT,
    VmarOp::DECOMMIT,
    VmarOp::MAP_RANGE,
    VmarOp::ZERO,
    VmarOp::DONT_NEED,
    VmarOp::ALWAYS_NEED,
    VmarOp::PREFETCH,
];

/// Those that need write permission, or could have it.
const WRITING: [VmarOp; 3] = [VmarOp::COMMIT, VmarOp::DECOMMIT, VmarOp::ZERO];

/// Performs an operation on some pages of a region.
fn operate(region: &Region, op: VmarOp, page: usize, pages: usize) -> Result<(), Status> {
    RangeCall {
        length: pages * P,
        ..RangeCall::one_page(region, op.into_raw(), page)
    }
    .make()
}

/// How many pages of a VMO are committed.
fn committed_pages(vmo: &Vmo) -> Result<u64, Status> {
    Ok(vmo.info()?.committed_bytes / P as u64)
}
