//! Calls about VMOs. Source: `docs/spec/vmo.md` §2 to §4, §13.

mod child;
mod device;
mod op_range;
mod transfer_data;

use alloc::sync::Arc;

use syscall::kernel::{UserIn, UserOut};
use syscall::{HandleValue, Result, Rights, Status, SystemResource, VmoOptions};

use super::transfer::Transfer;
use super::{caller, deliver, user_memory};
use crate::handle::Handle;
use crate::object::{Object, Resource, VmoObject};
use crate::sched;

pub use child::create as create_child;
pub use device::{create_contiguous, create_physical, set_cache_policy};
pub use op_range::{Bytes, op_range};
pub use transfer_data::{Place, transfer_data};

/// Creates a VMO.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §2, in its order.
pub fn create(size: u64, options: VmoOptions, out: UserOut<HandleValue>) -> Result<()> {
    let vmo = VmoObject::create(size, options)?;
    let mut rights = Rights::VMO_DEFAULT;
    if vmo.vmo().is_resizable() {
        rights |= Rights::RESIZE;
    }
    deliver(Handle::new(vmo, rights), out)
}

/// Copies bytes out of a VMO.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §3, in its order: a bad buffer is `NOT_FOUND`. `CANCELED`: the thread
/// is to end.
pub fn read(value: HandleValue, buffer: UserOut<u8>, offset: u64, size: usize) -> Result<()> {
    let vmo = object(value, Rights::READ)?;
    let transfer = Transfer {
        vmo: vmo.vmo(),
        offset,
        buffer: buffer.address(),
        size,
    };
    transfer
        .read()
        .map_err(|stopped| stopped.reason.status(Status::NOT_FOUND))
}

/// Copies bytes into a VMO.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §3, in its order: a bad buffer is `NOT_FOUND`. `CANCELED`: the thread
/// is to end; what came before has been written.
pub fn write(value: HandleValue, buffer: UserIn<u8>, offset: u64, size: usize) -> Result<()> {
    let vmo = object(value, Rights::WRITE)?;
    let transfer = Transfer {
        vmo: vmo.vmo(),
        offset,
        buffer: buffer.address(),
        size,
    };
    transfer
        .write()
        .map_err(|stopped| stopped.reason.status(Status::NOT_FOUND))
}

/// Asks for the size.
///
/// # Errors
/// Those of the handle; `INVALID_ARGS` if the result cannot be written.
pub fn get_size(value: HandleValue, out: UserOut<u64>) -> Result<()> {
    let vmo = object(value, Rights::NONE)?;
    user_memory::write(out, &vmo.vmo().size())
}

/// Changes the size. Others have their turns while the pages that were cut off are freed.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §4: `ACCESS_DENIED` without WRITE, `UNAVAILABLE` for a VMO of
/// fixed size, `ACCESS_DENIED` without RESIZE, `OUT_OF_RANGE` for an impossible size.
pub fn set_size(value: HandleValue, size: u64) -> Result<()> {
    let (vmo, rights) = caller().object::<VmoObject>(value, Rights::WRITE)?;
    if vmo.vmo().is_resizable() && !rights.contains(Rights::RESIZE) {
        return Err(Status::ACCESS_DENIED);
    }
    vmo.vmo().resize(size, sched::give_way)
}

/// Asks for the stream size.
///
/// # Errors
/// Those of the handle; `INVALID_ARGS` if the result cannot be written.
pub fn get_stream_size(value: HandleValue, out: UserOut<u64>) -> Result<()> {
    let vmo = object(value, Rights::NONE)?;
    user_memory::write(out, &vmo.vmo().stream_size())
}

/// Changes the stream size.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §4: `ACCESS_DENIED` without WRITE, `NOT_SUPPORTED` for a VMO that is
/// not made of pages, `OUT_OF_RANGE` beyond its end.
pub fn set_stream_size(value: HandleValue, size: u64) -> Result<()> {
    let vmo = object(value, Rights::WRITE)?;
    change_stream_size(&vmo, size)
}

/// Replaces a handle by one that may execute as well; the old one is gone also on failure.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §13, in its order: `BAD_HANDLE` also for what is not a VMO; then those
/// of the resource, if there is one.
pub fn replace_as_executable(
    value: HandleValue,
    vmex: HandleValue,
    out: UserOut<HandleValue>,
) -> Result<()> {
    let process = caller();
    // Looked up first: it may be the very handle that goes.
    let permission = if vmex.is_invalid() {
        Ok(())
    } else {
        let resource = process.object::<Resource>(vmex, Rights::NONE);
        resource.and_then(|(resource, _)| resource.check_system(SystemResource::Vmex))
    };
    let handle = process.remove_handle(value)?;
    let vmo = VmoObject::of(handle.object()).ok_or(Status::BAD_HANDLE)?;
    permission?;
    deliver(
        Handle::new(Arc::clone(vmo), handle.rights() | Rights::EXECUTE),
        out,
    )
}

/// Changes the stream size of a VMO that may be written.
///
/// Others have their turns meanwhile. It ends only when all is zero that has to be, also for a thread
/// that is to end: others may see the VMO.
///
/// # Errors
/// Those of `Vmo::set_stream_size`.
pub fn change_stream_size(vmo: &VmoObject, size: u64) -> Result<()> {
    vmo.vmo().set_stream_size(size, sched::give_way)
}

fn object(value: HandleValue, needed: Rights) -> Result<Arc<VmoObject>> {
    Ok(caller().object::<VmoObject>(value, needed)?.0)
}
