//! One address space on two CPUs: what one takes away, the other cannot use any more.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arch::user_memory;
use ktest::ktest;
use syscall::kernel::SystemCalls;
use syscall::{Name, VmOptions};
use vm::addr::PAGE_SIZE;
use vm::cpu::CpuId;

use super::{Sandbox, in_process};
use crate::object::{Start, Thread};
use crate::sched;
use crate::syscalls::Calls;
use crate::syscalls::user_memory::range;

/// How often the other CPU has read the page.
static READS: AtomicUsize = AtomicUsize::new(0);

/// Whether the page must not be readable any more.
static REVOKED: AtomicBool = AtomicBool::new(false);

/// Reads the page at `address` until that is not allowed any more.
fn read_until_revoked(address: usize) {
    let page = range(address, 1).expect("a user address");
    loop {
        let must_fail = REVOKED.load(Ordering::Acquire);
        let result = user_memory::read(page, &mut [0]);
        if must_fail {
            assert!(result.is_err(), "a stale translation is still in use");
            return;
        }
        READS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lets another CPU read the page of a new process while `revoke` takes it away.
fn revoke_under_a_reader(sandbox: &Sandbox, revoke: impl Fn(&Sandbox) -> syscall::Result<()>) {
    READS.store(0, Ordering::Relaxed);
    REVOKED.store(false, Ordering::Relaxed);
    let current = sched::current();
    let process = current.process().expect("the test runs in a process");
    let last = CpuId::new(arch::cpu::count() - 1).expect("a CPU that runs");
    let start = Start::Kernel {
        entry: read_until_revoked,
        argument: sandbox.page,
    };
    let reader = Thread::new(
        Name::new_lossy("reader"),
        Some(Arc::clone(process)),
        last,
        start,
    );
    let reader = reader.expect("memory for a thread");
    assert_eq!(process.add_thread(Arc::clone(&reader)), Ok(()));
    sched::start_thread(&reader);
    while READS.load(Ordering::Relaxed) < 1000 {
        core::hint::spin_loop();
    }
    assert_eq!(revoke(sandbox), Ok(()));
    REVOKED.store(true, Ordering::Release);
    sched::join(reader);
}

#[ktest]
fn no_cpu_uses_a_page_after_its_permissions_are_gone() {
    if arch::cpu::count() == 1 {
        return;
    }
    in_process(|sandbox| {
        revoke_under_a_reader(sandbox, |sandbox| {
            Calls.vmar_protect(sandbox.root, VmOptions::empty(), sandbox.page, PAGE_SIZE)
        });
    });
}

#[ktest]
fn no_cpu_uses_a_page_after_it_is_unmapped() {
    if arch::cpu::count() == 1 {
        return;
    }
    in_process(|sandbox| {
        revoke_under_a_reader(sandbox, |sandbox| {
            Calls.vmar_unmap(sandbox.root, sandbox.page, PAGE_SIZE)
        });
    });
}
