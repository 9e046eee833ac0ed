//! Running out of memory at every allocation of every call that allocates.

mod vmos;

use alloc::sync::Arc;

use ktest::ktest;
use syscall::kernel::{SystemCalls, UserOut};
use syscall::{
    HandleValue, ProcessOptions, Result, Rights, Signals, Status, VmOptions, VmarOp, VmoOptions,
};
use vm::addr::{PAGE_SIZE, PageCount};
use vm::pages::OwnerKind;
use vm::try_alloc::fault;

use super::{Sandbox, in_process};
use crate::handle::Handle;
use crate::loader;
use crate::memory::{self, pages};
use crate::object::Job;
use crate::sched::{Deadline, now};
use crate::syscalls::{Calls, caller};

/// More frames than any of the calls here takes, and more slots than a table of handles has spare.
const MANY: usize = 80;

/// What a call that fails must leave as it was.
#[derive(Debug, Eq, PartialEq)]
struct Possessions {
    handles: usize,
    regions: usize,
    heap_bytes: usize,
    pages: PageCount,
    tables: PageCount,
}

impl Possessions {
    fn of(sandbox: &Sandbox) -> Self {
        let frames = pages().counts();
        Self {
            handles: sandbox.handle_count(),
            regions: sandbox.region_count(),
            heap_bytes: memory::heap_statistics().live_bytes,
            pages: frames.owned_by(OwnerKind::Vmo),
            tables: frames.owned_by(OwnerKind::PageTable),
        }
    }
}

/// Makes `call` with each of its allocations failing in turn, of heap and of frames, until none does.
///
/// A call that fails must leave all [`Possessions`] as they were; `undo` takes back what a call that
/// succeeds has done.
fn starve(
    sandbox: &Sandbox,
    call: impl Fn(&Sandbox) -> Result<()>,
    undo: impl Fn(&Sandbox) -> Result<()>,
) {
    // The table of handles gets as many spare slots as it wants to have.
    for _ in 0..MANY {
        assert_eq!(call(sandbox), Ok(()));
        assert_eq!(undo(sandbox), Ok(()));
    }
    let before = Possessions::of(sandbox);
    starve_and_check(sandbox, call, undo, || {
        assert_eq!(Possessions::of(sandbox), before);
    });
}

/// The same, with another check after each call; what is undone is not in the way.
fn starve_and_check(
    sandbox: &Sandbox,
    call: impl Fn(&Sandbox) -> Result<()>,
    undo: impl Fn(&Sandbox) -> Result<()>,
    is_as_before: impl Fn(),
) {
    let check = |result: Result<()>| {
        match result {
            Ok(()) => assert_eq!(undo(sandbox), Ok(())),
            Err(status) => assert_eq!(status, Status::NO_MEMORY),
        }
        is_as_before();
        result.is_ok()
    };
    for successes in 0.. {
        let guard = fault::fail_after(successes);
        let result = call(sandbox);
        let was_starved = guard.has_struck();
        drop(guard);
        if check(result) && !was_starved {
            break;
        }
    }
    let succeeds_with = |frames: usize| {
        let guard = pages().fail_after(frames);
        let result = call(sandbox);
        drop(guard);
        check(result)
    };
    assert!((0..MANY).any(succeeds_with), "{MANY} frames are not enough");
}

fn close_place_0(sandbox: &Sandbox) -> Result<()> {
    Calls.handle_close(sandbox.get(0))
}

#[ktest]
fn vmo_create_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let create = |sandbox: &Sandbox| {
            Calls.vmo_create(PAGE_SIZE as u64, VmoOptions::RESIZABLE, sandbox.out(0))
        };
        starve(sandbox, create, close_place_0);
    });
}

#[ktest]
fn handle_duplicate_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let duplicate = |sandbox: &Sandbox| {
            Calls.handle_duplicate(sandbox.root, Rights::SAME_RIGHTS, sandbox.out(0))
        };
        starve(sandbox, duplicate, close_place_0);
    });
}

#[ktest]
fn object_wait_one_without_memory_changes_nothing() {
    in_process(|sandbox| {
        sandbox.set(7, sandbox.vmo(0, VmoOptions::empty()));
        let wait = |sandbox: &Sandbox| {
            // Not yet over when it begins.
            let deadline = i64::try_from(now() + 1_000_000).unwrap_or(i64::MAX);
            let none = Signals::NONE;
            match Calls.object_wait_one(sandbox.get(7), none, deadline, sandbox.out(1)) {
                Err(Status::TIMED_OUT) => Ok(()),
                other => other,
            }
        };
        starve(sandbox, wait, |_| Ok(()));
    });
}

