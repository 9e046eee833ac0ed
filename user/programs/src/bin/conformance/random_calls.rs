//! Calls with arguments drawn from what is likely to hurt: the kernel answers each with a status.
//!
//! The arguments are handles of a few objects of the test's own, addresses in its own region or out of
//! reach, and numbers at the edges. So a call can ruin only what the test has made, whatever the kernel
//! does right; and whatever it does wrong ends the machine, or this program.
//!
//! Which kind of value an argument wants comes from the table of system calls, so a new call is tried as
//! soon as it has a row.

mod objects;
mod signatures;

use alloc::format;
use core::ops::Range;

use objects::Objects;
use signatures::SIGNATURES;
use syscall::SystemCall;
use zx::{AsHandleRef, Rights, Status, sys};

use crate::harness::{Outcome, Test, check_eq, fail, tests};

pub const TESTS: &[Test] = tests![every_answer_is_a_documented_status,];

/// Where the choices of every run start; handles and addresses still differ from run to run.
const SEED: u64 = 0x6a61_6369_6e74_6821;

/// Rounds, each with fresh objects.
const ROUNDS: usize = 300;

/// Calls in a round.
const CALLS: usize = 100;

/// The statuses that the calls are documented to answer.
const DOCUMENTED: [Status; 15] = [
    Status::OK,
    Status::NOT_SUPPORTED,
    Status::NO_RESOURCES,
    Status::NO_MEMORY,
    Status::INVALID_ARGS,
    Status::BAD_HANDLE,
    Status::WRONG_TYPE,
    Status::OUT_OF_RANGE,
    Status::BUFFER_TOO_SMALL,
    Status::BAD_STATE,
    Status::TIMED_OUT,
    Status::NOT_FOUND,
    Status::ALREADY_EXISTS,
    Status::UNAVAILABLE,
    Status::ACCESS_DENIED,
];

/// Whether a call is left out: it ends the program, waits, writes to the console or answers no status.
const fn is_left_out(call: SystemCall) -> bool {
    matches!(
        call,
        SystemCall::process_exit
            | SystemCall::debug_write
            | SystemCall::debug_read
            | SystemCall::debug_send_command
            | SystemCall::nanosleep
            | SystemCall::clock_get_monotonic
            | SystemCall::cprng_draw
            | SystemCall::system_get_page_size
            | SystemCall::system_get_num_cpus
            | SystemCall::system_get_physmem
    )
}

fn every_answer_is_a_documented_status() -> Outcome {
    let mut random = Random(SEED);
    let mut succeeded = [0_usize; SystemCall::COUNT];
    for _ in 0..ROUNDS {
        let objects = Objects::new()?;
        for _ in 0..CALLS {
            one_call(&objects, &mut random, &mut succeeded)?;
        }
    }
    // Random arguments that never get past the first check would prove little.
    for (call, _) in SIGNATURES
        .into_iter()
        .filter(|(call, _)| !is_left_out(*call))
    {
        if succeeded[call.number()] == 0 {
            return fail(format!("{call:?} never succeeded"));
        }
    }
    check_eq(
        rt::process_self().basic_info()?.rights,
        Rights::PROCESS_DEFAULT,
    )?;
    check_eq(
        rt::vmar_root_self().basic_info()?.rights,
        Rights::VMAR_ROOT_DEFAULT,
    )
}

/// Makes a random call and counts it if it succeeds.
fn one_call(objects: &Objects, random: &mut Random, succeeded: &mut [usize]) -> Outcome {
    let (call, kinds) = random.one_of(&SIGNATURES);
    if is_left_out(call) {
        return Ok(());
    }
    let likely = objects.likely(call, random);
    // Registers beyond the arguments hold rubbish.
    let mut arguments = [usize::MAX; 8];
    for (index, (argument, kind)) in arguments.iter_mut().zip(kinds).enumerate() {
        *argument = match likely.get(index) {
            Some(value) if random.below(4) > 0 => *value,
            _ => objects.argument(*kind, random),
        };
    }
    if matches!(
        call,
        SystemCall::handle_close
            | SystemCall::handle_replace
            | SystemCall::vmo_replace_as_executable
    ) {
        // These consume the handle, so they get one of their own.
        arguments[0] = objects.disposable()?;
    }
    if call == SystemCall::object_wait_one {
        // Nobody would end a wait.
        arguments[2] = 0;
    }
    // SAFETY: no argument names memory or objects that anything but this test uses.
    let register = unsafe { sys::raw_system_call(call.number(), arguments) };
    let status = Status::from_raw(register as i32);
    let is_extended = register == status.into_raw() as isize as usize;
    if !is_extended || !DOCUMENTED.contains(&status) {
        return fail(format!(
            "{call:?} answered {register:#x} to {arguments:#x?}"
        ));
    }
    if status == Status::OK {
        close_at(&arguments[made_by(call)]);
    }
    succeeded[call.number()] += usize::from(status == Status::OK);
    Ok(())
}

/// The arguments that say where the values of new handles go, for the calls whose handles are closed at once.
const fn made_by(call: SystemCall) -> Range<usize> {
    match call {
        SystemCall::process_create => 4..6,
        SystemCall::vmo_create_contiguous
        | SystemCall::vmo_create_physical
        | SystemCall::bti_create => 3..4,
        SystemCall::vmo_create_child | SystemCall::iommu_create => 4..5,
        SystemCall::resource_create => 6..7,
        _ => 0..0,
    }
}

/// Closes the handles whose values a call has just written to these addresses.
fn close_at(places: &[usize]) {
    for place in places {
        // SAFETY: the kernel has just written there, and addresses of this test hold nothing else.
        let handle = unsafe { (*place as *const sys::zx_handle_t).read_unaligned() };
        // SAFETY: the handle is new, and nobody else knows it. Where places overlap, the kernel has
        // written over the first one, which then is no handle and stays open.
        let _ = unsafe { sys::zx_handle_close(handle) };
    }
}

/// A small generator of numbers (xorshift64*), which need not be good, only the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 32) as usize % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
