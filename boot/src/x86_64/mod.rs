//! x86_64: PVH and multiboot2.
//!
//! Both protocols enter in 32-bit protected mode without paging and hand over one pointer. `entry.s`
//! switches to long mode under temporary tables:
//!
//! ```text
//!   0x0000_0000_0000_0000   the first 4 GiB (identity), until the final tables are active
//!   0xffff_8000_0000_0000   the first 4 GiB (direct map)
//!   0xffff_ffff_8000_0000   the first 2 GiB (where the image is linked)
//! ```

mod acpi;
#[cfg(target_os = "none")]
mod entry;
mod loader;
mod multiboot2;
mod physical;
mod pvh;

use vm::addr::{PageCount, PhysAddr, PhysRange, VirtAddr};

use self::acpi::Acpi;
use self::loader::LoaderInfo;
use self::physical::PhysicalMemory;
use crate::info::{BootError, BootInfo, ConsoleDevice, InterruptController};
use crate::memory_map::{MemoryKind, MemoryMap};

/// Where physical address 0 appears: the lowest address of the upper half.
pub const PHYSMAP_BASE: VirtAddr = VirtAddr::new(0xffff_8000_0000_0000);

/// How far the temporary direct map reaches.
const DIRECT_MAP_LIMIT: PhysAddr = PhysAddr::new(1 << 32);

/// The distance from where the image is linked to where it is loaded, as in `kernel.ld`.
#[cfg(target_os = "none")]
const IMAGE_OFFSET: usize = 0xffff_ffff_8000_0000;

/// The first serial port of a PC.
const COM1: u16 = 0x3f8;

/// Firmware keeps its own things below this address, and CPUs start below it.
const LOW_MEMORY_BYTES: u64 = 1 << 20;

/// What starting a CPU needs below [`LOW_MEMORY_BYTES`]: its first code and three page tables.
const STARTUP_AREA: PageCount = PageCount::new(4);

/// Which protocol started the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// Xen's PVH, which QEMU's `-kernel` speaks.
    Pvh,
    /// Multiboot2, which GRUB speaks.
    Multiboot2,
}

/// What the entry passes to the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Handoff {
    /// Who started us.
    pub protocol: Protocol,
    /// Where its information structure lies.
    pub information: PhysAddr,
    /// The time stamp counter at the kernel's first instruction.
    pub first_tick: u64,
}

/// The serial port: every machine that we run on has it, and no table would be easier to reach.
pub(crate) fn console(_handoff: &Handoff) -> Option<ConsoleDevice> {
    Some(ConsoleDevice::Uart16550 { port: COM1 })
}

#[cfg(target_os = "none")]
pub(crate) fn discover(handoff: &Handoff) -> Result<BootInfo, BootError> {
    let memory = physical::DirectMap;
    let image = crate::image().physical_range().ok_or(BootError::NoMemory)?;
    describe(&memory, handoff, image, running_cpu())
}

#[cfg(not(target_os = "none"))]
pub(crate) fn discover(_handoff: &Handoff) -> Result<BootInfo, BootError> {
    Err(BootError::NoMemory)
}

#[cfg(target_os = "none")]
pub(crate) fn image_physical_address(address: VirtAddr) -> PhysAddr {
    PhysAddr::new(address.raw() - IMAGE_OFFSET)
}

/// The APIC identifier of this CPU (Intel SDM 2A, CPUID leaf 1, EBX).
#[cfg(target_os = "none")]
fn running_cpu() -> u64 {
    u64::from(core::arch::x86_64::__cpuid(1).ebx >> 24)
}

/// Puts together what loader and firmware say.
#[cfg_attr(
    not(any(target_os = "none", test)),
    expect(dead_code, reason = "runs on the machine")
)]
fn describe(
    memory: &impl PhysicalMemory,
    handoff: &Handoff,
    image: PhysRange,
    running_cpu: u64,
) -> Result<BootInfo, BootError> {
    let information = handoff.information.raw() as u64;
    let mut loader = match handoff.protocol {
        Protocol::Pvh => pvh::parse(memory, information)?,
        Protocol::Multiboot2 => multiboot2::parse(memory, information)?,
    };
    let acpi = match loader.acpi_root {
        Some(root) => Acpi::parse(memory, root, running_cpu)?,
        None => Acpi::absent(running_cpu),
    };
    let startup_area = claim(&mut loader, image)?;
    Ok(BootInfo {
        memory: loader.memory,
        initrd: loader.initrd,
        command_line: loader.command_line,
        cpus: acpi.cpus,
        console: console(handoff),
        interrupt_controller: InterruptController::Apic(acpi.apic),
        psci: None,
        timer_line: None,
        acpi_root: loader
            .acpi_root
            .and_then(|root| usize::try_from(root).ok())
            .map(PhysAddr::new),
        device_tree: None,
        startup_area,
        direct_map_limit: DIRECT_MAP_LIMIT,
    })
}