#[ktest]
fn vmar_allocate_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let flags = VmOptions::CAN_MAP_SPECIFIC | VmOptions::CAN_MAP_READ;
        let allocate = |sandbox: &Sandbox| {
            let (child, address) = (sandbox.out(0), sandbox.out(1));
            Calls.vmar_allocate(sandbox.root, flags, 0, PAGE_SIZE, child, address)
        };
        let undo = |sandbox: &Sandbox| {
            let child: HandleValue = sandbox.get(0);
            Calls.vmar_destroy(child)?;
            Calls.handle_close(child)
        };
        starve(sandbox, allocate, undo);
    });
}

#[ktest]
fn vmar_map_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(4 * PAGE_SIZE as u64, VmoOptions::empty());
        sandbox.set(7, vmo);
        sandbox.set(1, 1u64);
        assert_eq!(Calls.vmo_write(vmo, sandbox.input(1), 0, 8), Ok(()));
        let map = |sandbox: &Sandbox| {
            let flags = VmOptions::PERM_READ | VmOptions::MAP_RANGE;
            let vmo = sandbox.get(7);
            Calls.vmar_map(
                sandbox.root,
                flags,
                0,
                vmo,
                0,
                4 * PAGE_SIZE,
                sandbox.out(1),
            )
        };
        let unmap =
            |sandbox: &Sandbox| Calls.vmar_unmap(sandbox.root, sandbox.get(1), 4 * PAGE_SIZE);
        starve(sandbox, map, unmap);
    });
}

/// Where `starve_a_split` maps, counted from the beginning of the root region.
const OFFSET: usize = 1 << 30;

/// Maps four pages, leaves the address in place 1, and runs `starve` on what splits them.
fn starve_a_split(
    sandbox: &Sandbox,
    split: impl Fn(&Sandbox, usize) -> Result<()>,
    mend: impl Fn(&Sandbox, usize) -> Result<()>,
) {
    let vmo = sandbox.vmo(4 * PAGE_SIZE as u64, VmoOptions::empty());
    let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE | VmOptions::SPECIFIC;
    let (place, bytes) = (sandbox.out(1), 4 * PAGE_SIZE);
    let mapped = Calls.vmar_map(sandbox.root, flags, OFFSET, vmo, 0, bytes, place);
    assert_eq!(mapped, Ok(()));
    let middle = sandbox.get::<usize>(1) + PAGE_SIZE;
    sandbox.set(7, vmo);
    starve(
        sandbox,
        |sandbox| split(sandbox, middle),
        |sandbox| mend(sandbox, middle),
    );
}

#[ktest]
fn vmar_unmap_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let unmap = |sandbox: &Sandbox, middle| Calls.vmar_unmap(sandbox.root, middle, PAGE_SIZE);
        let map_again = |sandbox: &Sandbox, _| {
            let offset = OFFSET + PAGE_SIZE;
            let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE | VmOptions::SPECIFIC;
            let (vmo, place) = (sandbox.get(7), sandbox.out(2));
            let page = PAGE_SIZE;
            Calls.vmar_map(sandbox.root, flags, offset, vmo, page as u64, page, place)
        };
        starve_a_split(sandbox, unmap, map_again);
    });
}

#[ktest]
fn vmar_protect_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let protect = |options| {
            move |sandbox: &Sandbox, middle| {
                Calls.vmar_protect(sandbox.root, options, middle, PAGE_SIZE)
            }
        };
        let both = VmOptions::PERM_READ | VmOptions::PERM_WRITE;
        starve_a_split(sandbox, protect(VmOptions::PERM_READ), protect(both));
    });
}

#[ktest]
fn vmar_op_range_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let bytes = 4 * PAGE_SIZE;
        let vmo = sandbox.vmo(bytes as u64, VmoOptions::empty());
        let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE | VmOptions::SPECIFIC;
        let mapped = Calls.vmar_map(sandbox.root, flags, OFFSET, vmo, 0, bytes, sandbox.out(1));
        assert_eq!(mapped, Ok(()));
        let operate = |op| {
            move |sandbox: &Sandbox| {
                let (base, none) = (sandbox.get(1), UserOut::new(0));
                Calls.vmar_op_range(sandbox.root, op, base, bytes, none, 0)
            }
        };
        starve(sandbox, operate(VmarOp::COMMIT), operate(VmarOp::DECOMMIT));
    });
}

#[ktest]
fn process_create_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let root = Handle::new(Arc::clone(Job::root()), Rights::JOB_DEFAULT);
        let job = caller().add_handle(root).expect("room for a handle");
        sandbox.set(7, job);
        let create = |sandbox: &Sandbox| {
            let (process, vmar) = (sandbox.out(0), sandbox.out(1));
            let name = sandbox.input(6);
            let none = ProcessOptions::empty();
            Calls.process_create(sandbox.get(7), name, 8, none, process, vmar)
        };
        let close = |sandbox: &Sandbox| {
            Calls.handle_close(sandbox.get(1))?;
            Calls.handle_close(sandbox.get(0))
        };
        starve(sandbox, create, close);
    });
}

