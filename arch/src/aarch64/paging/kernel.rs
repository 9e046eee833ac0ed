//! The kernel's half: made once, from what the boot says.

use core::sync::atomic::{AtomicUsize, Ordering};

use boot::{BootInfo, ConsoleDevice, KernelImage, MemoryKind, Section};
use syscall::{Result, Status};
use vm::addr::{PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use vm::mmu::{Access, Domain, MapFlags, MemoryType};
use vm::pages::PageDatabase;
use vm::paging::{PageTables, TopLevel};

use super::super::{cpu, firmware};
use super::format::Format;
use super::{EMPTY_ROOT, KERNEL_VMAR, PHYSMAP_BASE, Tables, activate_kernel, direct_map};
use crate::guards::parts_between;

/// The root of the kernel's half.
static ROOT: AtomicUsize = AtomicUsize::new(0);

/// The root of the kernel's half, for the CPUs that start later.
pub(crate) fn root() -> PhysAddr {
    PhysAddr::new(ROOT.load(Ordering::Relaxed))
}

/// Makes the final tables of the kernel's half and has this CPU use them; the lower half becomes empty.
///
/// In them is: all memory at [`PHYSMAP_BASE`], to read and write, except the kernel's code and constants, to
/// read only; the image, each section with its own rights, without the guard pages; the console's
/// registers, where the boot tables had them. What is answered is for the rest, [`KERNEL_VMAR`].
///
/// # Errors
/// `NO_MEMORY`: there are not enough frames for the tables.
///
/// # Safety
/// 1. It is called once, on the boot CPU, with the boot tables active and interrupts off.
/// 2. `info` and `image` are what the boot found, and `pages` describes that memory.
pub unsafe fn init(
    info: &BootInfo,
    image: &KernelImage,
    pages: &'static PageDatabase,
) -> Result<Tables> {
    firmware::init(info);
    let tables = PageTables::new(pages, KERNEL_VMAR, TopLevel::Own, Format::Kernel)?;
    let direct = direct_map::create(pages)?;
    map_memory(&direct, info, image)?;
    map_section(&tables, image.text, Access::READ | Access::EXECUTE)?;
    map_section(&tables, image.rodata, Access::READ)?;
    map_data(&tables, image)?;
    if let Some(ConsoleDevice::Pl011 { base, .. }) = info.console {
        map_console(&direct, base)?;
    }
    direct_map::install(direct, &tables);
    let empty = pages.zero_page();
    EMPTY_ROOT.store(empty.raw(), Ordering::Relaxed);
    ROOT.store(tables.root().raw(), Ordering::Relaxed);
    // SAFETY:
    // 1. The new tables map the image at the same addresses, with the rights that its code needs, and the
    //    stack that this runs on; all pointers into the direct map stay right too.
    // 2. The caller promises that the boot tables, so the identity map, are active.
    unsafe { boot::replace_kernel_tables(tables.root(), empty) };
    activate_kernel();
    Ok(Tables { tables })
}

/// Maps all memory that the boot knows at `PHYSMAP_BASE`.
fn map_memory(tables: &PageTables<Format>, info: &BootInfo, image: &KernelImage) -> Result<()> {
    let constant = PhysRange::between(
        image.text.physical_range.base(),
        image.rodata.physical_range.end(),
    )
    .ok_or(Status::INVALID_ARGS)?;
    let mut run: Option<PhysRange> = None;
    let memory = info
        .memory
        .regions()
        .iter()
        .filter(|region| region.kind != MemoryKind::Reserved);
    for range in memory.map(|region| region.range) {
        run = match run {
            Some(before) if before.end() == range.base() => {
                PhysRange::between(before.base(), range.end())
            }
            Some(before) => {
                map_run(tables, before, constant)?;
                Some(range)
            }
            None => Some(range),
        };
    }
    run.map_or(Ok(()), |run| map_run(tables, run, constant))
}

/// Maps a run of memory at `PHYSMAP_BASE`, what lies in `constant` without the right to write.
fn map_run(tables: &PageTables<Format>, run: PhysRange, constant: PhysRange) -> Result<()> {
    let data = Access::READ | Access::WRITE;
    let Some(inside) = run.intersection(constant) else {
        return map_direct(tables, Some(run), data);
    };
    map_direct(tables, PhysRange::between(run.base(), inside.base()), data)?;
    map_direct(tables, Some(inside), Access::READ)?;
    map_direct(tables, PhysRange::between(inside.end(), run.end()), data)
}

fn map_direct(tables: &PageTables<Format>, range: Option<PhysRange>, access: Access) -> Result<()> {
    let Some(range) = range else { return Ok(()) };
    let window = physmap(range.base()).and_then(|base| VirtRange::new(base, range.pages()));
    let window = window.ok_or(Status::INVALID_ARGS)?;
    let flags = flags(access, MemoryType::Cached);
    Ok(tables.map_fixed_base_pages(window, range.base(), flags)?)
}

fn map_section(tables: &PageTables<Format>, section: Section, access: Access) -> Result<()> {
    let Section {
        virtual_range,
        physical_range,
    } = section;
    Ok(tables.map_fixed(
        virtual_range,
        physical_range.base(),
        flags(access, MemoryType::Cached),
    )?)
}

/// Maps the variables, in the pieces that guard pages leave.
fn map_data(tables: &PageTables<Format>, image: &KernelImage) -> Result<()> {
    let whole = image.data.virtual_range;
    let physical = image.data.physical_range.base();
    let guards = || cpu::guard_pages().chain([image.boot_stack_guard]);
    for part in parts_between(whole, guards) {
        let offset = part
            .base()
            .checked_sub(whole.base())
            .ok_or(Status::INVALID_ARGS)?;
        let address = physical.checked_add(offset).ok_or(Status::INVALID_ARGS)?;
        let access = Access::READ | Access::WRITE;
        tables.map_fixed(part, address, flags(access, MemoryType::Cached))?;
    }
    Ok(())
}

/// Maps the page of the console's registers where the boot tables have it, so that reports stay possible.
fn map_console(tables: &PageTables<Format>, registers: PhysAddr) -> Result<()> {
    let page = registers.page_base();
    let window = physmap(page).and_then(|base| VirtRange::new(base, PageCount::new(1)));
    let window = window.ok_or(Status::INVALID_ARGS)?;
    let access = Access::READ | Access::WRITE;
    Ok(tables.map_fixed(window, page, flags(access, MemoryType::UncachedDevice))?)
}

fn physmap(address: PhysAddr) -> Option<VirtAddr> {
    PHYSMAP_BASE.checked_add(address.raw())
}

const fn flags(access: Access, memory: MemoryType) -> MapFlags {
    MapFlags {
        access,
        memory,
        domain: Domain::Kernel,
    }
}
