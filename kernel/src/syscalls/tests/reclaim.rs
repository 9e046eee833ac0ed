//! Running out of frames for real, and looking for zeros, with the page tables of this machine.

use alloc::sync::Arc;

use arch::user_memory;
use ktest::ktest;
use syscall::kernel::{SystemCalls, UserOut};
use syscall::{HandleValue, Rights, Status, VmOptions, VmoOptions};
use vm::addr::{PAGE_SIZE, PageCount};
use vm::pages::{FrameList, owner};

use super::{Sandbox, in_process};
use crate::memory::pages;
use crate::object::VmoObject;
use crate::reclaim::{MOST_RETRIES, retrying, scan_round};
use crate::syscalls::user_memory::range;
use crate::syscalls::{Calls, caller};

/// Pages of a discardable VMO.
const SPARE: u64 = 64;

/// All frames that were free; they are free again when it is dropped.
struct Drought(FrameList<owner::Wired>);

impl Drought {
    fn begin() -> Self {
        let mut frames = FrameList::new();
        while let Ok(frame) = pages().allocate() {
            frames.push(pages(), frame).expect("nobody shares it");
        }
        Self(frames)
    }
}

impl Drop for Drought {
    fn drop(&mut self) {
        pages().free_list(core::mem::take(&mut self.0));
    }
}

/// A VMO of the calling process.
fn object(handle: HandleValue) -> Arc<VmoObject> {
    let found = caller().object::<VmoObject>(handle, Rights::NONE);
    found.expect("a VMO").0
}

fn present(handle: HandleValue) -> u64 {
    let bytes = object(handle).vmo().info().memory_use.committed_bytes;
    bytes / PAGE_SIZE as u64
}

/// Writes something to the first bytes of a page.
fn write(sandbox: &Sandbox, vmo: HandleValue, page: u64) -> syscall::Result<()> {
    sandbox.set(1, page + 1);
    Calls.vmo_write(vmo, sandbox.input(1), page * PAGE_SIZE as u64, 8)
}

/// A discardable VMO, which is not locked and has all of its pages.
fn spare(sandbox: &Sandbox) -> HandleValue {
    let vmo = sandbox.vmo(SPARE * PAGE_SIZE as u64, VmoOptions::DISCARDABLE);
    for page in 0..SPARE {
        assert_eq!(write(sandbox, vmo, page), Ok(()));
    }
    vmo
}

/// Maps all of a VMO, readable and writable.
fn map(sandbox: &Sandbox, vmo: HandleValue) -> usize {
    let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE;
    let size = object(vmo).vmo().size() as usize;
    let mapped = Calls.vmar_map(sandbox.root, flags, 0, vmo, 0, size, sandbox.out(2));
    assert_eq!(mapped, Ok(()));
    sandbox.get(2)
}

/// Writes to memory of the program, with a page fault if need be; whether that is possible.
fn store(address: usize, value: u8) -> bool {
    let place = range(address, 1).expect("a user address");
    user_memory::write(place, &[value]).is_ok()
}

fn load(address: usize) -> u8 {
    let mut byte = [0xff];
    let place = range(address, 1).expect("a user address");
    user_memory::read(place, &mut byte).expect("it is mapped");
    byte[0]
}

#[ktest]
fn calls_get_frames_from_discardable_vmos_and_then_no_memory() {
    in_process(|sandbox| {
        let spare = spare(sandbox);
        let hungry = sandbox.vmo(4 * SPARE * PAGE_SIZE as u64, VmoOptions::empty());
        let drought = Drought::begin();
        assert_eq!(write(sandbox, hungry, 0), Ok(()));
        assert_eq!(present(spare), 0);
        let size = SPARE * PAGE_SIZE as u64;
        let found = object(spare).vmo().lock_pages(0, size).expect("a lock");
        assert_eq!(found.discarded_size, size);
        let refused = (1..4 * SPARE).find_map(|page| write(sandbox, hungry, page).err());
        assert_eq!(refused, Some(Status::NO_MEMORY));
        assert!((SPARE / 2..=SPARE).contains(&present(hungry)));
        // What is there stays usable, and the rest comes with the next frames.
        assert_eq!(write(sandbox, hungry, 0), Ok(()));
        drop(drought);
        assert_eq!(write(sandbox, hungry, 4 * SPARE - 1), Ok(()));
    });
}

