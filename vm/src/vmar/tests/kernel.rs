//! Mappings of the kernel's own address space, which never fault.

use syscall::{Status, VmOptions};

use crate::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::mmu::{Domain, MemoryType, Mmu, MmuCursor, Translation};
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;
use crate::vmo::Vmo;

const P: usize = PAGE_SIZE;

fn translation(space: &Space, address: VirtAddr) -> Option<Translation> {
    let page = VirtRange::new(address, PageCount::new(1)).expect("a page");
    space.mmu().cursor(page).query()
}

#[test]
fn a_stack_is_there_at_once_between_its_guards() {
    let mut world = World::new();
    let kernel = world.another_space(Domain::Kernel);
    let root = kernel.root().expect("alive");
    let stack = root.allocate(CAN_ALL, 0, 6 * P).expect("room");
    let vmo = world.vmo(4);
    stack.map(request_at(1, &vmo, 0, 4)).expect("free");
    assert_eq!(vmo.info().memory_use.committed_bytes, 4 * P as u64);
    for page in 1..5 {
        let flags = translation(&kernel, page_of(&stack, page))
            .expect("entered")
            .flags;
        assert_eq!(flags.domain, Domain::Kernel);
    }
    for guard in [0, 5] {
        assert_eq!(translation(&kernel, page_of(&stack, guard)), None);
    }
    stack.destroy().expect("alive");
    assert_eq!(vmo.info().num_mappings, 0);
    drop((kernel, root, stack, vmo));
    finish(world);
}

#[test]
fn a_device_appears_as_it_is() {
    let mut world = World::new();
    let kernel = world.another_space(Domain::Kernel);
    let root = kernel.root().expect("alive");
    let memory = MemoryType::UncachedDevice;
    let vmo = Vmo::physical(world.pages, new_koid(), device(2), memory).expect("memory");
    let base = root.map(request(RW, &vmo, 2)).expect("room");
    let second = base.checked_add(P).expect("in the mapping");
    let entered = translation(&kernel, second).expect("entered");
    assert_eq!(
        entered.address,
        device(2).base().checked_add(P).expect("in the device")
    );
    assert_eq!(entered.flags.memory, memory);
    root.unmap(base, 2 * P, Allowed).expect("mapped");
    assert_eq!(translation(&kernel, second), None);
    drop((kernel, root, vmo));
    finish(world);
}

#[test]
fn what_is_used_at_once_is_not_overwritten() {
    let mut world = World::new();
    let kernel = world.another_space(Domain::Kernel);
    let root = kernel.root().expect("alive");
    let vmo = world.vmo(1);
    root.map(request_at(0, &vmo, 0, 1)).expect("free");
    let options = RW | VmOptions::SPECIFIC_OVERWRITE;
    assert_eq!(
        root.map(request(options, &vmo, 1)),
        Err(Status::INVALID_ARGS)
    );
    drop((kernel, root, vmo));
    finish(world);
}

#[test]
fn a_mapping_that_cannot_be_filled_is_not_there() {
    let mut world = World::new();
    let kernel = world.another_space(Domain::Kernel);
    let root = kernel.root().expect("alive");
    let (before, frames) = (records(&root), world.pages.counts());
    for successes in 0..6 {
        let vmo = world.vmo(4);
        let plan = world.pages.fail_after(successes);
        let result = root.map(request(RW, &vmo, 4));
        drop(plan);
        assert_eq!(result, Err(Status::NO_MEMORY), "after {successes} frames");
        assert_eq!(vmo.info().num_mappings, 0);
        drop(vmo);
        assert_eq!(
            (records(&root), world.pages.counts()),
            (before.clone(), frames)
        );
    }
    drop((kernel, root));
    finish(world);
}
