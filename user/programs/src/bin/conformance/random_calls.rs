//! Calls with arguments drawn from what is likely to hurt: the kernel answers each with a status.
//!
//! The arguments are handles of a few objects of the test's own, addresses in its own region or out of
//! reach, and numbers at the edges. So a call can ruin only what the test has made, whatever the kernel
//! does right; and whatever it does wrong ends the machine, or this program.
//!
//! Which kind of value an argument wants comes from the table of system calls, so a new call is tried as
//! soon as it has a row.

use alloc::format;
use alloc::vec::Vec;

use syscall::SystemCall;
use zx::{AsHandleRef, HandleBased, Rights, Status, VmarFlags, Vmo, sys};

use crate::fixtures::{
    BAD_ADDRESSES, CAN_MAP_ALL, P, READ_WRITE, Region, resizable_vmo_of, vmo_of, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, fail, tests};

pub const TESTS: &[Test] = tests![every_answer_is_a_documented_status,];

/// Where the choices of every run start; handles and addresses still differ from run to run.
const SEED: u64 = 0x6a61_6369_6e74_6821;

/// Rounds, each with fresh objects.
const ROUNDS: usize = 300;

/// Calls in a round.
const CALLS: usize = 100;

/// Pages of a round's region.
const PAGES: usize = 16;

/// The statuses that the calls are documented to answer.
const DOCUMENTED: [Status; 14] = [
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
    Status::NOT_FOUND,
    Status::ALREADY_EXISTS,
    Status::UNAVAILABLE,
    Status::ACCESS_DENIED,
];

/// What an argument is.
#[derive(Clone, Copy)]
enum Kind {
    Handle,
    /// Flags, with an alignment in the top byte for some.
    Options,
    /// One of a few numbers: a topic, a property, an operation or a kind of features.
    Choice,
    Address,
    Number,
}

/// A call that answers with a status, and what it wants.
type Signature = (SystemCall, &'static [Kind]);

macro_rules! kind {
    (input $type:ident) => {
        Kind::Address
    };
    (output $type:ident) => {
        Kind::Address
    };
    (value HandleValue) => {
        Kind::Handle
    };
    (value VmOptions) => {
        Kind::Options
    };
    (value VmoOptions) => {
        Kind::Options
    };
    (value ProcessOptions) => {
        Kind::Options
    };
    (value Rights) => {
        Kind::Options
    };
    (value Topic) => {
        Kind::Choice
    };
    (value Property) => {
        Kind::Choice
    };
    (value VmarOp) => {
        Kind::Choice
    };
    (value FeatureKind) => {
        Kind::Choice
    };
    (value $type:ident) => {
        Kind::Number
    };
}

macro_rules! signatures {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident $stub:ident($($argument:ident: $kind:ident $type:ident),* $(,)?)
            -> $result:ident $($value:ident)?;
    )*) => {
        const SIGNATURES: [Signature; SystemCall::COUNT] =
            [$((SystemCall::$name, &[$(kind!($kind $type)),*])),*];
    };
}

syscall::for_each_system_call!(signatures);

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
    // SAFETY: no argument names memory or objects that anything but this test uses.
    let register = unsafe { sys::raw_system_call(call.number(), arguments) };
    let status = Status::from_raw(register as i32);
    let is_extended = register == status.into_raw() as isize as usize;
    if !is_extended || !DOCUMENTED.contains(&status) {
        return fail(format!(
            "{call:?} answered {register:#x} to {arguments:#x?}"
        ));
    }
    if call == SystemCall::process_create && status == Status::OK {
        close_at(&arguments[4..6]);
    }
    succeeded[call.number()] += usize::from(status == Status::OK);
    Ok(())
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

/// What the calls of a round work on.
struct Objects {
    region: Region,
    child: zx::Vmar,
    fixed: Vmo,
    resizable: Vmo,
    weak: Vmo,
    /// A process that may be killed, with memory at the addresses of the region.
    process: zx::Process,
    /// This program's process, which may not be killed or written to.
    own: zx::Process,
    /// A job that may not be killed either.
    job: zx::Job,
}

impl Objects {
    fn new() -> Result<Self, Status> {
        let region = Region::new(PAGES)?;
        let place = CAN_MAP_ALL | VmarFlags::SPECIFIC;
        let (child, _) = region.allocate(8 * P, 4 * P, place)?;
        let (fixed, resizable) = (vmo_of(4)?, resizable_vmo_of(4)?);
        region.map_at(0, &fixed, 4)?;
        child.map(P, &resizable, 0, 2 * P, READ_WRITE | VmarFlags::SPECIFIC)?;
        let weak = without_rights(&fixed, Rights::WRITE | Rights::DUPLICATE)?;
        let (process, root) =
            rt::job_default().create_child_process(zx::ProcessOptions::empty(), b"random")?;
        let place = region.at(0) - root.info()?.base;
        root.map(place, &fixed, 0, 4 * P, READ_WRITE | VmarFlags::SPECIFIC)?;
        Ok(Self {
            process,
            own: without_rights::<zx::Process>(
                &rt::process_self(),
                Rights::DESTROY | Rights::WRITE,
            )?,
            job: without_rights::<zx::Job>(&rt::job_default(), Rights::DESTROY)?,
            region,
            child,
            fixed,
            resizable,
            weak,
        })
    }

