//! `MAP_RANGE`: what is present is entered at once, and nothing else changes.

use zx::{AsHandleRef, Status, VmarFlags, sys};

use super::{READ, SPECIFIC, WRITE};
use crate::calls::{self, MapCall, ProtectCall};
use crate::fixtures::{P, Probe, Region, numbered_vmo, peek, poke, resizable_vmo_of, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    shows_what_is_there,
    commits_nothing,
    begins_at_any_page_of_the_vmo,
    gives_no_more_than_the_permissions,
    gives_nothing_without_permissions,
    ends_with_the_vmo,
    follows_the_vmo_as_it_grows_and_shrinks,
    rounds_the_length_up,
    writes_reach_the_vmo,
    crosses_page_tables,
    refuses_what_a_mapping_without_it_refuses,
    leaves_nothing_behind_when_the_place_is_taken,
];

const MAP_RANGE: u32 = sys::ZX_VM_MAP_RANGE;

fn shows_what_is_there() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    let call = MapCall {
        options: READ | MAP_RANGE,
        length: 4 * P,
        ..MapCall::one_page(&region, &vmo)
    };
    call.make()?;
    check_eq([0, 1, 2, 3].map(|page| peek(region.at(page))), [1, 2, 3, 4])
}

fn commits_nothing() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    vmo.write(&[9], 2 * P as u64)?;
    let call = MapCall {
        options: READ | WRITE | MAP_RANGE,
        length: 4 * P,
        ..MapCall::one_page(&region, &vmo)
    };
    call.make()?;
    check_eq(vmo.info()?.committed_bytes, P as u64)?;
    check_eq([0, 1, 2, 3].map(|page| peek(region.at(page))), [0, 0, 9, 0])?;
    check_eq(vmo.info()?.committed_bytes, P as u64)
}

fn begins_at_any_page_of_the_vmo() -> Outcome {
    for first in 0..4 {
        let region = Region::new(1)?;
        let vmo = numbered_vmo(4, 1)?;
        let call = MapCall {
            options: READ | MAP_RANGE,
            vmo_offset: first * P as u64,
            ..MapCall::one_page(&region, &vmo)
        };
        check_eq(u64::from(peek(call.make()?)), first + 1)?;
    }
    Ok(())
}

fn gives_no_more_than_the_permissions() -> Outcome {
    let region = Region::new(2)?;
    let vmo = numbered_vmo(2, 1)?;
    let call = MapCall {
        options: READ | MAP_RANGE,
        length: 2 * P,
        ..MapCall::one_page(&region, &vmo)
    };
    let address = call.make()?;
    let probe = Probe::new()?;
    check_eq(probe.is_writable(address)?, false)?;
    check_eq(vmo.read_to_object::<u8>(0)?, 1)
}

fn gives_nothing_without_permissions() -> Outcome {
    let region = Region::new(1)?;
    let vmo = numbered_vmo(4, 1)?;
    let call = MapCall {
        options: MAP_RANGE,
        vmo_offset: 2 * P as u64,
        ..MapCall::one_page(&region, &vmo)
    };
    let address = call.make()?;
    let probe = Probe::new()?;
    check_eq(probe.is_readable(address)?, false)?;
    check_eq(probe.is_writable(address)?, false)?;
    ProtectCall::read_only(&region, 0).make()?;
    check_eq(peek(address), 3)
}

fn ends_with_the_vmo() -> Outcome {
    let region = Region::new(8)?;
    let vmo = numbered_vmo(2, 1)?;
    let valid = MapCall {
        options: READ | SPECIFIC | MAP_RANGE,
        length: 4 * P,
        ..MapCall::one_page(&region, &vmo)
    };
    valid.make()?;
    let beyond = MapCall {
        vmar_offset: 4 * P,
        vmo_offset: 2 * P as u64,
        ..valid
    };
    beyond.make()?;
    let probe = Probe::new()?;
    check_eq([peek(region.at(0)), peek(region.at(1))], [1, 2])?;
    (2..8).try_for_each(|page| probe.check_faults(region.at(page)))
}

