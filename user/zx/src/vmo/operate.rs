//! Operations on the pages of a VMO.

use core::mem::size_of;
use core::ptr;

use super::Vmo;
use crate::{AsHandleRef, CachePolicy, Status, TransferDataOptions, VmoLockState, VmoOp, ok, sys};

impl Vmo {
    /// Performs an operation on the bytes `offset .. offset + size`.
    ///
    /// `LOCK` needs a buffer; see [`lock`](Self::lock).
    ///
    /// # Errors
    /// - `INVALID_ARGS`: no such operation, or the range is not aligned where it has to be.
    /// - `ACCESS_DENIED`: no right to do it.
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO.
    /// - `NOT_SUPPORTED`: not for a VMO of this kind.
    /// - `BAD_STATE`: not in the state that the VMO is in.
    /// - `UNAVAILABLE`: the contents were discarded.
    /// - `NO_MEMORY`: no memory for pages.
    ///
    /// Source: `docs/spec/vmo.md` §5.
    pub fn op_range(&self, op: VmoOp, offset: u64, size: u64) -> Result<(), Status> {
        // SAFETY:
        // 1. No buffer is given.
        // 2. The operation moves no memory; contents of mapped memory may change at any time.
        ok(unsafe {
            sys::zx_vmo_op_range(
                self.raw_handle(),
                op.into_raw(),
                offset,
                size,
                ptr::null_mut(),
                0,
            )
        })
    }

    /// Keeps the contents of a discardable VMO until an `UNLOCK`, and tells whether they have been discarded.
    ///
    /// Fuchsia's crate has no such method.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: neither a `READ` nor a `WRITE` right.
    /// - `NOT_SUPPORTED`: the VMO is not discardable.
    /// - `OUT_OF_RANGE`: the size changed meanwhile.
    ///
    /// Source: `docs/spec/vmo.md` §11.
    pub fn lock(&self) -> Result<VmoLockState, Status> {
        let mut state = VmoLockState::default();
        // SAFETY: `state` is a live local that the call may write, and the size is its own.
        ok(unsafe {
            sys::zx_vmo_op_range(
                self.raw_handle(),
                sys::ZX_VMO_OP_LOCK,
                0,
                self.get_size()?,
                ptr::from_mut(&mut state).cast(),
                size_of::<VmoLockState>(),
            )
        })?;
        Ok(state)
    }

    /// Changes how the memory is cached.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: no such policy.
    /// - `ACCESS_DENIED`: no `MAP` right.
    /// - `BAD_STATE`: the VMO is mapped, or is or has a child.
    ///
    /// Source: `docs/spec/vmo.md` §6.
    pub fn set_cache_policy(&self, cache_policy: CachePolicy) -> Result<(), Status> {
        // SAFETY: the call takes no pointer, and there is no mapping whose memory could change its nature.
        ok(unsafe { sys::zx_vmo_set_cache_policy(self.raw_handle(), cache_policy.into_raw()) })
    }

    /// Moves `length` bytes of `src_vmo` from `src_offset` on to `offset`; they read as zero there afterwards.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: offsets or length are not multiples of a page.
    /// - `ACCESS_DENIED`: no `WRITE` right, or no `READ` right for the source.
    /// - `OUT_OF_RANGE`: a range does not lie in its VMO.
    /// - `NOT_SUPPORTED`, `BAD_STATE`: not for a VMO of this kind, or in this state.
    /// - `NO_MEMORY`: no memory to do it.
    ///
    /// Source: `docs/spec/vmo.md` §14.
    pub fn transfer_data(
        &self,
        options: TransferDataOptions,
        offset: u64,
        length: u64,
        src_vmo: &Vmo,
        src_offset: u64,
    ) -> Result<(), Status> {
        // SAFETY: the call takes no pointer; contents of mapped memory may change at any time.
        ok(unsafe {
            sys::zx_vmo_transfer_data(
                self.raw_handle(),
                options.bits(),
                offset,
                length,
                src_vmo.raw_handle(),
                src_offset,
            )
        })
    }
}