    /// A handle that a call may consume.
    fn disposable(&self) -> Result<usize, Status> {
        let handle = self.resizable.duplicate_handle(Rights::SAME_RIGHTS)?;
        Ok(handle.into_raw() as usize)
    }

    /// A value for an argument of this kind, or in one of eight cases for any other.
    fn argument(&self, kind: Kind, random: &mut Random) -> usize {
        let others = [
            Kind::Handle,
            Kind::Options,
            Kind::Choice,
            Kind::Address,
            Kind::Number,
        ];
        let kind = if random.below(8) == 0 {
            random.one_of(&others)
        } else {
            kind
        };
        match kind {
            Kind::Handle => self.handle(random),
            Kind::Options => options(random),
            Kind::Choice => {
                random.one_of(&[0, 1, 2, 3, 7, 17, 19, 23, 36, 0x3000_0017, 0x1000_0011])
            }
            Kind::Address => self.address(random),
            Kind::Number => self.number(random),
        }
    }

    /// The first arguments of a call that would probably succeed, for the calls that seldom do.
    fn likely(&self, call: SystemCall, random: &mut Random) -> Vec<usize> {
        const CAN_MAP_READ: usize = 1 << 7;
        const READ: usize = 1;

        let vmar = self.vmar(call, random);
        let page = self.region.at(random.below(PAGES));
        let mapped = |page| self.region.at(page);
        let arguments: &[usize] = match call {
            SystemCall::vmar_allocate => &[vmar, CAN_MAP_READ, 0, P],
            SystemCall::vmar_map => &[vmar, READ, 0, self.handle(random), 0, P],
            SystemCall::vmar_unmap => &[vmar, page, P],
            SystemCall::vmar_protect => &[vmar, READ, page, P],
            SystemCall::vmar_destroy => &[vmar],
            SystemCall::process_create => &[
                self.job.raw_handle() as usize,
                mapped(0),
                8,
                0,
                mapped(1),
                mapped(2),
            ],
            SystemCall::process_read_memory | SystemCall::process_write_memory => &[
                self.task(random),
                mapped(0) + 5,
                mapped(1) + 9,
                P,
                mapped(3),
            ],
            SystemCall::task_kill => &[self.task(random)],
            SystemCall::vmar_op_range => {
                let op = random.one_of(&[1, 2, 3, 10, 12, 13, 14]);
                &[vmar, op, page, P, 0, 0]
            }
            _ => &[],
        };
        arguments.to_vec()
    }

    /// A process or a job.
    fn task(&self, random: &mut Random) -> usize {
        let handle = match random.below(8) {
            0 => self.job.raw_handle(),
            1..4 => self.own.raw_handle(),
            _ => self.process.raw_handle(),
        };
        handle as usize
    }

    /// Mostly a VMO.
    fn handle(&self, random: &mut Random) -> usize {
        let handle = match random.below(16) {
            0 => return self.vmar(SystemCall::vmar_map, random),
            8 => return self.task(random),
            1 | 2 => self.weak.raw_handle(),
            3 | 4 => self.fixed.raw_handle(),
            _ => self.resizable.raw_handle(),
        };
        handle as usize
    }

    /// A region; to be destroyed it is the outer one only seldom, so that the round goes on.
    fn vmar(&self, call: SystemCall, random: &mut Random) -> usize {
        let limit = if call == SystemCall::vmar_destroy {
            32
        } else {
            2
        };
        let handle = match random.below(limit) {
            0 => self.region.raw_handle(),
            _ => self.child.raw_handle(),
        };
        handle as usize
    }

    /// An address in the region, most of them in its first mapping, or one out of reach.
    fn address(&self, random: &mut Random) -> usize {
        match random.below(8) {
            0 => random.one_of(&BAD_ADDRESSES),
            1 => self.region.at(random.below(PAGES + 1)),
            2 => self.region.at(random.below(4) + 1) - random.one_of(&[1, 4, 8, 31]),
            _ => self.region.at(random.below(4)) + random.one_of(&[0, 8, 64]),
        }
    }

    /// A size or offset of a few pages, an address for the calls that take one as a number, or an edge.
    fn number(&self, random: &mut Random) -> usize {
        match random.below(8) {
            0 => random.one_of(&[1, 2, 31, 32, 33, 4095, 4097, 1 << 31, 1 << 32, 1 << 63]),
            1 => random.one_of(&[
                usize::MAX,
                usize::MAX - P,
                usize::MAX - P + 1,
                usize::MAX >> 1,
            ]),
            2 | 3 => self.region.at(random.below(PAGES + 1)),
            4 | 5 => 0,
            _ => random.below(6) * P,
        }
    }
}

/// What a mapping or a region may be given, with another flag, an alignment, or rubbish.
fn options(random: &mut Random) -> usize {
    const CAN_MAP: usize = 1 << 6;

    let usual = random.one_of(&[0, 1, 3, 3, CAN_MAP, 7 * CAN_MAP]);
    match random.below(6) {
        0 => usual | 1 << random.below(32),
        1 => usual | 1 << random.below(16) | 1 << random.below(16),
        2 => usual | random.below(40) << 24,
        3 => 1 << random.below(5),
        // The marker for the same rights.
        4 => 1 << 31,
        _ => usual,
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
