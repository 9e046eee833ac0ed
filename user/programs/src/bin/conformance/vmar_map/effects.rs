//! What a mapping shows, and for how long.

use zx::{VmarFlags, sys};

use super::{READ, SPECIFIC, with_call};
use crate::calls::{MapCall, ProtectCall};
use crate::fixtures::{
    CAN_MAP_ALL, P, Probe, READ_WRITE, Region, numbered_vmo, peek, poke, resizable_vmo_of, vmo_of,
};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    rounds_the_length_up,
    maps_beyond_the_end_of_the_vmo,
    shows_the_vmo_from_its_offset,
    shows_one_vmo_twice,
    outlives_its_handles,
    reserves_without_permissions,
    enters_present_pages_on_request,
    touches_the_first_and_the_last_page,
    accepts_the_readable_fallback_for_execute_only,
];

fn rounds_the_length_up() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(2)?;
    let valid = MapCall {
        options: READ | SPECIFIC,
        ..MapCall::one_page(&region, &vmo)
    };
    MapCall { length: 1, ..valid }.make()?;
    MapCall {
        vmar_offset: 2 * P,
        length: P + 1,
        ..valid
    }
    .make()?;
    check_eq(region.mapped_pages()?, [(0, 0), (2, 0), (3, 1)].into())
}

fn maps_beyond_the_end_of_the_vmo() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(1, 7)?;
    let base = region.map_at(0, &vmo, 4)?;
    let probe = Probe::new()?;
    check_eq(peek(base), 7)?;
    for page in 1..4 {
        probe.check_faults(base + page * P)?;
    }
    Ok(())
}

fn shows_the_vmo_from_its_offset() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    let base = region.map(0, &vmo, 2 * P as u64, 2 * P, READ_WRITE)?;
    check_eq([peek(base), peek(base + P)], [3, 4])?;
    poke(base + P, 9);
    check_eq(vmo.read_to_object::<u8>(3 * P as u64)?, 9)
}

fn shows_one_vmo_twice() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let (first, second) = (region.map_at(0, &vmo, 1)?, region.map_at(2, &vmo, 1)?);
    poke(first, 42);
    check_eq(peek(second), 42)?;
    check_eq(vmo.info()?.num_mappings, 2)?;
    check_eq(vmo.info()?.share_count, 1)
}

fn outlives_its_handles() -> Outcome {
    let parent = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let (vmar, _) = parent.allocate(0, 2 * P, CAN_MAP_ALL)?;
    let address = vmar.map(0, &vmo, 0, P, READ_WRITE)?;
    poke(address, 1);
    drop(vmo);
    drop(vmar);
    check_eq(peek(address), 1)?;
    poke(address, 2);
    check_eq(peek(address), 2)
}

fn reserves_without_permissions() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(1, 5)?;
    let address = region.map(0, &vmo, 0, P, VmarFlags::empty())?;
    let probe = Probe::new()?;
    check_eq(probe.is_readable(address)?, false)?;
    check_eq(probe.is_writable(address)?, false)?;
    let call = ProtectCall {
        address,
        ..ProtectCall::read_only(&region, 0)
    };
    call.make()?;
    check_eq(peek(address), 5)?;
    check_eq(probe.is_writable(address)?, false)
}

fn enters_present_pages_on_request() -> Outcome {
    let region = Region::new(4)?;
    let vmo = resizable_vmo_of(1)?;
    vmo.write(&[3], 0)?;
    let flags = READ_WRITE | VmarFlags::MAP_RANGE | VmarFlags::SPECIFIC;
    let base = region.map(0, &vmo, 0, 2 * P, flags)?;
    check_eq(peek(base), 3)?;
    Probe::new()?.check_faults(base + P)?;
    check_eq(vmo.info()?.committed_bytes, P as u64)?;
    // Wholly beyond the end there is nothing to enter, which is no error either.
    region.map(2 * P, &vmo, 8 * P as u64, P, flags)?;
    Ok(())
}

fn touches_the_first_and_the_last_page() -> Outcome {
    let region = Region::new(4)?;
    let (first, last) = (numbered_vmo(1, 1)?, numbered_vmo(1, 2)?);
    check_eq(peek(region.map_at(0, &first, 1)?), 1)?;
    check_eq(peek(region.map_at(3, &last, 1)?), 2)?;
    check_eq(region.mapped_pages()?, [(0, 0), (3, 0)].into())
}

fn accepts_the_readable_fallback_for_execute_only() -> Outcome {
    with_call(4, |_, valid| {
        let options = READ | sys::ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED;
        let address = MapCall { options, ..valid }.make()?;
        check_eq(peek(address), 0)
    })
}
