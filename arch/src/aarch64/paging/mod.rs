//! Page tables: four levels, 48 bits, one root for programs (TTBR0) and one for the kernel (TTBR1).
//!
//! ```text
//!   0x0000_0000_0020_0000  programs
//!   0x0001_0000_0000_0000  (nothing)
//!   0xffff_0000_0000_0000  direct map of all memory
//!   0xffff_8000_0000_0000  dynamic mappings of the kernel
//!   0xffff_ffff_8020_0000  the kernel's image
//! ```
//!
//! [`Tables`] is either kind. The walker is [`vm::paging`]; `format` has the bits of an entry, `asid` lends
//! the tags of address spaces, `tlb` makes CPUs forget.

mod asid;
mod cache;
pub(super) mod direct_map;
mod format;
mod kernel;
mod tlb;

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use aarch64_cpu::registers::{TTBR0_EL1, Writeable};
use syscall::Result;
use vm::addr::{PhysAddr, VirtAddr, VirtRange};
use vm::counters::Counters;
use vm::mmu::{Mmu, TlbBatch, Translation};
use vm::pages::PageDatabase;
use vm::paging::{Cursor, EntryFormat, Level, PageTables, Path, TopLevel};

pub use boot::PHYSMAP_BASE;
pub use kernel::init;
pub(super) use kernel::root as kernel_root;

use self::asid::Asid;
use self::format::Format;
use super::cpu;

/// The addresses of programs.
pub const USER: VirtRange = range(0x20_0000, 1 << 48);

/// Dynamic mappings of the kernel: stacks, device windows and the like.
pub const KERNEL_VMAR: VirtRange = range(0xffff_8000_0000_0000, 0xffff_c000_0000_0000);

/// Everything from here on is the kernel's.
pub const KERNEL_BASE: VirtAddr = PHYSMAP_BASE;

/// One set of page tables: a program's, or the kernel's.
#[derive(Debug)]
pub struct Tables {
    tables: PageTables<Format>,
}

/// A root table without entries.
static EMPTY_ROOT: AtomicUsize = AtomicUsize::new(0);

/// Whether programs can have pages that they may execute but not read.
///
/// They can: such a page is not accessible from EL0 but for fetches. The kernel keeps to that, because it
/// reads user memory with the rights of EL0. Only a stray access by the kernel itself would not fault
/// where the CPU has no EPAN.
pub fn can_execute_only() -> bool {
    true
}

/// Makes the current CPU translate no program's addresses.
pub fn activate_kernel() {
    asid::deactivate(cpu::current(), || {
        set_program_root(
            PhysAddr::new(EMPTY_ROOT.load(Ordering::Relaxed)),
            asid::NOBODY,
        );
    });
}

impl Tables {
    /// How the page at `address` is mapped, if it is; also in the image and the direct map.
    pub fn query(&self, address: VirtAddr) -> Option<Translation> {
        self.translates(address)
            .then(|| self.tables.query(address))
            .flatten()
    }

    /// The way through the tables to the page at `address`; `None` if these tables do not translate it:
    /// those of a program end where its half does, and the kernel's begin where its half does.
    pub fn walk(&self, address: VirtAddr) -> Option<Path> {
        self.translates(address).then(|| self.tables.walk(address))
    }

    /// Shows `name` the manual's names of the bits that are set in `entry`, found in a table of `level`.
    pub fn name_bits(entry: u64, level: Level, name: &mut dyn FnMut(&'static str)) {
        Format::name_bits(entry, level, name);
    }

    /// Whether `address` is in the half that these tables are for. The two halves have tables of their own,
    /// which look at the bits that both have.
    fn translates(&self, address: VirtAddr) -> bool {
        match self.tables.format() {
            Format::Kernel => address >= KERNEL_BASE,
            Format::Program(_) => address < USER.end(),
        }
    }
}

impl Mmu for Tables {
    type Cursor<'a> = Cursor<'a, Format>;

    fn create(pages: &'static PageDatabase) -> Result<Self> {
        let format = Format::Program(Asid::new());
        Ok(Self {
            tables: PageTables::new(pages, USER, TopLevel::Own, format)?,
        })
    }

    #[inline]
    fn cursor(&self, range: VirtRange) -> Self::Cursor<'_> {
        self.tables.cursor(range)
    }

    #[inline]
    fn flush(&self, batch: TlbBatch) {
        batch.finish(self.tables.pages(), |stale| match self.tables.format() {
            Format::Kernel => tlb::forget_kernel(stale),
            Format::Program(asid) => tlb::forget(asid, stale),
        });
    }

    fn activate(&self) {
        match self.tables.format() {
            Format::Kernel => activate_kernel(),
            Format::Program(asid) => asid.activate(cpu::current(), |identifier| {
                set_program_root(self.tables.root(), identifier);
            }),
        }
    }

    #[inline(always)]
    fn counters() -> &'static Counters {
        Format::counters()
    }
}

impl Drop for Tables {
    /// Has all CPUs forget the address space before its tables go.
    fn drop(&mut self) {
        if let Format::Program(asid) = self.tables.format() {
            asid.release();
        }
    }
}

/// Sets `TTBR0_EL1` (Arm ARM D19.2.157).
#[inline]
fn set_program_root(root: PhysAddr, identifier: u16) {
    TTBR0_EL1.set(root.raw() as u64 | u64::from(identifier) << 48);
    // SAFETY:
    // 1. The lower half has no mapping that the kernel uses, so whichever program's is fine for it.
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}

const fn range(base: usize, end: usize) -> VirtRange {
    match VirtRange::between(VirtAddr::new(base), VirtAddr::new(end)) {
        Some(range) => range,
        None => panic!("the ends are whole pages in order"),
    }
}
