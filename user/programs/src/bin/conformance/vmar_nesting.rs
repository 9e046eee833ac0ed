//! Regions in regions in regions, thousands deep, and regions that are full to the last page.
//!
//! The kernel may neither recurse over them nor keep anything of them.

use alloc::format;
use alloc::vec::Vec;

use programs::memory::Memory;
use zx::{AsHandleRef, Status, Vmar, VmarFlags, Vmo, sys};

use crate::calls::{self, AllocateCall, MapCall, ProtectCall};
use crate::fixtures::{CAN_MAP_ALL, P, Probe, READ_WRITE, Region, peek, poke, vmo_of};
use crate::harness::{Failure, Outcome, Test, check, check_eq, check_refused, fail, tests};

pub const TESTS: &[Test] = tests![
    deep_regions_are_listed_in_order,
    protect_reaches_the_deepest_region,
    faults_find_the_deepest_region,
    destroying_the_top_ends_all_of_them,
    destroying_the_middle_leaves_the_upper_half,
    destroying_from_the_bottom_leaves_the_top,
    unmapping_above_ends_all_of_them,
    closing_all_handles_first_changes_nothing,
    deep_regions_leave_nothing_behind,
    every_page_of_a_full_region_is_used,
    a_full_region_has_room_for_what_was_taken_out,
    a_full_region_leaves_nothing_behind,
];

/// How deep.
const DEPTH: usize = 2000;

/// How many pages a region has that is to be filled.
const PAGES: usize = 512;

/// Regions each of which fills the one before; the first is in a region of the test's own.
struct Nest {
    top: Region,
    regions: Vec<Vmar>,
}

impl Nest {
    /// A nest with one readable and writable page mapped at the bottom.
    fn new(depth: usize, vmo: &Vmo) -> Result<Self, Status> {
        let top = Region::new(1)?;
        let mut regions = Vec::with_capacity(depth);
        for _ in 0..depth {
            let parent = regions.last().unwrap_or(&*top);
            let (region, address) = parent.allocate(0, P, CAN_MAP_ALL)?;
            if address != top.at(0) {
                return Err(Status::OUT_OF_RANGE);
            }
            regions.push(region);
        }
        let bottom = regions.last().unwrap_or(&*top);
        bottom.map(0, vmo, 0, P, READ_WRITE)?;
        Ok(Self { top, regions })
    }

    fn check_dead(&self, from: usize) -> Outcome {
        for (depth, region) in self.regions.iter().enumerate().skip(from) {
            let answer = calls::destroy(region.raw_handle());
            if answer != Err(Status::BAD_STATE) {
                return fail(format!("region {depth} answers {answer:?}"));
            }
        }
        Ok(())
    }

    /// Fails unless nothing can be read any more, and the VMO knows of no mapping.
    fn check_gone(&self, vmo: &Vmo) -> Outcome {
        check_eq(Probe::new()?.is_readable(self.top.at(0))?, false)?;
        check_eq(vmo.info()?.num_mappings, 0)
    }
}

fn deep_regions_are_listed_in_order() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    let records = nest.top.info_maps_vec()?;
    check_eq(records.len(), DEPTH + 2)?;
    for (depth, record) in records.iter().enumerate() {
        let seen = (record.depth, record.base, record.size);
        check_eq(seen, (depth, nest.top.at(0), P))?;
        check_eq(record.as_mapping().is_some(), depth == DEPTH + 1)?;
    }
    Ok(())
}

fn protect_reaches_the_deepest_region() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    poke(nest.top.at(0), 1);
    let read_only = ProtectCall::read_only(&nest.top, 0);
    read_only.make()?;
    check_eq(Probe::new()?.is_writable(nest.top.at(0))?, false)?;
    let read_write = ProtectCall {
        options: READ_WRITE.bits(),
        ..read_only
    };
    nest.top
        .refuses(Status::ACCESS_DENIED, || read_write.make())?;
    let bottom = nest.regions.last().ok_or(Status::NOT_FOUND)?;
    let vmar = bottom.raw_handle();
    ProtectCall { vmar, ..read_write }.make()?;
    poke(nest.top.at(0), 2);
    check_eq(peek(nest.top.at(0)), 2)
}

fn faults_find_the_deepest_region() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    vmo.write(&[7], 0)?;
    check_eq(peek(nest.top.at(0)), 7)
}

fn destroying_the_top_ends_all_of_them() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    poke(nest.top.at(0), 1);
    calls::destroy(nest.top.raw_handle())?;
    nest.check_dead(0)?;
    nest.check_gone(&vmo)
}

fn destroying_the_middle_leaves_the_upper_half() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    poke(nest.top.at(0), 1);
    let middle = nest.regions.get(DEPTH / 2).ok_or(Status::NOT_FOUND)?;
    calls::destroy(middle.raw_handle())?;
    nest.check_dead(DEPTH / 2)?;
    nest.check_gone(&vmo)?;
    check_eq(nest.top.info_maps_vec()?.len(), DEPTH / 2 + 1)?;
    let above = nest.regions.get(DEPTH / 2 - 1).ok_or(Status::NOT_FOUND)?;
    check_eq(above.map(0, &vmo, 0, P, READ_WRITE), Ok(nest.top.at(0)))
}

