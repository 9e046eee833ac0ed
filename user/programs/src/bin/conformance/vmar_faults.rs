//! What touching a page does: `docs/spec/vmar.md` §11.
//!
//! A fault without an answer ends the program, so the kernel's copies stand in for touching: they fail
//! where the program would. The status that a fault ends with is seen from the host, in `vm`.

use zx::{AsHandleRef, Rights, Status, VmarFlags, Vmo};

use crate::calls::{self, ProtectCall};
use crate::fixtures::{
    P, Probe, READ_WRITE, Region, numbered_vmo, peek, poke, resizable_vmo_of, vmo_of, with_rights,
};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    nothing_is_next_to_a_mapping,
    nothing_is_in_a_region_without_mappings,
    permissions_decide_by_kind,
    permissions_decide_page_by_page,
    every_byte_of_a_page_is_there,
    pages_beyond_the_vmo_fault,
    the_last_page_of_an_odd_vmo_is_whole,
    reading_commits_nothing,
    the_first_write_commits_one_page,
    writing_commits_only_what_is_touched,
    a_write_is_seen_where_zeros_were_read,
    a_write_through_the_vmo_is_seen_where_zeros_were_read,
    a_write_after_reading_stays_in_its_page,
    a_failed_write_commits_nothing,
    growing_and_shrinking_moves_the_edge,
    shrinking_forgets_what_was_there,
    a_vmo_of_size_zero_faults_everywhere,
    taking_writing_away_counts_at_once,
    giving_writing_back_counts_at_once,
    what_takes_the_place_is_seen_at_once,
];

const PAGE: u64 = P as u64;

fn committed(vmo: &Vmo) -> Result<u64, Status> {
    Ok(vmo.info()?.committed_bytes)
}

const NOTHING: VmarFlags = VmarFlags::empty();

/// Fails unless a byte there can be read and written as `expected` says, and in no other way.
#[track_caller]
fn check_access(probe: &Probe, address: usize, expected: VmarFlags) -> Outcome {
    check_eq(
        [probe.is_readable(address)?, probe.is_writable(address)?],
        [VmarFlags::PERM_READ, VmarFlags::PERM_WRITE].map(|flag| expected.contains(flag)),
    )
}

fn nothing_is_next_to_a_mapping() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(1, &vmo_of(2)?, 2)?;
    let probe = Probe::new()?;
    check_access(&probe, region.at(1) - 1, NOTHING)?;
    check_access(&probe, region.at(1), READ_WRITE)?;
    check_access(&probe, region.at(3) - 1, READ_WRITE)?;
    check_access(&probe, region.at(3), NOTHING)
}

fn nothing_is_in_a_region_without_mappings() -> Outcome {
    let region = Region::new(4)?;
    let _child = region.child(1, 2)?;
    let probe = Probe::new()?;
    (0..4).try_for_each(|page| check_access(&probe, region.at(page), NOTHING))
}

fn permissions_decide_by_kind() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    let probe = Probe::new()?;
    let kinds = [NOTHING, VmarFlags::PERM_READ, READ_WRITE];
    for (page, permissions) in kinds.into_iter().enumerate() {
        let flags = permissions | VmarFlags::SPECIFIC;
        let address = region.map(page * P, &vmo, 0, P, flags)?;
        check_access(&probe, address, permissions)?;
        // Once more, now that it may have a translation.
        check_access(&probe, address, permissions)?;
    }
    Ok(())
}

fn permissions_decide_page_by_page() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(8)?, 8)?;
    let probe = Probe::new()?;
    for page in 0..8 {
        check_access(&probe, region.at(page), READ_WRITE)?;
    }
    for page in [1, 4, 7] {
        ProtectCall::read_only(&region, page).make()?;
    }
    let closed = ProtectCall {
        options: 0,
        ..ProtectCall::read_only(&region, 5)
    };
    closed.make()?;
    for page in 0..8 {
        let address = region.at(page);
        let expected = match page {
            5 => NOTHING,
            1 | 4 | 7 => VmarFlags::PERM_READ,
            _ => READ_WRITE,
        };
        for address in [address, address + P - 1] {
            check_access(&probe, address, expected)?;
        }
    }
    Ok(())
}

