//! Page tables: the kernel's half, which all address spaces share, and those of programs.
//!
//! ```text
//!   0x0000_0000_0020_0000 ┬ USER          one table each
//!   0x0000_7fff_ffff_f000 ┘
//!   0xffff_8000_0000_0000 ─ PHYSMAP_BASE  all memory: read and write, never execute
//!   0xffff_c000_0000_0000 ─ KERNEL_VMAR   512 GiB of dynamic mappings: stacks, devices
//!   0xffff_ffff_8010_0000 ─ the image:    text RX, rodata R, data RW
//! ```
//!
//! The walk and the editing of tables is [`vm::paging`]'s; here are the format of entries ([`Format`]), the
//! layout, and who has to forget what (`tlb`). Upper-half entries of a program's root are copies of the
//! kernel's, made once: the tables they point to are never replaced.

mod cache;
pub(super) mod direct_map;
mod format;
pub(super) mod tlb;

use core::sync::atomic::Ordering;

use boot::{BootInfo, KernelImage, MemoryKind, Section};
use spin::Once;
use syscall::{Result, Status};
use vm::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use vm::counters::Counters;
use vm::mmu::{Access, Domain, MapFlags, MemoryType, Mmu, TlbBatch, Translation};
use vm::pages::PageDatabase;
use vm::paging::{Cursor, EntryFormat, Level, PageTables, Path, TopLevel};
use x86_64::registers::control::{Cr3, Cr3Flags};
use x86_64::structures::paging::PhysFrame;

pub use self::format::Format;
pub use boot::PHYSMAP_BASE;

use self::tlb::Scope;
use super::cpu::{self, without_interrupts};
use super::record::this_cpu;
use crate::guards::parts_between;

/// The lowest address of the kernel's half.
pub const KERNEL_BASE: VirtAddr = PHYSMAP_BASE;

/// Where programs may map. The last page of the lower half is left out: after a `syscall` in its last
/// bytes, `sysret` would fault in the kernel.
pub const USER: VirtRange = fixed_range(0x0000_0000_0020_0000, 0x0000_7fff_ffff_f000);

/// Where the kernel maps stacks, device registers and whatever else is not there from the start.
pub const KERNEL_VMAR: VirtRange = fixed_range(0xffff_c000_0000_0000, 0xffff_c080_0000_0000);

/// The end of the lower half: the addresses from here to the upper half are not canonical.
const LOWER_END: usize = 1 << 47;

/// All of the upper half that can be named by a range.
const UPPER_HALF: VirtRange = fixed_range(KERNEL_BASE.raw(), 0xffff_ffff_ffff_f000);

/// The tables of the kernel's half, once they are active.
static KERNEL_TABLES: Once<PageTables<Format>> = Once::new();

/// One set of page tables: a program's, or the kernel's.
#[derive(Debug)]
pub struct Tables(Kind);

