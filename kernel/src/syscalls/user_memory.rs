//! The only way to what programs point to.
//!
//! An address in a [`UserIn`] or [`UserOut`] becomes a [`UserRange`], which is inside the user half,
//! and that is copied by `arch` code that survives a fault. The caller holds no lock meanwhile: the
//! copy may fault, and the fault takes the locks of the address space and of a VMO.

use arch::user_memory::{self, UserRange};
use syscall::kernel::{UserIn, UserOut};
use syscall::{Result, Status};
use vm::addr::VirtAddr;
use zerocopy::{Immutable, IntoBytes};

/// Copies `value` out.
///
/// # Errors
/// - `INVALID_ARGS`: the program may not write there.
pub fn write<T: IntoBytes + Immutable>(out: UserOut<T>, value: &T) -> Result<()> {
    write_bytes(out.address(), value.as_bytes())
}

/// Copies `value` out, unless the program gave no address.
///
/// # Errors
/// - `INVALID_ARGS`: the program may not write there.
pub fn write_if_wanted<T: IntoBytes + Immutable>(out: UserOut<T>, value: &T) -> Result<()> {
    if out.is_null() {
        Ok(())
    } else {
        write(out, value)
    }
}

/// Copies `bytes` to `address`.
///
/// # Errors
/// - `INVALID_ARGS`: the program may not write there.
pub fn write_bytes(address: usize, bytes: &[u8]) -> Result<()> {
    user_memory::write(range(address, bytes.len())?, bytes)?;
    Ok(())
}

/// Fills `buffer` from what is at `from`.
///
/// # Errors
/// - `INVALID_ARGS`: the program may not read there.
pub fn read_bytes(from: UserIn<u8>, buffer: &mut [u8]) -> Result<()> {
    user_memory::read(range(from.address(), buffer.len())?, buffer)?;
    Ok(())
}

/// The bytes at `address`, if they are in the user half.
///
/// # Errors
/// - `INVALID_ARGS`: they are not.
pub fn range(address: usize, bytes: usize) -> Result<UserRange> {
    UserRange::new(VirtAddr::new(address), bytes).ok_or(Status::INVALID_ARGS)
}
