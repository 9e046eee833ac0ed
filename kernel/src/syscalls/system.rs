//! Calls about the system as a whole. Source: `docs/spec/objects.md` §12.

use syscall::kernel::UserOut;
use syscall::{
    AddressTaggingFeatureFlags, CpuFeatureFlags, FeatureKind, Result, Status, VERSION_STRING_BYTES,
    VmFeatureFlags,
};

use super::caller;
use super::user_memory::{self, write_bytes};
use crate::memory;
use crate::object::EXCEPTION_KILL;
use crate::random;
use crate::sched::{self, Deadline, WaitQueue, now, yield_now};

/// What `system_get_version_string` answers, with its terminating NUL.
const VERSION: &str = concat!("jacinth ", env!("CARGO_PKG_VERSION"), "\0");

const _: () = assert!(VERSION.len() <= VERSION_STRING_BYTES);

/// Random bytes that are made and copied at a time.
const DRAW_BYTES: usize = 256;

/// Nanoseconds since the machine started.
pub fn clock_get_monotonic() -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}

/// Sleeps until `deadline`; one that has passed lets the other threads have their turns.
pub fn nanosleep(deadline: i64) -> Result<()> {
    let deadline = Deadline::from_monotonic(deadline);
    if deadline.has_passed(now()) {
        yield_now();
        return Ok(());
    }
    // Nobody wakes this queue: the wait ends at the deadline, or with the thread.
    let nobody = WaitQueue::new();
    let _ = nobody.wait(deadline, || None::<()>);
    Ok(())
}

/// The number of CPUs that run.
pub fn num_cpus() -> u32 {
    u32::try_from(arch::cpu::count()).unwrap_or(u32::MAX)
}

/// The bytes of RAM that the kernel manages.
pub fn physmem() -> u64 {
    memory::total_bytes()
}

/// Copies the version string and its NUL.
///
/// # Errors
/// - `BUFFER_TOO_SMALL`: it does not fit.
/// - `INVALID_ARGS`: the buffer cannot be written.
pub fn get_version_string(out: UserOut<u8>, size: usize) -> Result<()> {
    if size < VERSION.len() {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    write_bytes(out.address(), VERSION.as_bytes())
}

/// Tells what the machine can do.
///
/// No breakpoint or watchpoint of a CPU can be used by a program, and no bit of an address is ignored.
///
/// # Errors
/// - `NOT_SUPPORTED`: there is no such kind of features.
/// - `INVALID_ARGS`: the result cannot be written.
pub fn get_features(kind: FeatureKind, out: UserOut<u32>) -> Result<()> {
    let features = match kind {
        FeatureKind::CPU => CpuFeatureFlags::HAS_CPU_FEATURES.bits(),
        FeatureKind::HW_BREAKPOINT_COUNT | FeatureKind::HW_WATCHPOINT_COUNT => 0,
        FeatureKind::ADDRESS_TAGGING => AddressTaggingFeatureFlags::empty().bits(),
        FeatureKind::VM => {
            let mut features = VmFeatureFlags::empty();
            let can_execute_only = arch::paging::can_execute_only();
            features.set(VmFeatureFlags::VM_FEATURE_CAN_MAP_XOM, can_execute_only);
            features.bits()
        }
        _ => return Err(Status::NOT_SUPPORTED),
    };
    user_memory::write(out, &features)
}

/// Fills a buffer with random bytes; ends the program if it cannot be written.
///
/// Others have their turns meanwhile, and it ends early with the thread.
pub fn cprng_draw(out: UserOut<u8>, size: usize) {
    let mut bytes = [0; DRAW_BYTES];
    let mut done = 0;
    while done < size {
        let part = &mut bytes[..DRAW_BYTES.min(size - done)];
        random::fill(part);
        let address = out.address().checked_add(done).ok_or(Status::INVALID_ARGS);
        if address
            .and_then(|address| write_bytes(address, part))
            .is_err()
        {
            let process = caller();
            println!("{}: cprng_draw into a bad buffer", process.name());
            process.begin_exit(EXCEPTION_KILL);
            return;
        }
        done += part.len();
        if sched::pause().is_err() {
            return;
        }
    }
}