#[derive(Debug)]
enum Kind {
    User(PageTables<Format>),
    Kernel(&'static PageTables<Format>),
}

/// Makes the final tables of the kernel's half and activates them.
///
/// # Errors
/// `NO_MEMORY`: there are not enough frames. `ALREADY_EXISTS`: the memory map overlaps itself.
///
/// # Safety
/// 1. Called once, on the boot CPU, while no other CPU runs.
/// 2. `info` and `image` describe this machine and the running kernel.
/// 3. All frames that `pages` has lie below `info.direct_map_limit`.
/// 4. Nothing below the kernel's half is in use any more.
pub unsafe fn init(
    info: &BootInfo,
    image: &KernelImage,
    pages: &'static PageDatabase,
) -> Result<Tables> {
    let tables = PageTables::new(pages, KERNEL_VMAR, TopLevel::Shared, Format)?;
    tables.fill_top(KERNEL_VMAR)?;
    map_memory(&tables, info, image)?;
    map_image(&tables, image)?;
    let tables = KERNEL_TABLES.call_once(|| tables);
    activate(tables.root());
    Ok(Tables(Kind::Kernel(tables)))
}

/// Leaves the tables of programs: only the kernel's half stays mapped.
pub fn activate_kernel() {
    activate(kernel_root());
}

/// Whether pages can be executable without being readable.
pub const fn can_execute_only() -> bool {
    false
}

/// Maps everything that is memory, and the pages through which CPUs start, at [`PHYSMAP_BASE`].
fn map_memory(tables: &PageTables<Format>, info: &BootInfo, image: &KernelImage) -> Result<()> {
    let read_only = PhysRange::between(
        image.text.physical_range.base(),
        image.rodata.physical_range.end(),
    );
    if let Some(startup) = info.startup_area {
        map_physical(tables, startup, Access::READ | Access::WRITE)?;
    }
    let mut memory = info.memory.regions().iter().filter(|region| {
        // Below the image is only what firmware keeps.
        region.kind != MemoryKind::Reserved && region.range.end() > image.text.physical_range.base()
    });
    let mut run = memory.next().map(|region| region.range);
    while let Some(current) = run {
        let next = memory.next().map(|region| region.range);
        if let Some(next) = next
            && next.base() == current.end()
        {
            run = PhysRange::between(current.base(), next.end());
            continue;
        }
        map_run(tables, current, read_only)?;
        run = next;
    }
    Ok(())
}

/// Maps `run` read and write, except the part in `read_only`: what the image protects stays protected.
fn map_run(
    tables: &PageTables<Format>,
    run: PhysRange,
    read_only: Option<PhysRange>,
) -> Result<()> {
    let writable = Access::READ | Access::WRITE;
    let Some(protected) = read_only.and_then(|range| range.intersection(run)) else {
        return map_physical(tables, run, writable);
    };
    map_physical(tables, protected, Access::READ)?;
    let around = [
        PhysRange::between(run.base(), protected.base()),
        PhysRange::between(protected.end(), run.end()),
    ];
    around
        .into_iter()
        .flatten()
        .try_for_each(|part| map_physical(tables, part, writable))
}

fn map_physical(tables: &PageTables<Format>, run: PhysRange, access: Access) -> Result<()> {
    let range = PHYSMAP_BASE
        .checked_add(run.base().raw())
        .and_then(|base| VirtRange::new(base, run.pages()))
        .ok_or(Status::NO_MEMORY)?;
    Ok(tables.map_fixed(range, run.base(), kernel_flags(access))?)
}

/// Maps the image, each section as it is meant, without the pages under its stacks.
fn map_image(tables: &PageTables<Format>, image: &KernelImage) -> Result<()> {
    map_section(tables, image.text, Access::READ | Access::EXECUTE)?;
    map_section(tables, image.rodata, Access::READ)?;
    let data = image.data;
    let guards = || cpu::guard_pages().chain([image.boot_stack_guard]);
    for part in parts_between(data.virtual_range, guards) {
        let offset = part.base().raw() - data.virtual_range.base().raw();
        let base = PhysAddr::new(data.physical_range.base().raw() + offset);
        let physical_range = PhysRange::new(base, part.pages()).ok_or(Status::NO_MEMORY)?;
        let part = Section {
            virtual_range: part,
            physical_range,
        };
        map_section(tables, part, Access::READ | Access::WRITE)?;
    }
    Ok(())
}

fn map_section(tables: &PageTables<Format>, section: Section, access: Access) -> Result<()> {
    let base = section.physical_range.base();
    Ok(tables.map_fixed(section.virtual_range, base, kernel_flags(access))?)
}

const fn kernel_flags(access: Access) -> MapFlags {
    MapFlags {
        access,
        memory: MemoryType::Cached,
        domain: Domain::Kernel,
    }
}

/// Makes `root` the tables of this CPU.
///
/// Other CPUs look at `next_root` and `active_root` to see who uses which tables; from the store to
/// the former until long after the tables are left, one of them names the root.
fn activate(root: PhysAddr) {
    without_interrupts(|| {
        let record = this_cpu();
        if record.active_root.load(Ordering::Relaxed) == root.raw() {
            return;
        }
        record.next_root.store(root.raw(), Ordering::SeqCst);
        let frame =
            PhysFrame::containing_address(x86_64::PhysAddr::new_truncate(root.raw() as u64));
        // SAFETY:
        // 1. Every root maps the kernel's half, with what runs now and its stack.
        // 2. The tables live as long as a CPU uses them, which `Mmu` asks of their owner.
        unsafe { Cr3::write(frame, Cr3Flags::empty()) };
        record.active_root.store(root.raw(), Ordering::SeqCst);
        record.next_root.store(0, Ordering::SeqCst);
    });
}

/// Notes that this CPU, which has just started, uses the kernel's tables.
pub(super) fn note_kernel_active() {
    this_cpu()
        .active_root
        .store(kernel_root().raw(), Ordering::SeqCst);
}

/// The root of the kernel's tables.
///
/// # Panics
/// If there are none yet.
pub(super) fn kernel_root() -> PhysAddr {
    kernel_tables().root()
}

fn kernel_tables() -> &'static PageTables<Format> {
    KERNEL_TABLES
        .get()
        .expect("`paging::init` comes before all that uses the kernel's tables")
}

