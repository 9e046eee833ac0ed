//! Ranges far larger than memory, of which a few pages are touched, cut at odd places.

use zx::{AsHandleRef, Status, VmarFlags, Vmo, sys};

use crate::calls::{self, AllocateCall, MapCall, ProtectCall};
use crate::fixtures::{CAN_MAP_ALL, P, Probe, READ_WRITE, Region, peek, poke};
use crate::harness::{Failure, Outcome, Test, check, check_eq, tests};

pub const TESTS: &[Test] = tests![
    protecting_most_of_a_gigabyte,
    unmapping_most_of_a_gigabyte,
    unmapping_the_middle_of_a_gigabyte,
    overwriting_the_middle_of_a_gigabyte,
    a_mapping_of_a_terabyte,
    the_largest_region_that_fits,
    the_lowest_page_of_all_can_be_mapped,
    the_highest_page_of_all_can_be_mapped,
    alignments_in_an_aligned_region,
    alignments_larger_than_the_region,
];

const GIB: usize = 1 << 30;

/// What one table of the lowest level shows, plus a page, so that ranges begin in the middle of a table.
const ODD: usize = 512 * P + P;

/// A gigabyte of zeros in a region of its own, with a byte in the first, the middle and the last page.
fn gigabyte() -> Result<(Region, Vmo), Failure> {
    let region = Region::new(GIB / P)?;
    let vmo = Vmo::create(GIB as u64)?;
    region.map_at(0, &vmo, GIB / P)?;
    for (offset, value) in [(0, 5), (GIB / 2, 6), (GIB - 1, 7)] {
        poke(region.at(0) + offset, value);
    }
    Ok((region, vmo))
}

fn protecting_most_of_a_gigabyte() -> Outcome {
    let (region, vmo) = gigabyte()?;
    let call = ProtectCall {
        address: region.at(0) + ODD,
        length: GIB - ODD,
        ..ProtectCall::read_only(&region, 0)
    };
    call.make()?;
    let probe = Probe::new()?;
    for offset in [0, ODD - 1] {
        check_eq(probe.is_writable(region.at(0) + offset)?, true)?;
    }
    for offset in [ODD, GIB / 4, GIB / 2, GIB - 1] {
        check_eq(probe.is_writable(region.at(0) + offset)?, false)?;
        check_eq(probe.is_readable(region.at(0) + offset)?, true)?;
    }
    // The byte before the edge was written by the probe.
    check_eq(vmo.info()?.committed_bytes, 4 * P as u64)
}

fn unmapping_most_of_a_gigabyte() -> Outcome {
    let (region, vmo) = gigabyte()?;
    calls::unmap(region.raw_handle(), region.at(0) + ODD, GIB - ODD)?;
    let probe = Probe::new()?;
    check_eq(peek(region.at(0)), 5)?;
    check_eq(probe.is_writable(region.at(0) + ODD - 1)?, true)?;
    for offset in [ODD, GIB / 4, GIB / 2, GIB - 1] {
        check_eq(probe.is_readable(region.at(0) + offset)?, false)?;
    }
    check_eq(vmo.read_to_object::<u8>(GIB as u64 / 2)?, 6)
}

fn unmapping_the_middle_of_a_gigabyte() -> Outcome {
    let (region, _vmo) = gigabyte()?;
    calls::unmap(region.raw_handle(), region.at(0) + ODD, GIB - 2 * ODD)?;
    let probe = Probe::new()?;
    check_eq([peek(region.at(0)), peek(region.at(0) + GIB - 1)], [5, 7])?;
    for (offset, mapped) in [
        (ODD - 1, true),
        (ODD, false),
        (GIB / 2, false),
        (GIB - ODD - 1, false),
        (GIB - ODD, true),
    ] {
        check_eq(probe.is_readable(region.at(0) + offset)?, mapped)?;
    }
    check_eq(region.shape()?.len(), 3)
}

fn overwriting_the_middle_of_a_gigabyte() -> Outcome {
    let (region, _vmo) = gigabyte()?;
    let other = Vmo::create(GIB as u64)?;
    other.write(&[9], GIB as u64 / 2 - ODD as u64)?;
    let call = MapCall {
        options: READ_WRITE.bits() | sys::ZX_VM_SPECIFIC_OVERWRITE,
        vmar_offset: ODD,
        length: GIB - 2 * ODD,
        ..MapCall::one_page(&region, &other)
    };
    call.make()?;
    let bytes = [0, GIB / 2, GIB - 1].map(|offset| peek(region.at(0) + offset));
    check_eq(bytes, [5, 9, 7])
}

fn a_mapping_of_a_terabyte() -> Outcome {
    let size = 1 << 40;
    let region = Region::new(size / P)?;
    let vmo = Vmo::create(size as u64)?;
    region.map_at(0, &vmo, size / P)?;
    let offsets = [0, P, GIB - 1, GIB, 512 * GIB - 1, 512 * GIB, size - 1];
    for (value, offset) in (1..).zip(offsets) {
        poke(region.at(0) + offset, value);
    }
    for (value, offset) in (1..).zip(offsets) {
        check_eq(peek(region.at(0) + offset), value)?;
        check_eq(vmo.read_to_object::<u8>(offset as u64)?, value)?;
    }
    calls::unmap(region.raw_handle(), region.at(0), size)?;
    check_eq(vmo.info()?.num_mappings, 0)
}

