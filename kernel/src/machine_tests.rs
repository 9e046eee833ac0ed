//! Tests of what `arch` promises on every machine: the final page tables, the clock, the CPUs.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arch::paging;
use arch::{timer, trap};
use boot::{KernelImage, MemoryKind, Section};
use ktest::ktest;
use vm::addr::{PAGE_SIZE, PhysAddr, VirtAddr};
use vm::cpu::CpuId;
use vm::mmu::{Access, Domain, MapFlags, MemoryType, Translation};

use crate::memory::kernel_space;
use crate::sched::{join, spawn};
use crate::start::boot_info;

/// How the kernel's tables map the page at `address`.
fn translation(address: VirtAddr) -> Option<Translation> {
    kernel_space().mmu().query(address)
}

/// Where the direct map shows `address`.
fn in_direct_map(address: PhysAddr) -> VirtAddr {
    paging::PHYSMAP_BASE
        .checked_add(address.raw())
        .expect("the direct map shows all memory")
}

/// The first and the last page of a section, as they are linked and as they are loaded.
fn edges(section: Section) -> [(VirtAddr, PhysAddr); 2] {
    [0, section.virtual_range.bytes() - PAGE_SIZE].map(|offset| {
        let linked = section.virtual_range.base().checked_add(offset);
        let loaded = section.physical_range.base().checked_add(offset);
        (
            linked.expect("inside the section"),
            loaded.expect("inside the section"),
        )
    })
}

fn assert_mapped(section: Section, access: Access) {
    for (linked, loaded) in edges(section) {
        let found = translation(linked).expect("the image is mapped");
        let flags = MapFlags {
            access,
            memory: MemoryType::Cached,
            domain: Domain::Kernel,
        };
        assert_eq!((found.address, found.flags), (loaded, flags), "{linked}");
    }
}

#[ktest]
fn no_page_of_the_image_is_both_writable_and_executable() {
    let KernelImage {
        text, rodata, data, ..
    } = boot::image();
    assert_mapped(text, Access::READ | Access::EXECUTE);
    assert_mapped(rodata, Access::READ);
    assert_mapped(data, Access::READ | Access::WRITE);
}

#[ktest]
fn the_direct_map_is_no_way_around_the_protection_of_the_image() {
    let KernelImage { text, rodata, .. } = boot::image();
    for (_, loaded) in edges(text).into_iter().chain(edges(rodata)) {
        if let Some(found) = translation(in_direct_map(loaded)) {
            assert_eq!(found.flags.access, Access::READ, "{loaded}");
        }
    }
}

#[ktest]
fn the_direct_map_shows_all_usable_memory_and_executes_none_of_it() {
    for range in boot_info().memory.of_kind(MemoryKind::Usable) {
        let last = PhysAddr::new(range.end().raw() - PAGE_SIZE);
        for address in [range.base(), last] {
            let found = translation(in_direct_map(address)).expect("usable memory is shown");
            assert_eq!(found.address, address);
            assert_eq!(found.flags.access, Access::READ | Access::WRITE);
            assert_eq!(found.flags.domain, Domain::Kernel);
        }
    }
}

#[ktest]
fn the_page_under_the_boot_stack_is_missing() {
    let image = boot::image();
    assert!(translation(image.boot_stack.base()).is_some());
    assert_eq!(translation(image.boot_stack_guard.base()), None);
}

#[ktest]
fn the_pages_under_the_stacks_for_emergencies_are_missing() {
    let mut guards = 0;
    for guard in arch::cpu::guard_pages() {
        assert_eq!(translation(guard.base()), None);
        assert!(translation(guard.end()).is_some());
        guards += 1;
    }
    assert!(guards >= arch::cpu::count());
}

#[ktest]
fn nothing_is_mapped_at_its_own_physical_address() {
    let image = boot::image();
    let loaded = image.text.physical_range.base().raw();
    assert_eq!(trap::probe(VirtAddr::new(loaded)), None);
    assert_eq!(translation(VirtAddr::new(loaded)), None);
}

#[ktest]
fn a_probe_reads_what_is_there_and_survives_what_is_not() {
    static WORD: AtomicUsize = AtomicUsize::new(0x5a5a_1234);
    let address = VirtAddr::new((&raw const WORD).addr());
    assert_eq!(trap::probe(address), Some(0x5a5a_1234));
    let hole = boot::image().boot_stack_guard.base();
    assert_eq!(trap::probe(hole), None);
    // Not an address at all: neither half.
    assert_eq!(trap::probe(VirtAddr::new(0x1234_0000_0000_0000)), None);
}

#[ktest]
fn the_clock_goes_forwards_on_all_cpus_together() {
    const READINGS: usize = 10_000;
    static LATEST: AtomicU64 = AtomicU64::new(0);
    static BACKWARDS: AtomicUsize = AtomicUsize::new(0);
    fn read_often(_: usize) {
        for _ in 0..READINGS {
            let before = LATEST.load(Ordering::SeqCst);
            let now = timer::now();
            if now < before {
                BACKWARDS.fetch_add(1, Ordering::Relaxed);
            }
            LATEST.fetch_max(now, Ordering::SeqCst);
        }
    }
    let cpus = (0..arch::cpu::count()).filter_map(CpuId::new);
    let threads = cpus.map(|cpu| spawn("clock", cpu, read_often, 0).expect("memory for a thread"));
    let threads: alloc::vec::Vec<_> = threads.collect();
    threads.into_iter().for_each(join);
    assert_eq!(BACKWARDS.swap(0, Ordering::Relaxed), 0);
    assert!(LATEST.load(Ordering::Relaxed) > 0);
}

#[ktest]
fn a_tick_comes_to_the_cpu_that_asked_for_it() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    fn wait_for_tick(_: usize) {
        let deadline = timer::now() + 1_000_000;
        crate::sched::block(crate::sched::Deadline::at(deadline));
        assert!(timer::now() >= deadline);
        IS_OVER.store(true, Ordering::Release);
    }
    for cpu in (0..arch::cpu::count()).filter_map(CpuId::new) {
        join(spawn("tick", cpu, wait_for_tick, 0).expect("memory for a thread"));
        assert!(IS_OVER.swap(false, Ordering::AcqRel), "on CPU {cpu}");
    }
}

#[ktest]
fn random_numbers_do_not_repeat() {
    let numbers = [(); 8].map(|()| arch::cpu::random());
    for (index, number) in numbers.iter().enumerate() {
        assert!(number.is_none() || !numbers[..index].contains(number));
    }
    assert!(numbers.iter().any(Option::is_some));
}
