//! Device trees as firmware makes them, and broken ones.

extern crate std;

use std::string::String;
use std::vec::Vec;

use dtoolkit::ToPropertyValue;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use proptest::prelude::*;

use super::*;

const BOOT_CPU: CpuDescription = CpuDescription { hardware_id: 1 };

struct Builder(DeviceTreeNode);

fn node(name: &str) -> Builder {
    Builder(DeviceTreeNode::new(String::from(name)).expect("a valid name"))
}

impl Builder {
    fn with<T: ToPropertyValue>(mut self, name: &str, value: T) -> Self {
        let property = DeviceTreeProperty::new(String::from(name), value).expect("a valid name");
        self.0.add_property(property);
        self
    }

    fn child(mut self, child: Builder) -> Self {
        self.0.add_child(child.0);
        self
    }
}

fn cells(values: &[u32]) -> &[u32] {
    values
}

fn cpu(name: &str, id: u32, method: &str) -> Builder {
    node(name)
        .with("reg", cells(&[id]))
        .with("enable-method", method)
}

fn gic_v3() -> Builder {
    node("intc@8000000").with("compatible", "arm,gic-v3").with(
        "reg",
        cells(&[0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0xf6_0000]),
    )
}

/// A machine with 256 MiB, two CPUs, a UART and the given interrupt controller.
fn machine(controller: Builder) -> DeviceTree {
    let mut tree = DeviceTree::new();
    let root = node("")
        .with("#address-cells", 2u32)
        .with("#size-cells", 2u32)
        .child(
            node("chosen")
                .with("bootargs", "init=bin/tour")
                .with("linux,initrd-start", 0x4800_0000u32)
                .with("linux,initrd-end", 0x4800_0123u64)
                .with("stdout-path", "serial0:115200n8"),
        )
        .child(node("aliases").with("serial0", "/pl011@9000000"))
        .child(node("memory@40000000").with("reg", cells(&[0, 0x4000_0000, 0, 0x1000_0000])))
        .child(
            node("cpus")
                .with("#address-cells", 1u32)
                .with("#size-cells", 0u32)
                .child(cpu("cpu@0", 0, "psci"))
                .child(cpu("cpu@1", 1, "psci"))
                .child(cpu("cpu@2", 2, "spin-table")),
        )
        .child(
            node("psci")
                .with("compatible", "arm,psci-0.2")
                .with("method", "smc"),
        )
        .child(node("timer").with("compatible", "arm,armv8-timer").with(
            "interrupts",
            cells(&[1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]),
        ))
        .child(
            node("pl011@9000000")
                .with("compatible", "arm,pl011")
                .with("reg", cells(&[0, 0x900_0000, 0, 0x1000]))
                .with("interrupts", cells(&[0, 1, 4])),
        )
        .child(controller);
    tree.root = root.0;
    tree
}

fn discovered(tree: &DeviceTree) -> Result<BootInfo, BootError> {
    discover(&tree.to_dtb(), BOOT_CPU)
}

#[test]
fn a_whole_machine_is_understood() {
    let info = discovered(&machine(gic_v3())).expect("a good tree");
    let initrd = Initrd {
        address: PhysAddr::new(0x4800_0000),
        bytes: 0x123,
    };
    assert_eq!(info.initrd, Some(initrd));
    assert_eq!(info.command_line.as_str(), "init=bin/tour");
    let usable: Vec<_> = info.memory.of_kind(MemoryKind::Usable).collect();
    assert_eq!(usable.len(), 2);
    assert_eq!(usable[0].end(), initrd.address);
    assert_eq!(usable[1].end(), PhysAddr::new(0x5000_0000));
    assert_eq!(info.psci, Some(PsciConduit::Smc));
    assert_eq!(info.timer_line, Some(27));
    let uart = ConsoleDevice::Pl011 {
        base: PhysAddr::new(0x900_0000),
        line: Some(33),
    };
    assert_eq!(info.console, Some(uart));
    let controller = InterruptController::GicV3 {
        distributor: PhysAddr::new(0x800_0000),
        redistributors: PhysAddr::new(0x80a_0000),
        redistributors_bytes: 0xf6_0000,
    };
    assert_eq!(info.interrupt_controller, controller);
}

#[test]
fn the_boot_cpu_comes_first_and_only_cpus_that_psci_starts_follow() {
    let info = discovered(&machine(gic_v3())).expect("a good tree");
    let ids: Vec<u64> = info.cpus.iter().map(|cpu| cpu.hardware_id).collect();
    assert_eq!(ids, [1, 0]);
}

#[test]
fn an_older_interrupt_controller_is_understood() {
    let controller = node("intc@8000000")
        .with("compatible", "arm,cortex-a15-gic")
        .with(
            "reg",
            cells(&[0, 0x800_0000, 0, 0x1_0000, 0, 0x801_0000, 0, 0x1_0000]),
        );
    let info = discovered(&machine(controller)).expect("a good tree");
    let expected = InterruptController::GicV2 {
        distributor: PhysAddr::new(0x800_0000),
        cpu: PhysAddr::new(0x801_0000),
    };
    assert_eq!(info.interrupt_controller, expected);
}

#[test]
fn what_is_missing_is_named() {
    let unknown = node("intc@8000000").with("compatible", "acme,controller");
    assert_eq!(
        discovered(&machine(unknown)).err(),
        Some(BootError::MissingTable("interrupt controller"))
    );
    let mut tree = machine(gic_v3());
    tree.root.remove_child("memory@40000000");
    assert_eq!(discovered(&tree).err(), Some(BootError::NoMemory));
    assert_eq!(
        discover(b"no tree at all", BOOT_CPU).err(),
        Some(BootError::BadTable("device tree"))
    );
}

#[test]
fn reserved_memory_is_not_usable() {
    let mut tree = machine(gic_v3());
    let reserved = node("reserved-memory")
        .with("#address-cells", 2u32)
        .with("#size-cells", 2u32)
        .child(node("firmware@40000000").with("reg", cells(&[0, 0x4000_0000, 0, 0x8_0000])));
    tree.root.add_child(reserved.0);
    let info = discovered(&tree).expect("a good tree");
    let first = info.memory.of_kind(MemoryKind::Usable).next();
    assert_eq!(
        first.map(|range| range.base()),
        Some(PhysAddr::new(0x4008_0000))
    );
}

#[test]
fn an_initrd_that_ends_before_it_begins_is_an_error() {
    let mut tree = machine(gic_v3());
    let chosen = tree.find_node_mut("/chosen").expect("built above");
    let end = chosen.property_mut("linux,initrd-end");
    end.expect("built above").set_value(0x4000_0000u32);
    assert_eq!(
        discovered(&tree).err(),
        Some(BootError::BadTable("linux,initrd-end"))
    );
}

#[test]
fn only_a_header_with_the_magic_number_and_a_sane_length_is_a_tree() {
    let bytes = machine(gic_v3()).to_dtb();
    let header: [u8; 8] = bytes[..8].try_into().expect("eight bytes");
    assert_eq!(total_bytes(&header), Some(bytes.len()));
    assert_eq!(total_bytes(&[0; 8]), None);
    let mut long = header;
    long[4] = 0xff;
    assert_eq!(total_bytes(&long), None);
}

proptest! {
    #[test]
    fn damaged_trees_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = machine(gic_v3()).to_dtb();
        for (index, value) in changes {
            let place = index.index(bytes.len());
            bytes[place] = value;
        }
        let _ = discover(&bytes, BOOT_CPU);
        let _ = console(&bytes);
        let _ = discover(&bytes[..length.index(bytes.len())], BOOT_CPU);
    }
}