/// Marks what is in use in the memory map, and finds the pages through which CPUs start.
fn claim(loader: &mut LoaderInfo, image: PhysRange) -> Result<Option<PhysRange>, BootError> {
    let memory = &mut loader.memory;
    memory.add(
        image.base().raw() as u64,
        image.bytes() as u64,
        MemoryKind::Kernel,
    )?;
    if let Some(initrd) = loader.initrd {
        memory.add(
            initrd.address.raw() as u64,
            initrd.bytes as u64,
            MemoryKind::Initrd,
        )?;
    }
    // GRUB may put the initrd into low memory, so only now is it known what is free there.
    let startup_area = startup_area(memory);
    memory.add(0, LOW_MEMORY_BYTES, MemoryKind::Reserved)?;
    match memory.of_kind(MemoryKind::Usable).next() {
        Some(_) => Ok(startup_area),
        None => Err(BootError::NoMemory),
    }
}

/// Free pages in low memory, without page 0.
fn startup_area(memory: &MemoryMap) -> Option<PhysRange> {
    let low = PhysRange::between(
        PhysAddr::new(0x1000),
        PhysAddr::new(LOW_MEMORY_BYTES as usize),
    )?;
    let mut free = memory
        .of_kind(MemoryKind::Usable)
        .filter_map(|range| range.intersection(low));
    let fitting = free.find(|range| range.pages() >= STARTUP_AREA)?;
    PhysRange::new(fitting.base(), STARTUP_AREA)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use arrayvec::ArrayVec;

    use super::physical::testing::TestMemory;
    use super::*;

    const M: u64 = 1 << 20;

    /// A PVH machine with 64 MiB and an initrd at the top of it.
    fn machine() -> TestMemory {
        let mut memory = TestMemory::new(0x8000, 0x1000);
        memory.put(0x8000, &0x336e_c578u32.to_le_bytes());
        memory.put(0x8004, &1u32.to_le_bytes());
        memory.put(0x800c, &1u32.to_le_bytes());
        memory.put(0x8010, &0x8100u64.to_le_bytes());
        memory.put(0x8028, &0x8200u64.to_le_bytes());
        memory.put(0x8030, &2u32.to_le_bytes());
        memory.put(0x8100, &[63 * M, 100].map(u64::to_le_bytes).concat());
        memory.put(
            0x8200,
            &[0, 0x9_fc00, 1, M, 63 * M, 1]
                .map(u64::to_le_bytes)
                .concat(),
        );
        memory
    }

    fn described(memory: &TestMemory) -> Result<BootInfo, BootError> {
        let handoff = Handoff {
            protocol: Protocol::Pvh,
            information: PhysAddr::new(0x8000),
            first_tick: 0,
        };
        let image = PhysRange::new(PhysAddr::new(M as usize), PageCount::new(256));
        describe(memory, &handoff, image.expect("a valid range"), 0)
    }

    #[test]
    fn usable_memory_excludes_low_memory_the_image_and_the_initrd() {
        let info = described(&machine()).expect("a valid machine");
        let usable: ArrayVec<PhysRange, 4> = info.memory.of_kind(MemoryKind::Usable).collect();
        let all = PhysRange::between(PhysAddr::new(2 << 20), PhysAddr::new(63 << 20));
        let rest = PhysRange::between(PhysAddr::new((63 << 20) + 0x1000), PhysAddr::new(64 << 20));
        assert_eq!(
            usable.as_slice(),
            [all.expect("valid"), rest.expect("valid")]
        );
        assert_eq!(
            info.startup_area.map(|area| area.base().raw()),
            Some(0x1000)
        );
        assert_eq!(info.cpus.len(), 1);
    }

    #[test]
    fn cpus_do_not_start_through_an_initrd_in_low_memory() {
        let mut memory = machine();
        memory.put(0x8100, &[0x2000u64, 0x1800].map(u64::to_le_bytes).concat());
        let info = described(&memory).expect("a valid machine");
        assert_eq!(
            info.startup_area.map(|area| area.base().raw()),
            Some(0x4000)
        );
    }

    #[test]
    fn a_machine_without_usable_memory_is_refused() {
        let mut memory = machine();
        memory.put(0x8030, &1u32.to_le_bytes());
        assert!(matches!(described(&memory), Err(BootError::NoMemory)));
    }
}
