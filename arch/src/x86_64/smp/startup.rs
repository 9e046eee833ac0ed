//! The pages below 1 MiB through which other CPUs enter the kernel.
//!
//! | page | contents |
//! |---|---|
//! | 0 | the code of `startup.s` and its parameters |
//! | 1 | a root table: the kernel's half, and entry 0 |
//! | 2, 3 | tables that show the first 2 MiB at their own addresses |
//!
//! These tables exist only while CPUs start; the kernel's own never show low addresses.

use core::arch::global_asm;

use vm::addr::{PAGE_SIZE, PhysAddr, PhysRange, VirtAddr};
use vm::mmu::{Access, Domain, MapFlags, MemoryType, PageSize};
use vm::paging::EntryFormat;

use crate::machine::features::{Features, features};
use crate::machine::paging::{self, Format, PHYSMAP_BASE};
use crate::machine::record::PerCpu;

global_asm!(include_str!("startup.s"), main = sym super::secondary_main, options(att_syntax));

unsafe extern "C" {
    static startup_begin: u8;
    static startup_end: u8;
    static startup_parameters: u8;
    static startup_64_offset: u8;
    static startup_gdt_offset: u8;
    fn startup_high();
}

/// What the code finds at its end.
#[repr(C, packed)]
struct Parameters {
    record: usize,
    kernel_root: usize,
    stack: usize,
    entry: usize,
    low_root: u32,
    extended_features: u32,
    long_mode_offset: u32,
    long_mode_selector: u16,
    table_limit: u16,
    table_base: u32,
}

/// Entries in a table.
const ENTRIES: usize = PAGE_SIZE / size_of::<u64>();

/// `EFER.NXE`: the kernel's tables use the bit.
const NO_EXECUTE_ENABLE: u32 = 1 << 11;

/// The selector of the code segment in the code's own table, and that table's limit.
const CODE_SELECTOR: u16 = 8;
const TABLE_LIMIT: u16 = 15;

/// The pages, filled with code and tables. Dropping it clears them.
pub(super) struct StartupArea {
    pages: PhysRange,
}

impl StartupArea {
    /// Fills `pages`.
    ///
    /// # Safety
    /// 1. `pages` are four pages of memory below 1 MiB that nobody else uses, shown by the direct map.
    pub(super) unsafe fn new(pages: PhysRange) -> Self {
        let area = Self { pages };
        let code = (&raw const startup_begin).addr()..(&raw const startup_end).addr();
        let flags = MapFlags {
            access: Access::READ | Access::WRITE | Access::EXECUTE,
            memory: MemoryType::Cached,
            domain: Domain::Kernel,
        };
        // SAFETY:
        // 1. All writes go to the four pages, which are ours by the caller's promise.
        // 2. The code is a part of the image that fits one page.
        unsafe {
            area.page(0)
                .copy_from_nonoverlapping(code.start as *const u8, code.len());
            let (root, middle, low) = (area.table(1), area.table(2), area.table(3));
            let kernel_root = paging::table_pointer(paging::kernel_root());
            for index in 0..ENTRIES {
                let is_kernel = index >= ENTRIES / 2;
                let entry = if is_kernel {
                    kernel_root.add(index).read_volatile()
                } else {
                    0
                };
                root.add(index).write_volatile(entry);
                middle.add(index).write_volatile(0);
                low.add(index).write_volatile(0);
            }
            root.write_volatile(Format::table(area.address(2)));
            middle.write_volatile(Format::table(area.address(3)));
            low.write_volatile(Format::leaf(PhysAddr::new(0), PageSize::Large, flags));
        }
        area
    }

    /// The number of the page with the code, as a startup message names it.
    pub(super) fn code_page(&self) -> u8 {
        (self.pages.base().raw() / PAGE_SIZE) as u8
    }

    /// Sets the parameters for the CPU of `record`, which will run on the stack that ends at `stack`.
    pub(super) fn aim_at(&self, record: &'static PerCpu, stack: VirtAddr) {
        let base = self.pages.base().raw() as u32;
        let has_no_execute = features().contains(Features::NO_EXECUTE);
        let parameters = Parameters {
            record: (record as *const PerCpu).addr(),
            kernel_root: paging::kernel_root().raw(),
            stack: stack.raw(),
            entry: startup_high as *const () as usize,
            low_root: self.address(1).raw() as u32,
            extended_features: if has_no_execute { NO_EXECUTE_ENABLE } else { 0 },
            long_mode_offset: base + (&raw const startup_64_offset).addr() as u32,
            long_mode_selector: CODE_SELECTOR,
            table_limit: TABLE_LIMIT,
            table_base: base + (&raw const startup_gdt_offset).addr() as u32,
        };
        let offset = (&raw const startup_parameters).addr() - (&raw const startup_begin).addr();
        // SAFETY:
        // 1. The parameters lie in the first page, behind the code; no CPU reads them before it is started.
        unsafe {
            self.page(0)
                .add(offset)
                .cast::<Parameters>()
                .write_unaligned(parameters)
        };
    }

    fn address(&self, index: usize) -> PhysAddr {
        PhysAddr::new(self.pages.base().raw() + index * PAGE_SIZE)
    }

    fn page(&self, index: usize) -> *mut u8 {
        (PHYSMAP_BASE.raw() + self.address(index).raw()) as *mut u8
    }

    fn table(&self, index: usize) -> *mut u64 {
        self.page(index).cast()
    }
}

impl Drop for StartupArea {
    fn drop(&mut self) {
        // SAFETY:
        // 1. The pages are ours since `new`, and every CPU that was started has left them.
        unsafe { self.page(0).write_bytes(0, self.pages.bytes()) };
    }
}