fn the_largest_region_that_fits() -> Outcome {
    let root = rt::vmar_root_self();
    let all = root.info()?.len;
    let mut largest = 0;
    // The highest bits first: what fits is kept.
    for bit in (12..=all.ilog2()).rev() {
        let size = largest | 1 << bit;
        if let Ok((region, _)) = root.allocate(0, size, VmarFlags::CAN_MAP_READ) {
            largest = size;
            calls::destroy(region.raw_handle())?;
        }
    }
    check(largest >= all / 4, "a region of a quarter of all addresses")?;
    let (region, address) = root.allocate(0, largest, CAN_MAP_ALL)?;
    let vmo = Vmo::create(P as u64)?;
    for page in [0, largest / P - 1] {
        let flags = READ_WRITE | VmarFlags::SPECIFIC;
        let at = region.map(page * P, &vmo, 0, P, flags)?;
        check_eq(at, address + page * P)?;
        poke(at, 1);
    }
    let one_more = root.allocate(0, largest + P, VmarFlags::CAN_MAP_READ);
    check_eq(one_more.map(drop), Err(Status::NO_RESOURCES))?;
    calls::destroy(region.raw_handle()).map_err(Into::into)
}

fn the_lowest_page_of_all_can_be_mapped() -> Outcome {
    let root = rt::vmar_root_self();
    let info = root.info()?;
    check(info.base > 0 && info.base <= 0x20_0000, "a low base")?;
    let vmo = Vmo::create(P as u64)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    let address = match root.map(0x20_0000 - info.base, &vmo, 0, P, flags) {
        // Without randomness the program's own heap begins there.
        Err(Status::ALREADY_EXISTS) => return Ok(()),
        answer => answer?,
    };
    check_eq(address, 0x20_0000)?;
    poke(address, 1);
    check_eq(peek(address), 1)?;
    calls::unmap(root.raw_handle(), address, P).map_err(Into::into)
}

fn the_highest_page_of_all_can_be_mapped() -> Outcome {
    let root = rt::vmar_root_self();
    let info = root.info()?;
    let vmo = Vmo::create(P as u64)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    let address = match root.map(info.len - P, &vmo, 0, P, flags) {
        // The program's own stack may be there.
        Err(Status::ALREADY_EXISTS) => return Ok(()),
        answer => answer?,
    };
    check_eq(address, info.base + info.len - P)?;
    poke(address + P - 1, 1);
    check_eq(peek(address + P - 1), 1)?;
    // The gaps around it are still found.
    let (region, below) = root.allocate(0, P, VmarFlags::CAN_MAP_READ)?;
    check(below < address, "a place below")?;
    calls::destroy(region.raw_handle())?;
    calls::unmap(root.raw_handle(), address, P).map_err(Into::into)
}

/// The exponents of all alignments.
fn exponents() -> impl Iterator<Item = u32> {
    10..=32
}

fn alignments_in_an_aligned_region() -> Outcome {
    let region = Region::with_flags(8 * GIB / P, CAN_MAP_ALL | VmarFlags::ALIGN_512MB)?;
    let vmo = Vmo::create(2 * P as u64)?;
    for exponent in exponents() {
        let align = 1_usize << exponent;
        let options = exponent << sys::ZX_VM_ALIGN_BASE;
        let valid = MapCall::one_page(&region, &vmo);
        let map = MapCall {
            options: valid.options | options,
            length: 2 * P,
            ..valid
        };
        let address = map.make()?;
        check(address.is_multiple_of(align), "an aligned mapping")?;
        poke(address + P, 1);
        calls::unmap(region.raw_handle(), address, 2 * P)?;
        let allocate = AllocateCall {
            options,
            ..AllocateCall::one_page(&region)
        };
        let (child, address) = allocate.make()?;
        check(address.is_multiple_of(align), "an aligned region")?;
        calls::destroy(child.raw_handle())?;
    }
    Ok(())
}

fn alignments_larger_than_the_region() -> Outcome {
    // A region that holds no multiple of 64 KiB, one page behind one.
    let outer = Region::with_flags(16, CAN_MAP_ALL | VmarFlags::ALIGN_64KB)?;
    let region = outer.child(1, 15)?;
    let vmo = Vmo::create(P as u64)?;
    for exponent in exponents() {
        let options = exponent << sys::ZX_VM_ALIGN_BASE;
        let valid = MapCall::one_page(&region, &vmo);
        let answer = MapCall {
            options: valid.options | options,
            ..valid
        }
        .make();
        if exponent < 16 {
            calls::unmap(region.raw_handle(), answer?, P)?;
        } else {
            check_eq(answer, Err(Status::NO_RESOURCES))?;
        }
        let specific = MapCall {
            options: valid.options | options | sys::ZX_VM_SPECIFIC,
            ..valid
        };
        match specific.make() {
            Ok(address) => {
                check(exponent <= 12, "an aligned place")?;
                calls::unmap(region.raw_handle(), address, P)?;
            }
            answer => {
                check(exponent > 12, "a place that needs no more than pages")?;
                check_eq(answer, Err(Status::INVALID_ARGS))?;
            }
        }
    }
    Ok(())
}