#[ktest]
fn process_write_memory_without_memory_says_so_and_can_be_repeated() {
    in_process(|sandbox| {
        let process = crate::sched::current().process().cloned();
        let process = process.expect("the thread of the sandbox");
        let handle = Handle::new(process, Rights::PROCESS_DEFAULT);
        let own = caller().add_handle(handle).expect("room for a handle");
        let vmo = sandbox.vmo(PAGE_SIZE as u64, VmoOptions::RESIZABLE);
        let (read, page) = (VmOptions::PERM_READ, PAGE_SIZE);
        let mapped = Calls.vmar_map(sandbox.root, read, 0, vmo, 0, page, sandbox.out(5));
        assert_eq!(mapped, Ok(()));
        sandbox.set(6, own);
        sandbox.set(7, vmo);
        let write = |sandbox: &Sandbox| {
            let (own, place) = (sandbox.get(6), sandbox.get(5));
            Calls.process_write_memory(own, place, sandbox.input(0), 8, sandbox.out(1))
        };
        let cut = |sandbox: &Sandbox| {
            Calls.vmo_set_size(sandbox.get(7), 0)?;
            Calls.vmo_set_size(sandbox.get(7), PAGE_SIZE as u64)
        };
        starve(sandbox, write, cut);
    });
}

#[ktest]
fn vmo_write_without_memory_says_so_and_can_be_repeated() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(8 * PAGE_SIZE as u64, VmoOptions::RESIZABLE);
        sandbox.set(7, vmo);
        let write = |sandbox: &Sandbox| {
            Calls.vmo_write(sandbox.get(7), sandbox.input(0), PAGE_SIZE as u64 - 4, 8)
        };
        let cut = |sandbox: &Sandbox| {
            Calls.vmo_set_size(sandbox.get(7), 0)?;
            Calls.vmo_set_size(sandbox.get(7), 8 * PAGE_SIZE as u64)
        };
        // What it has written before memory ran out stays.
        let before = (sandbox.handle_count(), sandbox.region_count());
        starve_and_check(sandbox, write, cut, || {
            assert_eq!((sandbox.handle_count(), sandbox.region_count()), before);
        });
    });
}

#[ktest]
fn overwriting_without_memory_changes_nothing() {
    in_process(|sandbox| {
        let map = |sandbox: &Sandbox, offset: usize, page: usize, pages: usize| {
            let place = VmOptions::SPECIFIC_OVERWRITE;
            let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE | place;
            let (vmo, out) = (sandbox.get(7), sandbox.out(2));
            let (vmo_offset, bytes) = ((page * PAGE_SIZE) as u64, pages * PAGE_SIZE);
            Calls.vmar_map(sandbox.root, flags, offset, vmo, vmo_offset, bytes, out)
        };
        let overwrite = |sandbox: &Sandbox, _| map(sandbox, OFFSET + PAGE_SIZE, 0, 1);
        let mend = |sandbox: &Sandbox, _| {
            Calls.vmar_unmap(sandbox.root, sandbox.get(1), 4 * PAGE_SIZE)?;
            map(sandbox, OFFSET, 0, 4)
        };
        starve_a_split(sandbox, overwrite, mend);
    });
}

#[ktest]
fn a_mapping_that_cannot_be_told_is_taken_back_without_memory() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(3 * PAGE_SIZE as u64, VmoOptions::empty());
        let map = |page: usize, out| {
            let flags = VmOptions::PERM_READ | VmOptions::SPECIFIC;
            let bytes = page * PAGE_SIZE;
            let offset = OFFSET + bytes;
            Calls.vmar_map(
                sandbox.root,
                flags,
                offset,
                vmo,
                bytes as u64,
                PAGE_SIZE,
                out,
            )
        };
        assert_eq!(map(0, sandbox.out(0)), Ok(()));
        assert_eq!(map(2, sandbox.out(0)), Ok(()));
        let before = sandbox.region_count();
        for successes in 0.. {
            let guard = fault::fail_after(successes);
            let result = map(1, UserOut::new(PAGE_SIZE));
            let was_starved = guard.has_struck();
            drop(guard);
            assert_eq!(sandbox.region_count(), before, "{result:?}");
            if !was_starved {
                return assert_eq!(result, Err(Status::INVALID_ARGS));
            }
        }
    });
}

#[ktest]
fn starting_a_program_without_memory_leaves_nothing() {
    let Some(path) = loader::paths().find(|path| path.ends_with("hello")) else {
        return;
    };
    for successes in 0.. {
        let guard = fault::fail_after(successes);
        let started = loader::start(path, "");
        drop(guard);
        match started {
            Ok(process) => return assert_eq!(process.wait_ended(Deadline::NEVER), Ok(0)),
            Err(error) => assert_eq!(Status::from(error), Status::NO_MEMORY),
        }
    }
}