#[ktest]
fn faults_get_frames_from_discardable_vmos_and_then_fail() {
    in_process(|sandbox| {
        let spare = spare(sandbox);
        let hungry = sandbox.vmo(4 * SPARE * PAGE_SIZE as u64, VmoOptions::empty());
        let base = map(sandbox, hungry);
        let drought = Drought::begin();
        assert!(store(base, 7));
        assert_eq!(present(spare), 0);
        let page = |number: u64| base + number as usize * PAGE_SIZE;
        let refused = (1..4 * SPARE).find(|number| !store(page(*number), 8));
        let refused = refused.expect("the machine has no more frames");
        assert!((SPARE / 2..=SPARE).contains(&refused), "page {refused}");
        assert_eq!((load(base), load(page(refused - 1))), (7, 8));
        drop(drought);
        assert!(store(page(refused), 9));
    });
}

#[ktest]
fn a_buffer_without_memory_is_not_a_bad_one() {
    in_process(|sandbox| {
        let source = sandbox.vmo(PAGE_SIZE as u64, VmoOptions::empty());
        assert_eq!(write(sandbox, source, 0), Ok(()));
        let absent = sandbox.vmo(4 * SPARE * PAGE_SIZE as u64, VmoOptions::empty());
        let base = map(sandbox, absent);
        let read = |page: u64| {
            let buffer = UserOut::new(base + page as usize * PAGE_SIZE);
            Calls.vmo_read(source, buffer, 0, 8)
        };
        assert_eq!(read(0), Ok(()));
        let drought = Drought::begin();
        let refused = (1..4 * SPARE).find_map(|page| read(page).err());
        assert_eq!(refused, Some(Status::NO_MEMORY));
        drop(drought);
        assert_eq!(read(4 * SPARE - 1), Ok(()));
    });
}

#[ktest]
fn zeros_are_given_back_and_kernel_stacks_stay() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(SPARE * PAGE_SIZE as u64, VmoOptions::empty());
        let base = map(sandbox, vmo);
        let page = |number: u64| base + number as usize * PAGE_SIZE;
        for number in 0..SPARE {
            assert!(store(page(number), u8::from(number % 8 == 3)));
        }
        assert_eq!(present(vmo), SPARE);
        let reclaimer = pages().reclaimer();
        // Everything in the machine is looked at, also the stack that this runs on.
        let mut ended = 0;
        while ended < reclaimer.scanned_vmos() {
            ended += reclaimer.scan(PageCount::new(7)).ended;
        }
        assert_eq!(present(vmo), SPARE / 8);
        for number in 0..SPARE {
            assert_eq!(
                load(page(number)),
                u8::from(number % 8 == 3),
                "page {number}"
            );
        }
        assert!(store(page(0), 5));
        assert_eq!((load(page(0)), present(vmo)), (5, SPARE / 8 + 1));
    });
}

#[ktest]
fn zeros_are_looked_for_only_while_memory_is_low() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(SPARE * PAGE_SIZE as u64, VmoOptions::empty());
        let base = map(sandbox, vmo);
        for number in 0..SPARE as usize {
            assert!(store(base + number * PAGE_SIZE, 0));
        }
        let mut rests = 0;
        assert!(!scan_round(|| rests += 1));
        assert_eq!((present(vmo), rests), (SPARE, 0));
        let drought = Drought::begin();
        assert!(scan_round(|| rests += 1));
        assert!(rests > 0);
        assert_eq!(present(vmo), 0);
        drop(drought);
        assert!(!scan_round(|| ()));
    });
}

#[ktest]
fn a_call_is_made_again_only_for_want_of_frames_and_not_for_ever() {
    in_process(|sandbox| {
        let spare = spare(sandbox);
        let mut attempts = 0;
        let outcome: syscall::Result<()> = retrying(|| {
            attempts += 1;
            Err(Status::NO_MEMORY)
        });
        assert_eq!((outcome, attempts), (Err(Status::NO_MEMORY), 2));
        assert_eq!(present(spare), SPARE);
        attempts = 0;
        // All of memory is never free; somebody fills the VMO again each time.
        let outcome = retrying(|| {
            attempts += 1;
            assert_eq!(write(sandbox, spare, 0), Ok(()));
            pages().check_free(pages().counts().total.get() as u64)
        });
        assert_eq!(outcome, Err(Status::NO_MEMORY));
        assert_eq!(attempts, MOST_RETRIES + 1);
        attempts = 0;
        let outcome = retrying(|| {
            attempts += 1;
            pages().check_free(pages().counts().total.get() as u64)
        });
        assert_eq!((outcome, attempts), (Err(Status::NO_MEMORY), 3));
    });
}
