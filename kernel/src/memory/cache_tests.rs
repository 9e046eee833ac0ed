//! Tests of memory types on real page tables: mappings and the direct map agree.

use alloc::sync::Arc;

use arch::paging::{self, Tables};
use boot::MemoryKind;
use ktest::ktest;
use syscall::{Status, VmOptions, VmoOptions};
use vm::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr};
use vm::mmu::{Access, MemoryType, PageSize, Translation};
use vm::pages::CacheOp;
use vm::vmar::{MapRequest, OpChildren};
use vm::vmo::{ContiguousRequest, Vmo};

use super::{kernel_root, kernel_space, pages};
use crate::object::next_koid;
use crate::start::boot_info;

const P: u64 = PAGE_SIZE as u64;

const TYPES: [MemoryType; 4] = [
    MemoryType::Cached,
    MemoryType::Uncached,
    MemoryType::UncachedDevice,
    MemoryType::WriteCombining,
];

fn translation(address: VirtAddr) -> Option<Translation> {
    kernel_space().mmu().query(address)
}

/// How the direct map shows the memory at `address`.
fn direct(address: PhysAddr) -> Translation {
    let shown = paging::PHYSMAP_BASE.checked_add(address.raw());
    translation(shown.expect("an address")).expect("the direct map shows all memory")
}

/// A mapping of all of a VMO in the kernel's address space, which goes with it.
struct Window {
    base: VirtAddr,
    bytes: usize,
}

impl Window {
    fn new(vmo: &Arc<Vmo<Tables>>) -> Self {
        let bytes = vmo.size() as usize;
        let base = kernel_root().expect("the root region").map(MapRequest {
            options: VmOptions::PERM_READ | VmOptions::PERM_WRITE,
            offset: 0,
            vmo: Arc::clone(vmo),
            vmo_offset: 0,
            length: bytes,
            permitted: Access::READ | Access::WRITE,
        });
        let base = base.expect("room in the kernel's address space");
        Self { base, bytes }
    }

    /// How each page is mapped.
    fn pages(&self) -> impl Iterator<Item = Translation> {
        let addresses = (self.base.raw()..self.base.raw() + self.bytes).step_by(PAGE_SIZE);
        addresses.map(|address| translation(VirtAddr::new(address)).expect("it is mapped"))
    }

    fn word(&self, offset: usize) -> *mut u64 {
        assert!(offset < self.bytes);
        core::ptr::without_provenance_mut(self.base.raw() + offset)
    }

    #[allow(unsafe_code, reason = "the test looks at memory as a program would")]
    fn store(&self, offset: usize, value: u64) {
        // SAFETY: The word is in the mapping, which only this test uses.
        unsafe { self.word(offset).write_volatile(value) };
    }

    #[allow(unsafe_code, reason = "the test looks at memory as a program would")]
    fn load(&self, offset: usize) -> u64 {
        // SAFETY: As in `store`.
        unsafe { self.word(offset).read_volatile() }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let root = kernel_root().expect("the root region");
        let unmapped = root.unmap(self.base, self.bytes, OpChildren::Forbidden);
        assert_eq!(unmapped, Ok(()));
    }
}

fn vmo(pages_wanted: u64) -> Arc<Vmo<Tables>> {
    let options = VmoOptions::RESIZABLE;
    Vmo::create(pages(), next_koid(), pages_wanted * P, options).expect("memory for a VMO")
}

#[ktest]
fn mappings_and_the_direct_map_follow_the_memory_type_of_a_vmo() {
    let vmo = vmo(3);
    vmo.write(P - 4, &[7; 8]).expect("memory for pages");
    for memory in TYPES.into_iter().chain([MemoryType::Cached]) {
        assert_eq!(vmo.set_memory(memory), Ok(()));
        let window = Window::new(&vmo);
        for page in window.pages() {
            let shown = direct(page.address);
            assert_eq!((shown.address, shown.size), (page.address, PageSize::Base));
            assert_eq!((page.flags.memory, shown.flags.memory), (memory, memory));
            assert_eq!(shown.flags.access, Access::READ | Access::WRITE);
        }
        assert_eq!(window.load(PAGE_SIZE), 0x0707_0707);
        window.store(2 * PAGE_SIZE + 8, memory as u64 + 1);
        assert_eq!(window.load(2 * PAGE_SIZE + 8), memory as u64 + 1);
        assert_eq!(vmo.set_memory(MemoryType::Cached), Err(Status::BAD_STATE));
    }
    // What was stored past the caches, and through them, is all there.
    let mut bytes = [0; 8];
    vmo.read(P, &mut bytes[..5]).expect("it is cached");
    assert_eq!(bytes, [7, 7, 7, 7, 0, 0, 0, 0]);
}