/// The table at `address`, in the direct map.
pub(super) fn table_pointer(address: PhysAddr) -> *const u64 {
    (PHYSMAP_BASE.raw() + address.raw()) as *const u64
}

impl Tables {
    /// How the page at `address` is mapped, if it is; also in the image and the direct map.
    pub fn query(&self, address: VirtAddr) -> Option<Translation> {
        self.page_tables().query(address)
    }

    /// The way through the tables to the page at `address`; `None` if the address is not canonical, so that
    /// no table translates it.
    pub fn walk(&self, address: VirtAddr) -> Option<Path> {
        let is_canonical = address.raw() < LOWER_END || address >= KERNEL_BASE;
        is_canonical.then(|| self.page_tables().walk(address))
    }

    /// Shows `name` the manual's names of the bits that are set in `entry`, found in a table of `level`.
    pub fn name_bits(entry: u64, level: Level, name: &mut dyn FnMut(&'static str)) {
        Format::name_bits(entry, level, name);
    }

    #[inline]
    fn page_tables(&self) -> &PageTables<Format> {
        match &self.0 {
            Kind::User(tables) => tables,
            Kind::Kernel(tables) => tables,
        }
    }
}

impl Mmu for Tables {
    type Cursor<'a> = Cursor<'a, Format>;

    fn create(pages: &'static PageDatabase) -> Result<Self> {
        let tables = PageTables::new(pages, USER, TopLevel::Own, Format)?;
        tables.link_top(kernel_tables(), UPPER_HALF);
        Ok(Self(Kind::User(tables)))
    }

    #[inline]
    fn cursor(&self, range: VirtRange) -> Self::Cursor<'_> {
        self.page_tables().cursor(range)
    }

    #[inline]
    fn flush(&self, batch: TlbBatch) {
        let scope = match self.0 {
            Kind::User(_) => Scope::User,
            Kind::Kernel(_) => Scope::Kernel,
        };
        let tables = self.page_tables();
        batch.finish(tables.pages(), |stale| {
            tlb::invalidate(scope, tables.root(), stale)
        });
    }

    fn activate(&self) {
        activate(self.page_tables().root());
    }

    #[inline(always)]
    fn counters() -> &'static Counters {
        Format::counters()
    }
}

const fn fixed_range(base: usize, end: usize) -> VirtRange {
    match VirtRange::between(VirtAddr::new(base), VirtAddr::new(end)) {
        Some(range) => range,
        None => panic!("the layout has no empty ranges"),
    }
}

/// The direct map must end before what follows it.
const _: () = assert!(
    PHYSMAP_BASE.raw() + (PageCount::new(1 << 32).get() * PAGE_SIZE) <= KERNEL_VMAR.base().raw()
);
