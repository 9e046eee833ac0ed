//! What the program was started with.

use core::slice;
use core::str;

use spin::Once;
use syscall::HandleValue;
use syscall::startup::StartupInfo;
use zx::{HandleBased, Job, Process, Resource, Thread, Unowned, Vmar};

static STARTUP: Once<Startup> = Once::new();

struct Startup {
    info: StartupInfo,
    arguments: &'static str,
}

/// Keeps what the kernel handed over; the first call wins.
///
/// # Safety
/// - The argument text that `info` names is readable and never changes.
/// - Nothing else closes the handles in `info`.
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "only the entry calls it")
)]
pub(crate) unsafe fn install(info: StartupInfo) {
    let text = match info.arguments_size {
        0 => &[],
        // SAFETY: the caller answers for the text.
        size => unsafe { slice::from_raw_parts(info.arguments as *const u8, size) },
    };
    let arguments = str::from_utf8(text).unwrap_or_default();
    STARTUP.call_once(|| Startup { info, arguments });
}

/// The record that the kernel handed over; all zero on a host.
pub fn startup_info() -> StartupInfo {
    STARTUP
        .get()
        .map(|startup| startup.info)
        .unwrap_or_default()
}

/// The words the program was started with; the first one is what follows its name.
pub fn args() -> impl Iterator<Item = &'static str> {
    STARTUP
        .get()
        .map_or("", |startup| startup.arguments)
        .split_ascii_whitespace()
}

/// The root region of this program's address space.
pub fn vmar_root_self() -> Unowned<'static, Vmar> {
    lend(startup_info().vmar_root)
}

/// This program's process.
pub fn process_self() -> Unowned<'static, Process> {
    lend(startup_info().process_self)
}

/// This program's first thread; an invalid handle while threads have none.
pub fn thread_self() -> Unowned<'static, Thread> {
    lend(startup_info().thread_self)
}

/// The job in which this program may create processes; an invalid handle for a program without one.
pub fn job_default() -> Unowned<'static, Job> {
    lend(startup_info().job_default)
}

/// Console input, monitor commands and statistics; an invalid handle for a program without access.
pub fn system_resource() -> Unowned<'static, Resource> {
    lend(startup_info().system_resource)
}

/// Physical addresses at which devices may be; an invalid handle for a program without access.
pub fn mmio_resource() -> Unowned<'static, Resource> {
    lend(startup_info().mmio_resource)
}

/// The permission to make IOMMUs; an invalid handle for a program without it.
pub fn iommu_resource() -> Unowned<'static, Resource> {
    lend(startup_info().iommu_resource)
}

fn lend<T: HandleBased>(handle: HandleValue) -> Unowned<'static, T> {
    // SAFETY: `install`'s caller promised that nothing closes the handles of the record.
    unsafe { Unowned::from_raw_handle(handle.into_raw()) }
}
