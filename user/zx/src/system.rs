//! Facts about the system, randomness and the console.

use core::ffi::CStr;

use syscall::VERSION_STRING_BYTES;

use crate::{Status, ok, sys};

/// The size of a base page in bytes.
pub fn system_get_page_size() -> u32 {
    // SAFETY: the call takes no pointer and changes nothing.
    unsafe { sys::zx_system_get_page_size() }
}

/// The number of CPUs.
pub fn system_get_num_cpus() -> u32 {
    // SAFETY: the call takes no pointer and changes nothing.
    unsafe { sys::zx_system_get_num_cpus() }
}

/// The bytes of RAM.
pub fn system_get_physmem() -> u64 {
    // SAFETY: the call takes no pointer and changes nothing.
    unsafe { sys::zx_system_get_physmem() }
}

/// Copies the kernel's version into `buffer` and returns it as text.
///
/// # Errors
/// - `INTERNAL`: the kernel's answer is not text.
pub fn system_get_version_string(buffer: &mut [u8; VERSION_STRING_BYTES]) -> Result<&str, Status> {
    // SAFETY: `buffer` is borrowed for writing and the length is its own.
    ok(unsafe { sys::zx_system_get_version_string(buffer.as_mut_ptr(), buffer.len()) })?;
    let version = CStr::from_bytes_until_nul(buffer).map_err(|_| Status::INTERNAL)?;
    version.to_str().map_err(|_| Status::INTERNAL)
}

/// Fills `buffer` with random bytes.
pub fn cprng_draw(buffer: &mut [u8]) {
    // SAFETY: `buffer` is borrowed for writing and the length is its own.
    unsafe { sys::zx_cprng_draw(buffer.as_mut_ptr(), buffer.len()) }
}

/// Writes bytes to the console.
///
/// # Errors
/// None today; a console that fails would say so here.
pub fn debug_write(bytes: &[u8]) -> Result<(), Status> {
    // SAFETY: `bytes` is borrowed for reading and the length is its own.
    ok(unsafe { sys::zx_debug_write(bytes.as_ptr(), bytes.len()) })
}