fn every_byte_of_a_page_is_there() -> Outcome {
    let region = Region::new(1)?;
    let vmo = vmo_of(1)?;
    let address = region.map_at(0, &vmo, 1)?;
    for offset in [0, 1, P / 2, P - 1] {
        poke(address + offset, offset as u8 ^ 0x5a);
    }
    for offset in [0, 1, P / 2, P - 1] {
        check_eq(
            vmo.read_to_object::<u8>(offset as u64)?,
            offset as u8 ^ 0x5a,
        )?;
    }
    Ok(())
}

fn pages_beyond_the_vmo_fault() -> Outcome {
    let region = Region::new(8)?;
    let vmo = numbered_vmo(2, 1)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    region.map(0, &vmo, PAGE, 3 * P, flags)?;
    region.map(4 * P, &vmo, 2 * PAGE, P, flags)?;
    region.map(5 * P, &vmo, 0_u64.wrapping_sub(2 * PAGE), P, flags)?;
    let probe = Probe::new()?;
    check_eq(peek(region.at(0)), 2)?;
    for page in [1, 2, 4, 5] {
        probe.check_faults(region.at(page))?;
        probe.check_faults(region.at(page) + P - 1)?;
    }
    Ok(())
}

fn the_last_page_of_an_odd_vmo_is_whole() -> Outcome {
    let region = Region::new(2)?;
    let vmo = Vmo::create(PAGE + 1)?;
    region.map_at(0, &vmo, 2)?;
    poke(region.at(2) - 1, 1);
    check_eq(peek(region.at(2) - 1), 1)
}

fn reading_commits_nothing() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    region.map_at(0, &vmo, 8)?;
    for page in 0..8 {
        check_eq(peek(region.at(page)), 0)?;
    }
    check_eq(committed(&vmo)?, 0)
}

fn the_first_write_commits_one_page() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    region.map_at(0, &vmo, 8)?;
    for (done, page) in [3, 0, 7].into_iter().enumerate() {
        poke(region.at(page), 1);
        poke(region.at(page) + P - 1, 1);
        check_eq(committed(&vmo)?, (done as u64 + 1) * PAGE)?;
    }
    Ok(())
}

fn writing_commits_only_what_is_touched() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1 << 16)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    region.map(0, &vmo, PAGE * 0xfffe, 2 * P, flags)?;
    poke(region.at(1), 1);
    check_eq(committed(&vmo)?, PAGE)?;
    check_eq(vmo.read_to_object::<u8>(PAGE * 0xffff)?, 1)
}

fn a_write_is_seen_where_zeros_were_read() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    for page in 0..4 {
        region.map_at(page, &vmo, 1)?;
        check_eq(peek(region.at(page)), 0)?;
    }
    poke(region.at(2), 8);
    for page in 0..4 {
        check_eq(peek(region.at(page)), 8)?;
    }
    Ok(())
}

fn a_write_through_the_vmo_is_seen_where_zeros_were_read() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(2)?;
    region.map_at(0, &vmo, 2)?;
    check_eq([peek(region.at(0)), peek(region.at(1))], [0, 0])?;
    vmo.write(&[5], PAGE)?;
    check_eq([peek(region.at(0)), peek(region.at(1))], [0, 5])
}

fn a_write_after_reading_stays_in_its_page() -> Outcome {
    let region = Region::new(4)?;
    let (first, second) = (vmo_of(2)?, vmo_of(2)?);
    region.map_at(0, &first, 2)?;
    region.map_at(2, &second, 2)?;
    for page in 0..4 {
        check_eq(peek(region.at(page)), 0)?;
    }
    // All four showed the same page of zeros.
    poke(region.at(1), 3);
    check_eq([0, 1, 2, 3].map(|page| peek(region.at(page))), [0, 3, 0, 0])?;
    check_eq([committed(&first)?, committed(&second)?], [PAGE, 0])
}