fn destroying_from_the_bottom_leaves_the_top() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    for region in nest.regions.iter().rev() {
        calls::destroy(region.raw_handle())?;
    }
    nest.check_gone(&vmo)?;
    check_eq(nest.top.shape()?.len(), 1)
}

fn unmapping_above_ends_all_of_them() -> Outcome {
    let vmo = vmo_of(1)?;
    let nest = Nest::new(DEPTH, &vmo)?;
    poke(nest.top.at(0), 1);
    calls::unmap(nest.top.raw_handle(), nest.top.at(0), P)?;
    nest.check_dead(0)?;
    nest.check_gone(&vmo)?;
    check_eq(nest.top.shape()?.len(), 1)
}

fn closing_all_handles_first_changes_nothing() -> Outcome {
    let vmo = vmo_of(1)?;
    let Nest { top, regions } = Nest::new(DEPTH, &vmo)?;
    drop(regions);
    poke(top.at(0), 5);
    check_eq(peek(top.at(0)), 5)?;
    check_eq(top.info_maps_vec()?.len(), DEPTH + 2)?;
    calls::destroy(top.raw_handle())?;
    check_eq(vmo.info()?.num_mappings, 0)
}

/// Runs `work` once, which brings all heaps to their size, and then again, and compares what is held.
fn leaves_nothing(work: fn() -> Outcome) -> Outcome {
    work()?;
    let before = Memory::measure()?;
    work()?;
    Memory::measure()?.compare(&before).or_else(fail)
}

fn deep_regions_leave_nothing_behind() -> Outcome {
    leaves_nothing(destroying_the_top_ends_all_of_them)?;
    leaves_nothing(destroying_from_the_bottom_leaves_the_top)?;
    leaves_nothing(closing_all_handles_first_changes_nothing)
}

/// Fills a region with single pages, mappings and regions in turn, and returns the addresses of the mappings.
fn fill(region: &Region, vmo: &Vmo) -> Result<Vec<usize>, Failure> {
    let mut mapped = Vec::new();
    for number in 0..PAGES {
        if number % 4 == 3 {
            AllocateCall::one_page(region).make()?;
        } else {
            let call = MapCall {
                vmo_offset: (number * P) as u64,
                ..MapCall::one_page(region, vmo)
            };
            mapped.push(call.make()?);
        }
    }
    Ok(mapped)
}

/// Fails unless no page is left in the region, for either kind of call.
fn check_full(region: &Region, vmo: &Vmo) -> Outcome {
    check_refused(MapCall::one_page(region, vmo).make(), Status::NO_RESOURCES)?;
    check_refused(AllocateCall::one_page(region).make(), Status::NO_RESOURCES)?;
    let below_the_end = MapCall {
        options: sys::ZX_VM_PERM_READ | sys::ZX_VM_OFFSET_IS_UPPER_LIMIT,
        vmar_offset: PAGES * P,
        ..MapCall::one_page(region, vmo)
    };
    check_refused(below_the_end.make(), Status::NO_RESOURCES)
}

fn every_page_of_a_full_region_is_used() -> Outcome {
    for flags in [CAN_MAP_ALL, CAN_MAP_ALL | VmarFlags::COMPACT] {
        let region = Region::with_flags(PAGES, flags)?;
        let vmo = vmo_of(PAGES)?;
        let mut mapped = fill(&region, &vmo)?;
        check_full(&region, &vmo)?;
        mapped.sort_unstable();
        mapped.dedup();
        check_eq(mapped.len(), PAGES - PAGES / 4)?;
        let inside = |address: &usize| (region.at(0)..region.at(PAGES)).contains(address);
        check(mapped.iter().all(inside), "places in the region")?;
    }
    Ok(())
}

fn a_full_region_has_room_for_what_was_taken_out() -> Outcome {
    let region = Region::new(PAGES)?;
    let vmo = vmo_of(PAGES)?;
    let mapped = fill(&region, &vmo)?;
    let taken_out: Vec<_> = mapped.iter().copied().step_by(3).collect();
    for &address in &taken_out {
        calls::unmap(region.raw_handle(), address, P)?;
    }
    let mut again = Vec::new();
    for _ in &taken_out {
        again.push(MapCall::one_page(&region, &vmo).make()?);
    }
    check_full(&region, &vmo)?;
    let mut expected = taken_out;
    again.sort_unstable();
    expected.sort_unstable();
    check(again == expected, "exactly the pages that were taken out")
}

fn a_full_region_leaves_nothing_behind() -> Outcome {
    leaves_nothing(a_full_region_has_room_for_what_was_taken_out)
}
