//! Tables as firmware writes them, and damaged ones.

extern crate std;
use std::vec::Vec;

use super::super::physical::testing::TestMemory;
use super::*;

const BASE: u64 = 0xe0000;
const DIRECTORY: u64 = BASE + 0x100;
const MADT: u64 = BASE + 0x200;
const FADT: u64 = BASE + 0x400;

/// The checksum byte of every table header.
const CHECKSUM: usize = 9;

fn checked(mut bytes: Vec<u8>, checksum: usize) -> Vec<u8> {
    bytes[checksum] = 0;
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[checksum] = sum.wrapping_neg();
    bytes
}

fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = signature.to_vec();
    bytes.extend((HEADER_BYTES + body.len() as u32).to_le_bytes());
    bytes.resize(HEADER_BYTES as usize, 0);
    bytes.extend(body);
    checked(bytes, CHECKSUM)
}

fn madt_body() -> Vec<u8> {
    let mut body = 0xfee0_0000u32.to_le_bytes().to_vec();
    body.extend(1u32.to_le_bytes());
    body.extend([0, 8, 0, 0, 1, 0, 0, 0]); // CPU with APIC 0
    body.extend([0, 8, 1, 4, 1, 0, 0, 0]); // CPU with APIC 4
    body.extend([0, 8, 2, 5, 0, 0, 0, 0]); // disabled
    body.extend([1, 12, 9, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    body.extend([2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0]);
    body
}

fn firmware(madt: &[u8]) -> TestMemory {
    let mut memory = TestMemory::new(BASE, 0x800);
    let mut root = b"RSD PTR ".to_vec();
    root.resize(36, 0);
    root[15] = 2;
    root[24..32].copy_from_slice(&DIRECTORY.to_le_bytes());
    let sum = root[..20]
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    root[8] = sum.wrapping_neg();
    memory.put(BASE, &root);
    memory.put(
        DIRECTORY,
        &table(b"XSDT", &[MADT, FADT].map(u64::to_le_bytes).concat()),
    );
    memory.put(MADT, madt);
    let mut fadt = std::vec![0; 80];
    fadt[40..44].copy_from_slice(&0x608u32.to_le_bytes());
    fadt[55] = 4;
    memory.put(FADT, &table(b"FACP", &fadt));
    memory
}

#[test]
fn cpus_controllers_and_timer_are_found_and_the_running_cpu_is_first() {
    let memory = firmware(&table(b"APIC", &madt_body()));
    let acpi = Acpi::parse(&memory, BASE, 4).expect("valid tables");
    let ids: Vec<u64> = acpi.cpus.iter().map(|cpu| cpu.hardware_id).collect();
    assert_eq!(ids, [4, 0]);
    let io = IoApic {
        address: PhysAddr::new(0xfec0_0000),
        first_line: 0,
    };
    assert_eq!(acpi.apic.io.as_slice(), [io]);
    let line = IsaOverride {
        source: 9,
        line: 9,
        active_low: true,
        level: true,
    };
    assert_eq!(acpi.apic.overrides.as_slice(), [line]);
    assert_eq!(acpi.apic.timer_port, Some(0x608));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut madt = table(b"APIC", &madt_body());
    madt[CHECKSUM] ^= 1;
    let result = Acpi::parse(&firmware(&madt), BASE, 0);
    assert_eq!(result, Err(BootError::BadTable("MADT")));
}

#[test]
fn entries_of_impossible_length_are_refused_and_end_the_walk() {
    for length in [0, 1, 200] {
        let mut body = madt_body();
        body[9] = length;
        let result = Acpi::parse(&firmware(&table(b"APIC", &body)), BASE, 0);
        assert_eq!(result, Err(BootError::BadTable("MADT")));
    }
}

#[test]
fn every_cut_and_every_flipped_byte_ends_without_a_panic() {
    let whole = firmware(&table(b"APIC", &madt_body()));
    for position in 0..whole.bytes.len() {
        let cut = TestMemory {
            base: BASE,
            bytes: whole.bytes[..position].to_vec(),
        };
        let _ = Acpi::parse(&cut, BASE, 0);
        let mut flipped = TestMemory {
            base: BASE,
            bytes: whole.bytes.clone(),
        };
        flipped.bytes[position] ^= 0xff;
        let _ = Acpi::parse(&flipped, BASE, 0);
    }
    assert!(Acpi::parse(&whole, BASE, 0).is_ok());
}