fn a_failed_write_commits_nothing() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(2)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &vmo, 0, 2 * P, flags)?;
    check_access(&Probe::new()?, region.at(0), VmarFlags::PERM_READ)?;
    check_eq(committed(&vmo)?, 0)
}

fn growing_and_shrinking_moves_the_edge() -> Outcome {
    let region = Region::new(4)?;
    let vmo = resizable_vmo_of(0)?;
    region.map_at(0, &vmo, 4)?;
    let probe = Probe::new()?;
    for pages in [1, 4, 2, 3, 0, 4] {
        vmo.set_size(pages as u64 * PAGE)?;
        for page in 0..4 {
            if page < pages {
                check_access(&probe, region.at(page), READ_WRITE)?;
            } else {
                probe.check_faults(region.at(page))?;
            }
        }
    }
    Ok(())
}

fn shrinking_forgets_what_was_there() -> Outcome {
    let region = Region::new(4)?;
    let vmo = resizable_vmo_of(4)?;
    region.map_at(0, &vmo, 4)?;
    for page in 0..4 {
        poke(region.at(page), 1);
    }
    vmo.set_size(PAGE)?;
    check_eq(committed(&vmo)?, PAGE)?;
    vmo.set_size(4 * PAGE)?;
    check_eq([0, 1, 2, 3].map(|page| peek(region.at(page))), [1, 0, 0, 0])
}

fn a_vmo_of_size_zero_faults_everywhere() -> Outcome {
    let region = Region::new(2)?;
    region.map_at(0, &vmo_of(0)?, 2)?;
    let probe = Probe::new()?;
    probe.check_faults(region.at(0))?;
    probe.check_faults(region.at(1))
}

fn taking_writing_away_counts_at_once() -> Outcome {
    let region = Region::new(100)?;
    let vmo = vmo_of(100)?;
    region.map_at(0, &vmo, 100)?;
    for page in [0, 50, 99] {
        poke(region.at(page), page as u8 + 1);
    }
    let call = ProtectCall {
        length: 100 * P,
        ..ProtectCall::read_only(&region, 0)
    };
    call.make()?;
    let probe = Probe::new()?;
    for page in [0, 25, 50, 99] {
        check_access(&probe, region.at(page), VmarFlags::PERM_READ)?;
    }
    check_eq([0, 50, 99].map(|page| peek(region.at(page))), [1, 51, 100])?;
    check_eq(committed(&vmo)?, 3 * PAGE)
}

fn giving_writing_back_counts_at_once() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(2)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &vmo, 0, 2 * P, flags)?;
    vmo.write(&[1], 0)?;
    // One page is there, the other reads as zeros.
    check_eq([peek(region.at(0)), peek(region.at(1))], [1, 0])?;
    let call = ProtectCall {
        options: READ_WRITE.bits(),
        length: 2 * P,
        ..ProtectCall::read_only(&region, 0)
    };
    call.make()?;
    poke(region.at(0), 2);
    poke(region.at(1), 3);
    check_eq(vmo.read_to_object::<u8>(0)?, 2)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 3)
}

fn what_takes_the_place_is_seen_at_once() -> Outcome {
    let region = Region::new(1)?;
    for round in 1..=16 {
        let vmo = numbered_vmo(1, round)?;
        let rights = Rights::READ | Rights::MAP;
        let read_only = with_rights(&vmo, rights)?;
        let address = region.map(0, &read_only, 0, P, VmarFlags::PERM_READ)?;
        check_eq(peek(address), round)?;
        calls::unmap(region.raw_handle(), address, P)?;
    }
    Ok(())
}
