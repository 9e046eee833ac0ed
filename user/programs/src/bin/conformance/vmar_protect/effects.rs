//! What a change of permissions changes.

use zx::{Rights, VmarFlags};

use super::{READ, WRITE, protect, three_mappings, with_call};
use crate::calls::ProtectCall;
use crate::fixtures::{P, Probe, READ_WRITE, Region, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    downgrades_and_restores,
    takes_all_access_away,
    changes_across_several_mappings,
    changes_mappings_of_regions,
    shows_one_record_per_run,
    runs_that_are_equal_again_become_one,
    rounds_the_length_up,
    ignores_what_happens_to_the_vmo_handle_later,
];

fn downgrades_and_restores() -> Outcome {
    with_call(|region, valid| {
        let probe = Probe::new()?;
        poke(valid.address, 7);
        valid.make()?;
        check_eq(peek(valid.address), 7)?;
        check_eq(probe.is_writable(valid.address)?, false)?;
        check_eq(probe.is_writable(region.at(1))?, true)?;
        ProtectCall {
            options: READ | WRITE,
            ..valid
        }
        .make()?;
        poke(valid.address, 8);
        check_eq(peek(valid.address), 8)
    })
}

fn takes_all_access_away() -> Outcome {
    with_call(|region, valid| {
        let probe = Probe::new()?;
        poke(valid.address, 7);
        ProtectCall {
            options: 0,
            ..valid
        }
        .make()?;
        check_eq(probe.is_readable(valid.address)?, false)?;
        check_eq(probe.is_writable(valid.address)?, false)?;
        check_eq(probe.is_readable(region.at(1))?, true)?;
        valid.make()?;
        check_eq(peek(valid.address), 7)
    })
}

fn changes_across_several_mappings() -> Outcome {
    let region = three_mappings(Rights::WRITE)?;
    let probe = Probe::new()?;
    protect(&region, 1, 10, READ | WRITE)?;
    for page in 0..12 {
        check_eq(probe.is_writable(region.at(page))?, (1..11).contains(&page))?;
    }
    Ok(())
}

fn changes_mappings_of_regions() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    region.map_at(8, &vmo_of(4)?, 4)?;
    let child = region.child(4, 4)?;
    child.map_at(0, &vmo_of(4)?, 4)?;
    let probe = Probe::new()?;
    protect(&region, 1, 10, READ)?;
    for page in 0..12 {
        check_eq(
            probe.is_writable(region.at(page))?,
            !(1..11).contains(&page),
        )?;
    }
    Ok(())
}

fn shows_one_record_per_run() -> Outcome {
    with_call(|region, valid| {
        ProtectCall {
            address: region.at(1),
            length: 2 * P,
            ..valid
        }
        .make()?;
        let shape = region.shape()?;
        let runs = shape.iter().filter_map(|line| {
            let mapping = line.mapping?;
            Some((
                (line.base - region.at(0)) / P,
                line.size / P,
                mapping.permissions,
            ))
        });
        let expected = [(0, 1, READ | WRITE), (1, 2, READ), (3, 1, READ | WRITE)];
        check_eq(runs.collect::<alloc::vec::Vec<_>>(), expected.into())?;
        check_eq(
            region.mapped_pages()?,
            (0..4).map(|page| (page, page as u64)).collect(),
        )
    })
}

fn runs_that_are_equal_again_become_one() -> Outcome {
    with_call(|region, valid| {
        let before = region.shape()?;
        let middle = ProtectCall {
            address: region.at(1),
            length: 2 * P,
            ..valid
        };
        middle.make()?;
        ProtectCall {
            options: READ | WRITE,
            ..middle
        }
        .make()?;
        check_eq(region.shape()?, before)
    })
}

fn rounds_the_length_up() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(8)?, 8)?;
    let call = ProtectCall {
        length: 4 * P - 1,
        ..ProtectCall::read_only(&region, 1)
    };
    call.make()?;
    let probe = Probe::new()?;
    for page in 0..8 {
        check_eq(probe.is_writable(region.at(page))?, !(1..5).contains(&page))?;
    }
    Ok(())
}

fn ignores_what_happens_to_the_vmo_handle_later() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let address = region.map(0, &vmo, 0, P, READ_WRITE | VmarFlags::SPECIFIC)?;
    let _weaker = vmo.replace(Rights::NONE)?;
    protect(&region, 0, 1, READ)?;
    protect(&region, 0, 1, READ | WRITE)?;
    poke(address, 1);
    check_eq(peek(address), 1)
}