#[ktest]
fn pages_are_cached_again_when_they_are_freed() {
    let vmo = vmo(4);
    vmo.set_memory(MemoryType::WriteCombining)
        .expect("nothing is mapped");
    let window = Window::new(&vmo);
    let frames: alloc::vec::Vec<_> = window.pages().map(|page| page.address).collect();
    for (number, frame) in frames.iter().enumerate() {
        window.store(number * PAGE_SIZE, u64::MAX);
        let memory = direct(*frame).flags.memory;
        assert_eq!(memory, MemoryType::WriteCombining);
    }
    drop(window);
    vmo.set_size(P + 100).expect("it is resizable");
    assert_eq!(direct(frames[2]).flags.memory, MemoryType::Cached);
    assert_eq!(direct(frames[1]).flags.memory, MemoryType::WriteCombining);
    drop(vmo);
    for frame in frames {
        assert_eq!(direct(frame).flags.memory, MemoryType::Cached);
    }
}

#[ktest]
fn contiguous_pages_lie_side_by_side_and_can_be_a_devices() {
    let request = ContiguousRequest::new(9 * P, 16).expect("a request that makes sense");
    let vmo = Vmo::contiguous(pages(), next_koid(), request).expect("memory side by side");
    vmo.set_memory(MemoryType::UncachedDevice)
        .expect("nothing is mapped");
    let window = Window::new(&vmo);
    let first = window.pages().next().expect("a page").address;
    assert!(first.is_aligned_to(16));
    for (number, page) in window.pages().enumerate() {
        assert_eq!(page.address.raw(), first.raw() + number * PAGE_SIZE);
        let both = (page.flags.memory, direct(page.address).flags.memory);
        assert_eq!(
            both,
            (MemoryType::UncachedDevice, MemoryType::UncachedDevice)
        );
        assert_eq!(window.load(number * PAGE_SIZE + PAGE_SIZE - 8), 0);
    }
}

#[ktest]
fn caches_can_be_maintained_page_by_page_or_in_part() {
    let vmo = vmo(1 << 30);
    vmo.write(5 * P + 3, &[1; 2 * PAGE_SIZE])
        .expect("memory for pages");
    for op in [CacheOp::Sync, CacheOp::Clean, CacheOp::CleanInvalidate] {
        for (offset, size) in [(0, P << 30), (5 * P + 1, 1), (6 * P - 1, 2), (7 * P, P)] {
            assert_eq!(vmo.maintain_cache(op, offset, size, || Ok(())), Ok(()));
        }
    }
    let mut bytes = [0; 2];
    vmo.read(7 * P + 2, &mut bytes).expect("it is cached");
    assert_eq!(bytes, [1, 0]);
}

#[ktest]
fn the_kernels_own_memory_is_no_physical_vmo() {
    let page = |address: PhysAddr| {
        let range = PhysRange::new(address.page_base(), PageCount::new(1)).expect("a page");
        Vmo::<Tables>::physical(pages(), next_koid(), range, MemoryType::Uncached)
    };
    let kernels = [
        pages().zero_page(),
        boot::image().text.physical_range.base(),
        boot::image().data.physical_range.base(),
    ];
    let mapped = boot_info().memory.of_kind(MemoryKind::Usable);
    for address in kernels.into_iter().chain(mapped.map(PhysRange::base)) {
        assert_eq!(page(address).err(), Some(Status::ACCESS_DENIED));
    }
    assert!(page(PhysAddr::new(1 << 46)).is_ok());
}

#[ktest]
fn all_usable_memory_can_be_shown_by_base_pages() {
    for range in boot_info().memory.of_kind(MemoryKind::Usable) {
        let last = PhysAddr::new(range.end().raw() - PAGE_SIZE);
        for address in [range.base(), last] {
            let shown = direct(address);
            assert_eq!((shown.address, shown.size), (address, PageSize::Base));
        }
    }
}
