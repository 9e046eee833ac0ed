//! Tests of the kernel's address space and of real page tables.

use alloc::sync::Arc;

use ktest::ktest;
use syscall::{Name, Status, VmOptions, VmoOptions};
use vm::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use vm::mmu::{Access, Mmu, MmuCursor};
use vm::vmar::{MapRequest, OpChildren};

use super::{kernel_root, kernel_space, pages};
use crate::kernel_stack::{KernelStack, STACK_BYTES};
use crate::object::VmoObject;
use crate::user_space;

/// Whether the kernel's page tables have a translation for the page at `address`.
fn is_mapped(address: usize) -> bool {
    let page = VirtRange::new(VirtAddr::new(address).page_base(), PageCount::new(1));
    let cursor = kernel_space().mmu().cursor(page.expect("a page"));
    cursor.query().is_some()
}

#[ktest]
fn the_books_of_the_page_database_agree() {
    let counts = pages().audit().expect("books that agree");
    assert_eq!(counts, pages().counts());
    assert!(counts.total > counts.free);
}

#[ktest]
fn a_kernel_stack_is_mapped_and_has_a_guard_at_each_end() {
    let stack = KernelStack::new().expect("memory for a stack");
    let (top, bottom) = (stack.top().raw(), stack.top().raw() - STACK_BYTES);
    assert!(is_mapped(top - 1) && is_mapped(bottom));
    assert!(!is_mapped(top) && !is_mapped(bottom - 1));
    drop(stack);
    assert!(!is_mapped(top - 1) && !is_mapped(bottom));
}

#[ktest]
fn mappings_of_the_kernel_are_filled_at_once() {
    let vmo = VmoObject::create(2 * PAGE_SIZE as u64, VmoOptions::empty()).expect("memory");
    let root = kernel_root().expect("the kernel's root region");
    let base = root.map(MapRequest {
        options: VmOptions::PERM_READ | VmOptions::PERM_WRITE,
        offset: 0,
        vmo: Arc::clone(vmo.vmo()),
        vmo_offset: 0,
        length: 2 * PAGE_SIZE,
        permitted: Access::READ | Access::WRITE,
    });
    let base = base.expect("room in the kernel's address space");
    assert!(is_mapped(base.raw()) && is_mapped(base.raw() + PAGE_SIZE));
    assert_eq!(
        root.unmap(base, 2 * PAGE_SIZE, OpChildren::Forbidden),
        Ok(())
    );
    assert!(!is_mapped(base.raw()));
}

#[ktest]
fn an_address_space_gives_its_tables_back() {
    let space = user_space::create(Name::new_lossy("test")).expect("memory for tables");
    let root = space.root().expect("a root region");
    let vmo = VmoObject::create(PAGE_SIZE as u64, VmoOptions::empty()).expect("memory");
    let base = root.map(MapRequest {
        options: VmOptions::PERM_READ | VmOptions::PERM_WRITE,
        offset: 0,
        vmo: Arc::clone(vmo.vmo()),
        vmo_offset: 0,
        length: PAGE_SIZE,
        permitted: Access::READ | Access::WRITE,
    });
    let base = base.expect("room in an empty address space");
    assert_eq!(space.fault(base, Access::WRITE), Ok(()));
    assert_eq!(
        space.fault(base, Access::EXECUTE),
        Err(Status::ACCESS_DENIED)
    );
    let beyond = base.checked_add(PAGE_SIZE).expect("an address");
    assert_eq!(space.fault(beyond, Access::READ), Err(Status::NOT_FOUND));
    assert_eq!(
        vmo.vmo().info().memory_use.committed_bytes,
        PAGE_SIZE as u64
    );
    space.destroy();
    assert_eq!(space.fault(base, Access::READ), Err(Status::NOT_FOUND));
}
