//! Operations on a range of a VMO. Source: `docs/spec/vmo.md` §5.

use arch::paging::Tables;
use syscall::kernel::UserOut;
use syscall::{HandleValue, Result, Rights, Status, VmoLockState, VmoOp};
use vm::pages::CacheOp;
use vm::vmo::Vmo;

use crate::handle::require;
use crate::object::VmoObject;
use crate::sched;
use crate::syscalls::{caller, user_memory};

/// Bytes of a VMO.
#[derive(Clone, Copy)]
pub struct Bytes {
    /// The first one.
    pub offset: u64,
    /// How many.
    pub size: u64,
}

/// Does `op` to `bytes` of a VMO. Only `LOCK` has a use for the buffer.
///
/// Others have their turns meanwhile, and it ends early with the thread.
///
/// # Errors
/// Those of the handle; `INVALID_ARGS` for an unknown operation; then as the table of `docs/spec/vmo.md` §5, in
/// its order; `CANCELED` if the thread is to end.
pub fn op_range(
    value: HandleValue,
    op: VmoOp,
    bytes: Bytes,
    buffer: (UserOut<u8>, usize),
) -> Result<()> {
    let (object, rights) = caller().object::<VmoObject>(value, Rights::NONE)?;
    let vmo = object.vmo();
    let Bytes { offset, size } = bytes;
    let pause = || sched::pause().map_err(|_| Status::CANCELED);
    match op {
        VmoOp::COMMIT => {
            require(rights, Rights::WRITE)?;
            vmo.commit_range(offset, size, pause)
        }
        VmoOp::DECOMMIT => {
            require(rights, Rights::WRITE)?;
            vmo.decommit_range(offset, size, pause)
        }
        VmoOp::ZERO => {
            require(rights, Rights::WRITE)?;
            vmo.zero_range(offset, size, pause)
        }
        VmoOp::PREFETCH => {
            require(rights, Rights::READ)?;
            vmo.prefetch_range(offset, size)
        }
        VmoOp::LOCK | VmoOp::TRY_LOCK | VmoOp::UNLOCK => {
            if !rights.intersects(Rights::READ | Rights::WRITE) {
                return Err(Status::ACCESS_DENIED);
            }
            change_lock(vmo, op, bytes, buffer)
        }
        VmoOp::CACHE_SYNC => {
            require(rights, Rights::READ)?;
            vmo.maintain_cache(CacheOp::Sync, offset, size, pause)
        }
        VmoOp::CACHE_CLEAN => {
            require(rights, Rights::READ)?;
            vmo.maintain_cache(CacheOp::Clean, offset, size, pause)
        }
        VmoOp::CACHE_CLEAN_INVALIDATE => {
            require(rights, Rights::READ)?;
            vmo.maintain_cache(CacheOp::CleanInvalidate, offset, size, pause)
        }
        VmoOp::CACHE_INVALIDATE => {
            require(rights, Rights::WRITE)?;
            // To clean as well keeps what was written before; no program can rely on its loss.
            vmo.maintain_cache(CacheOp::CleanInvalidate, offset, size, pause)
        }
        // There is no other place for a page, so it stays where it is.
        VmoOp::DONT_NEED | VmoOp::ALWAYS_NEED => Ok(()),
        _ => Err(Status::INVALID_ARGS),
    }
}

/// Locks or unlocks the pages of a discardable VMO. `LOCK` tells the caller what it found.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §5, in its order.
fn change_lock(
    vmo: &Vmo<Tables>,
    op: VmoOp,
    bytes: Bytes,
    buffer: (UserOut<u8>, usize),
) -> Result<()> {
    let Bytes { offset, size } = bytes;
    match op {
        VmoOp::TRY_LOCK => vmo.try_lock_pages(offset, size),
        VmoOp::UNLOCK => vmo.unlock_pages(offset, size),
        _ => {
            let found = vmo.lock_pages(offset, size)?;
            let state = VmoLockState {
                offset: 0,
                size: found.size,
                discarded_offset: 0,
                discarded_size: found.discarded_size,
            };
            // Somebody else may have taken the lock back meanwhile: then there is none to be undone.
            tell(&state, buffer).inspect_err(|_| {
                let _ = vmo.undo_lock(found);
            })
        }
    }
}

/// Writes `state` to the caller's buffer.
fn tell(state: &VmoLockState, (buffer, size): (UserOut<u8>, usize)) -> Result<()> {
    if size < size_of::<VmoLockState>() {
        return Err(Status::INVALID_ARGS);
    }
    user_memory::write(UserOut::new(buffer.address()), state)
}
