//! Calls on VMOs that show physical memory, which programs cannot make.

use ktest::ktest;
use syscall::kernel::SystemCalls;
use syscall::{HandleValue, Rights, Status, VmOptions};
use vm::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use vm::mmu::MemoryType;
use vm::vmo::Vmo;

use super::{Sandbox, in_process};
use crate::handle::Handle;
use crate::memory::pages;
use crate::object::{VmoObject, next_koid};
use crate::syscalls::{Calls, caller};

/// A handle to a page of a device, which nobody ever touches.
fn physical_vmo(rights: Rights) -> HandleValue {
    let page = PhysRange::new(PhysAddr::new(0xfe00_0000), PageCount::new(1));
    let page = page.expect("an aligned page");
    let vmo = Vmo::physical(pages(), next_koid(), page, MemoryType::UncachedDevice);
    let object = VmoObject::new(vmo.expect("memory for a VMO")).expect("memory for an object");
    let handle = Handle::new(object, rights);
    caller().add_handle(handle).expect("room for a handle")
}

#[ktest]
fn what_a_physical_vmo_cannot_do_comes_before_what_its_handle_may_not() {
    in_process(|sandbox: &Sandbox| {
        let beyond = VmOptions::ALLOW_FAULTS | VmOptions::FAULT_BEYOND_STREAM_SIZE;
        let map = |rights, options| {
            let (vmo, place) = (physical_vmo(rights), sandbox.out(1));
            Calls.vmar_map(sandbox.root, options, 0, vmo, 0, PAGE_SIZE, place)
        };
        for rights in [Rights::NONE, Rights::READ | Rights::WRITE, Rights::MAP] {
            assert_eq!(map(rights, beyond), Err(Status::NOT_SUPPORTED));
        }
        let without = map(Rights::READ, VmOptions::empty());
        assert_eq!(without, Err(Status::ACCESS_DENIED));
        assert_eq!(map(Rights::MAP, VmOptions::empty()), Ok(()));
    });
}
