//! The flattened device tree (Devicetree Specification 0.4, and the Linux bindings it refers to).
//!
//! Takes the bytes of a tree, however damaged, and fills in what [`BootInfo`] wants. Devices are
//! looked for directly under the root, where their addresses are physical addresses.

use arrayvec::{ArrayString, ArrayVec};
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};
use vm::addr::PhysAddr;

use crate::info::{
    BootError, BootInfo, ConsoleDevice, CpuDescription, Initrd, InterruptController, MAX_CPUS,
    PsciConduit,
};
use crate::memory_map::{MemoryKind, MemoryMap};

/// A base address and a length in bytes.
type Registers = (u64, u64);

/// The bytes of a device tree that its header admits to; `None` if `header` does not begin one.
pub(crate) fn total_bytes(header: &[u8; 8]) -> Option<usize> {
    let [m0, m1, m2, m3, b0, b1, b2, b3] = *header;
    let is_tree = u32::from_be_bytes([m0, m1, m2, m3]) == MAGIC;
    let bytes = usize::try_from(u32::from_be_bytes([b0, b1, b2, b3])).ok()?;
    (is_tree && bytes <= MAX_BYTES).then_some(bytes)
}

/// `FDT_MAGIC`, the first word of every tree.
const MAGIC: u32 = 0xd00d_feed;

/// No tree is as large as this; what says so is damaged.
const MAX_BYTES: usize = 16 << 20;

/// The console that `/chosen` names, or else the first UART of the kind we know.
pub(crate) fn console(bytes: &[u8]) -> Option<ConsoleDevice> {
    let tree = Fdt::new(bytes).ok()?;
    let node = chosen_console(tree).or_else(|| find_compatible(tree, &["arm,pl011"]))?;
    let (base, _) = registers(node, 0)?;
    Some(ConsoleDevice::Pl011 {
        base: physical(base)?,
        line: interrupt(node, 0),
    })
}

/// Everything that the tree in `bytes` says; `boot_cpu` is the CPU that will be listed first.
///
/// # Errors
/// - [`BootError::BadTable`]: the bytes are not a device tree, or a part of it makes no sense.
/// - [`BootError::MissingTable`]: something that the kernel cannot do without is not described.
/// - [`BootError::TooManyRegions`], [`BootError::NoMemory`]: see [`MemoryMap`].
pub(crate) fn discover(bytes: &[u8], boot_cpu: CpuDescription) -> Result<BootInfo, BootError> {
    let tree = Fdt::new(bytes).map_err(|_| BootError::BadTable("device tree"))?;
    let initrd = initrd(tree)?;
    Ok(BootInfo {
        memory: memory(tree, initrd)?,
        initrd,
        command_line: command_line(tree),
        cpus: cpus(tree, boot_cpu),
        console: console(bytes),
        interrupt_controller: interrupt_controller(tree)?,
        psci: psci(tree),
        timer_line: timer_line(tree),
        acpi_root: None,
        device_tree: None,
        direct_map_limit: PhysAddr::default(),
        startup_area: None,
    })
}

fn memory(tree: Fdt<'_>, initrd: Option<Initrd>) -> Result<MemoryMap, BootError> {
    let mut map = MemoryMap::new();
    for node in tree.root().children() {
        if node.name_without_address() == "memory" {
            for (base, bytes) in all_registers(node) {
                map.add(base, bytes, MemoryKind::Usable)?;
            }
        }
    }
    for reservation in tree.memory_reservations() {
        let (base, bytes) = (reservation.address(), reservation.size());
        map.add(base, bytes, MemoryKind::Reserved)?;
    }
    if let Some(reserved) = tree.find_node("/reserved-memory") {
        for node in reserved.children() {
            for (base, bytes) in all_registers(node) {
                map.add(base, bytes, MemoryKind::Reserved)?;
            }
        }
    }
    if let Some(initrd) = initrd {
        let base = initrd.address.raw() as u64;
        map.add(base, initrd.bytes as u64, MemoryKind::Initrd)?;
    }
    if map.of_kind(MemoryKind::Usable).next().is_none() {
        return Err(BootError::NoMemory);
    }
    Ok(map)
}

/// Reads `linux,initrd-start` and `-end`, each of one or two cells.
fn initrd(tree: Fdt<'_>) -> Result<Option<Initrd>, BootError> {
    let Some(chosen) = tree.find_node("/chosen") else {
        return Ok(None);
    };
    let edge = |name| number(chosen.property(name)?.value());
    let (start, end) = (edge("linux,initrd-start"), edge("linux,initrd-end"));
    let (Some(start), Some(end)) = (start, end) else {
        return Ok(None);
    };
    let bytes = end.checked_sub(start).map(usize::try_from);
    match (physical(start), bytes) {
        (Some(address), Some(Ok(bytes))) => Ok(Some(Initrd { address, bytes })),
        _ => Err(BootError::BadTable("linux,initrd-end")),
    }
}

/// `bootargs`, cut where it becomes too long.
fn command_line<const N: usize>(tree: Fdt<'_>) -> ArrayString<N> {
    let mut line = ArrayString::new();
    let chosen = tree.find_node("/chosen");
    let property = chosen.and_then(|chosen| chosen.property("bootargs"));
    let text = property.and_then(|property| property.value_as::<&str>().ok());
    for character in text.unwrap_or_default().chars() {
        if line.try_push(character).is_err() {
            break;
        }
    }
    line
}

