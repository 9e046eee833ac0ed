//! Large pages in the real page tables of a program.

use arch::user_memory;
use ktest::ktest;
use syscall::kernel::{SystemCalls, UserOut};
use syscall::{HandleValue, VmOptions, VmarOp, VmoOptions};
use vm::addr::{PAGE_SIZE, VirtAddr};
use vm::mmu::PageSize;

use super::{Sandbox, in_process};
use crate::syscalls::user_memory::range;
use crate::syscalls::{Calls, caller};

const LARGE: usize = PageSize::Large.bytes();

/// Maps two large pages' worth of a new VMO and commits it; answers the address.
fn committed(sandbox: &Sandbox) -> usize {
    let vmo: HandleValue = sandbox.vmo(2 * LARGE as u64, VmoOptions::empty());
    let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE;
    let mapped = Calls.vmar_map(sandbox.root, flags, 0, vmo, 0, 2 * LARGE, sandbox.out(1));
    assert_eq!(mapped, Ok(()));
    let (base, nothing) = (sandbox.get(1), UserOut::new(0));
    let op = VmarOp::COMMIT;
    let result = Calls.vmar_op_range(sandbox.root, op, base, 2 * LARGE, nothing, 0);
    assert_eq!(result, Ok(()));
    base
}

/// How the page at `address` is entered in the page tables of the calling process.
fn size_at(address: usize) -> Option<PageSize> {
    let process = caller();
    let tables = process.root().vmar().owner().mmu();
    tables.query(VirtAddr::new(address)).map(|found| found.size)
}

fn write(address: usize, value: u8) {
    let place = range(address, 1).expect("a user address");
    user_memory::write(place, &[value]).expect("it is mapped");
}

fn read(address: usize) -> u8 {
    let mut byte = [0];
    let place = range(address, 1).expect("a user address");
    user_memory::read(place, &mut byte).expect("it is mapped");
    byte[0]
}

#[ktest]
fn committed_memory_is_shown_by_large_pages() {
    in_process(|sandbox| {
        let base = committed(sandbox);
        for address in [base, base + LARGE - 1, base + LARGE, base + 2 * LARGE - 1] {
            assert_eq!(size_at(address), Some(PageSize::Large), "{address:#x}");
            write(address, 3);
            assert_eq!(read(address), 3);
        }
    });
}

#[ktest]
fn a_large_page_comes_apart_and_together_again() {
    in_process(|sandbox| {
        let base = committed(sandbox);
        let (page, next) = (base + 5 * PAGE_SIZE, base + 6 * PAGE_SIZE);
        let readable = VmOptions::PERM_READ;
        let protect = |options, address, bytes| {
            assert_eq!(
                Calls.vmar_protect(sandbox.root, options, address, bytes),
                Ok(())
            );
        };
        write(page, 1);
        write(next, 2);
        protect(readable, page, PAGE_SIZE);
        assert_eq!(
            (size_at(page), size_at(base + LARGE)),
            (None, Some(PageSize::Large))
        );
        assert_eq!((read(page), read(next)), (1, 2));
        assert_eq!(size_at(page), Some(PageSize::Base));
        // A write is what makes the permission come back, and the large page with it.
        protect(readable | VmOptions::PERM_WRITE, page, PAGE_SIZE);
        write(page, 4);
        assert_eq!(size_at(page), Some(PageSize::Large));
        assert_eq!((read(page), read(next)), (4, 2));
        // As a whole it stays what it is.
        protect(readable, base, LARGE);
        assert_eq!(size_at(page), Some(PageSize::Large));
        assert_eq!((read(page), read(next)), (4, 2));
    });
}