fn follows_the_vmo_as_it_grows_and_shrinks() -> Outcome {
    let region = Region::new(2)?;
    let vmo = resizable_vmo_of(2)?;
    vmo.write(&[7], P as u64)?;
    let call = MapCall {
        options: READ | MAP_RANGE,
        length: 2 * P,
        ..MapCall::one_page(&region, &vmo)
    };
    call.make()?;
    vmo.set_size(P as u64)?;
    let probe = Probe::new()?;
    check_eq(probe.is_readable(region.at(0))?, true)?;
    probe.check_faults(region.at(1))?;
    vmo.set_size(2 * P as u64)?;
    check_eq(peek(region.at(1)), 0)
}

fn rounds_the_length_up() -> Outcome {
    for options in [READ, READ | MAP_RANGE] {
        let region = Region::new(4)?;
        let vmo = numbered_vmo(4, 1)?;
        let call = MapCall {
            options,
            length: 4 * P - 1,
            ..MapCall::one_page(&region, &vmo)
        };
        let address = call.make()?;
        check_eq(peek(region.at(3)), 4)?;
        calls::unmap(region.raw_handle(), address, 4 * P - 1)?;
        check_eq(Probe::new()?.is_readable(region.at(3))?, false)?;
    }
    Ok(())
}

fn writes_reach_the_vmo() -> Outcome {
    let region = Region::new(2)?;
    let vmo = numbered_vmo(1, 1)?;
    let other = region.map_at(1, &vmo, 1)?;
    let call = MapCall {
        options: READ | WRITE | SPECIFIC | MAP_RANGE,
        ..MapCall::one_page(&region, &vmo)
    };
    poke(call.make()?, 8);
    check_eq((peek(other), vmo.read_to_object::<u8>(0)?), (8, 8))
}

fn crosses_page_tables() -> Outcome {
    const PAGES: usize = 1100;
    let region = Region::new(PAGES)?;
    let vmo = vmo_of(PAGES)?;
    for page in [0, 511, 512, 1023, 1024, PAGES - 1] {
        vmo.write(&[page as u8 | 1], (page * P) as u64)?;
    }
    let flags = VmarFlags::PERM_READ | VmarFlags::MAP_RANGE;
    region.map(0, &vmo, 0, PAGES * P, flags)?;
    for page in [0, 511, 512, 1023, 1024, PAGES - 1] {
        check_eq(peek(region.at(page)), page as u8 | 1)?;
        check_eq(peek(region.at((page + 2) % PAGES)) & 0xfe, 0)?;
    }
    Ok(())
}

fn refuses_what_a_mapping_without_it_refuses() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(4)?;
    for options in [READ | WRITE, READ | WRITE | MAP_RANGE] {
        let valid = MapCall {
            options,
            ..MapCall::one_page(&region, &vmo)
        };
        let specific = MapCall {
            options: options | SPECIFIC,
            ..valid
        };
        let odd = P - 1;
        let calls = [
            (
                Status::INVALID_ARGS,
                MapCall {
                    vmar_offset: odd,
                    ..specific
                },
            ),
            (
                Status::INVALID_ARGS,
                MapCall {
                    vmo_offset: odd as u64,
                    ..specific
                },
            ),
            (
                Status::INVALID_ARGS,
                MapCall {
                    vmo_offset: odd as u64,
                    ..valid
                },
            ),
            (Status::INVALID_ARGS, MapCall { length: 0, ..valid }),
            (
                Status::OUT_OF_RANGE,
                MapCall {
                    length: usize::MAX - P + 2,
                    ..valid
                },
            ),
        ];
        for (status, call) in calls {
            region.refuses(status, || call.make())?;
        }
    }
    Ok(())
}

fn leaves_nothing_behind_when_the_place_is_taken() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(2, 1)?, numbered_vmo(2, 101)?);
    region.map_at(1, &old, 2)?;
    let call = MapCall {
        options: READ | SPECIFIC | MAP_RANGE,
        length: 2 * P,
        ..MapCall::one_page(&region, &new)
    };
    region.refuses(Status::ALREADY_EXISTS, || call.make())?;
    check_eq([peek(region.at(1)), peek(region.at(2))], [1, 2])?;
    check_eq(Probe::new()?.is_readable(region.at(0))?, false)?;
    check_eq(new.info()?.num_mappings, 0)
}
