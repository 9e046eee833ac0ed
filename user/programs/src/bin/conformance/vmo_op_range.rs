//! `zx_vmo_op_range`: `docs/spec/vmo.md` §5 and §9.

use zx::{Status, VmoOp, ok, sys};

pub mod arguments;
pub mod commit;
pub mod decommit;
pub mod locks;
pub mod zero;

/// The operations that take any range of bytes and change or make pages.
const PAGE_OPERATIONS: [VmoOp; 3] = [VmoOp::COMMIT, VmoOp::ZERO, VmoOp::PREFETCH];

/// Makes the call, with a buffer if it is not zero.
fn op_range(vmo: u32, op: u32, range: [u64; 2], buffer: [usize; 2]) -> Result<(), Status> {
    // SAFETY: the tests have operations done on VMOs of their own, which they read through `peek` alone, and
    // name buffers of their own or such that the kernel has to refuse.
    ok(unsafe {
        sys::zx_vmo_op_range(
            vmo,
            op,
            range[0],
            range[1],
            core::ptr::without_provenance_mut(buffer[0]),
            buffer[1],
        )
    })
}
