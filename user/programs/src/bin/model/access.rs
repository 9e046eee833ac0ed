//! Looking at memory that Rust knows nothing of, as programs do, and by having the kernel look.

use alloc::vec;
use alloc::vec::Vec;
use core::ptr;

use zx::{AsHandleRef, Status, Vmo, ok, sys};

/// Has the kernel copy bytes from an address to the beginning of `scratch`, and answers them.
///
/// # Errors
/// `NOT_FOUND`: the kernel cannot read there.
pub fn copy_from(address: usize, length: usize, scratch: &Vmo) -> Result<Vec<u8>, Status> {
    let from = ptr::with_exposed_provenance(address);
    // SAFETY: the kernel reads the bytes, if it can.
    ok(unsafe { sys::zx_vmo_write(scratch.raw_handle(), from, 0, length) })?;
    let mut bytes = vec![0; length];
    scratch.read(&mut bytes, 0)?;
    Ok(bytes)
}

/// Has the kernel write a byte to an address in one of this program's windows, by way of `scratch`.
///
/// # Errors
/// `NOT_FOUND`: the kernel cannot write there.
pub fn copy_to(address: usize, value: u8, scratch: &Vmo) -> Result<(), Status> {
    scratch.write(&[value], 0)?;
    let to = ptr::with_exposed_provenance_mut(address);
    // SAFETY: nothing of Rust's is in the windows; the kernel writes a byte, if it can.
    ok(unsafe { sys::zx_vmo_read(scratch.raw_handle(), to, 0, 1) })
}

/// Reads a byte as programs do. If the kernel does not let it, the kernel's report of the fault says where.
pub fn load(address: usize) -> u8 {
    // SAFETY: the model knows the page as readable, and nothing else is at addresses of the window.
    unsafe { ptr::with_exposed_provenance::<u8>(address).read_volatile() }
}

/// Writes a byte as programs do.
pub fn store(address: usize, value: u8) {
    // SAFETY: the model knows the page as writable, and nothing else is at addresses of the window.
    unsafe { ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(value) }
}