/// `boot_cpu`, and the others that PSCI can start.
fn cpus(tree: Fdt<'_>, boot_cpu: CpuDescription) -> ArrayVec<CpuDescription, MAX_CPUS> {
    let mut list = ArrayVec::from_iter([boot_cpu]);
    let Some(parent) = tree.find_node("/cpus") else {
        return list;
    };
    for node in parent.children() {
        if node.name_without_address() != "cpu" || text(node, "enable-method") != Some("psci") {
            continue;
        }
        let Some(hardware_id) = node.property("reg").and_then(|reg| number(reg.value())) else {
            continue;
        };
        let cpu = CpuDescription { hardware_id };
        if list.contains(&cpu) {
            continue;
        }
        if list.try_push(cpu).is_err() {
            break;
        }
    }
    list
}

fn interrupt_controller(tree: Fdt<'_>) -> Result<InterruptController, BootError> {
    let missing = BootError::MissingTable("interrupt controller");
    if let Some(node) = find_compatible(tree, &["arm,gic-v3"]) {
        let (distributor, _) = registers(node, 0).ok_or(missing)?;
        let (redistributors, bytes) = registers(node, 1).ok_or(missing)?;
        return Ok(InterruptController::GicV3 {
            distributor: physical(distributor).ok_or(missing)?,
            redistributors: physical(redistributors).ok_or(missing)?,
            redistributors_bytes: usize::try_from(bytes).map_err(|_| missing)?,
        });
    }
    let node = find_compatible(tree, &["arm,cortex-a15-gic", "arm,gic-400"]).ok_or(missing)?;
    let base = |index| physical(registers(node, index)?.0);
    Ok(InterruptController::GicV2 {
        distributor: base(0).ok_or(missing)?,
        cpu: base(1).ok_or(missing)?,
    })
}

fn psci(tree: Fdt<'_>) -> Option<PsciConduit> {
    let node = find_compatible(tree, &["arm,psci-1.0", "arm,psci-0.2"])?;
    match text(node, "method") {
        Some("hvc") => Some(PsciConduit::Hvc),
        Some("smc") => Some(PsciConduit::Smc),
        _ => None,
    }
}

/// The interrupt of the virtual timer: the third of the generic timer's list.
fn timer_line(tree: Fdt<'_>) -> Option<u32> {
    interrupt(find_compatible(tree, &["arm,armv8-timer"])?, 2)
}

/// The node that `stdout-path` names, by path or by alias, if it is a UART of the kind we know.
fn chosen_console(tree: Fdt<'_>) -> Option<FdtNode<'_>> {
    let named = text(tree.find_node("/chosen")?, "stdout-path")?;
    // What follows a colon is the line speed.
    let named = named.split(':').next()?;
    let path = if named.starts_with('/') {
        named
    } else {
        text(tree.find_node("/aliases")?, named)?
    };
    let node = tree.find_node(path)?;
    is_compatible(node, &["arm,pl011"]).then_some(node)
}

fn find_compatible<'a>(tree: Fdt<'a>, names: &[&str]) -> Option<FdtNode<'a>> {
    let mut devices = tree.root().children();
    devices.find(|node| is_compatible(*node, names))
}

fn is_compatible(node: FdtNode<'_>, names: &[&str]) -> bool {
    node.compatible()
        .is_some_and(|mut own| own.any(|name| names.contains(&name)))
}

fn text<'a>(node: FdtNode<'a>, property: &str) -> Option<&'a str> {
    node.properties()
        .find(|candidate| candidate.name() == property)?
        .value_as::<&'a str>()
        .ok()
}

/// All entries of `reg`; none if it is absent or damaged.
fn all_registers(node: FdtNode<'_>) -> impl Iterator<Item = Registers> + '_ {
    let entries = node.reg().ok().flatten();
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.address().ok()?, entry.size().ok()?)))
}

fn registers(node: FdtNode<'_>, index: usize) -> Option<Registers> {
    all_registers(node).nth(index)
}

/// The GIC's number of the `index`-th interrupt of `node` (binding `arm,gic`: kind, number, flags).
fn interrupt(node: FdtNode<'_>, index: usize) -> Option<u32> {
    const FIRST_SHARED: u32 = 32;
    const FIRST_PRIVATE: u32 = 16;
    let property = node.property("interrupts")?;
    let cells: &[u8] = property.value().chunks_exact(12).nth(index)?;
    let kind = number(cells.get(0..4)?)?;
    let number = u32::try_from(number(cells.get(4..8)?)?).ok()?;
    match kind {
        0 => number.checked_add(FIRST_SHARED),
        1 => number.checked_add(FIRST_PRIVATE),
        _ => None,
    }
}

/// A number of one or two big-endian cells.
fn number(bytes: &[u8]) -> Option<u64> {
    match bytes.len() {
        4 => Some(u64::from(u32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(u64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

fn physical(address: u64) -> Option<PhysAddr> {
    usize::try_from(address).ok().map(PhysAddr::new)
}

#[cfg(test)]
#[path = "device_tree/tests.rs"]
mod tests;
