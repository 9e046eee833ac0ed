//! `SPECIFIC_OVERWRITE` on a place that is taken: `docs/spec/vmar.md` §5.3.

use zx::{Status, sys};

use crate::calls::MapCall;
use crate::fixtures::{P, Region, numbered_vmo, peek, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    takes_a_free_place,
    replaces_the_middle_and_keeps_the_outside,
    replaces_a_whole_mapping,
    replaces_parts_of_several_mappings,
    refuses_any_touch_of_a_region,
    gives_back_the_old_vmo,
];

/// A call that overwrites `pages` pages from page `page` on.
fn overwrite(region: &Region, page: usize, vmo: &zx::Vmo, pages: usize) -> MapCall {
    let valid = MapCall::one_page(region, vmo);
    MapCall {
        options: valid.options | sys::ZX_VM_SPECIFIC_OVERWRITE,
        vmar_offset: page * P,
        length: pages * P,
        ..valid
    }
}

/// The first byte of each page from page 0 on.
fn first_bytes<const N: usize>(region: &Region) -> [u8; N] {
    core::array::from_fn(|page| peek(region.at(page)))
}

fn takes_a_free_place() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(1, 1)?;
    check_eq(overwrite(&region, 2, &vmo, 1).make(), Ok(region.at(2)))?;
    check_eq(region.mapped_pages()?, [(2, 0)].into())
}

fn replaces_the_middle_and_keeps_the_outside() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(4, 1)?, numbered_vmo(2, 101)?);
    region.map_at(0, &old, 4)?;
    check_eq(first_bytes(&region), [1, 2, 3, 4])?;
    check_eq(overwrite(&region, 1, &new, 2).make(), Ok(region.at(1)))?;
    check_eq(first_bytes(&region), [1, 101, 102, 4])?;
    check_eq(
        region.mapped_pages()?,
        [(0, 0), (1, 0), (2, 1), (3, 3)].into(),
    )
}

fn replaces_a_whole_mapping() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(2, 1)?, numbered_vmo(2, 101)?);
    region.map_at(1, &old, 2)?;
    overwrite(&region, 1, &new, 2).make()?;
    check_eq([peek(region.at(1)), peek(region.at(2))], [101, 102])?;
    check_eq(region.shape()?.len(), 2)
}

fn replaces_parts_of_several_mappings() -> Outcome {
    let region = Region::new(8)?;
    let new = numbered_vmo(5, 101)?;
    for (page, first) in [(0, 1), (3, 11), (5, 21)] {
        region.map_at(page, &numbered_vmo(2, first)?, 2)?;
    }
    overwrite(&region, 1, &new, 5).make()?;
    check_eq(first_bytes(&region), [1, 101, 102, 103, 104, 105, 22])
}

fn refuses_any_touch_of_a_region() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    let child = region.child(3, 2)?;
    child.map_at(0, &vmo, 1)?;
    region.map_at(1, &vmo, 2)?;
    for (page, pages) in [(3, 2), (2, 2), (4, 2), (3, 1), (0, 8)] {
        region.refuses(Status::INVALID_ARGS, || {
            overwrite(&region, page, &vmo, pages).make()
        })?;
    }
    check_eq(child.info()?.base, region.at(3))
}

fn gives_back_the_old_vmo() -> Outcome {
    let region = Region::new(2)?;
    let (old, new) = (vmo_of(1)?, vmo_of(1)?);
    region.map_at(0, &old, 1)?;
    check_eq(old.info()?.num_mappings, 1)?;
    overwrite(&region, 0, &new, 1).make()?;
    check_eq([old.info()?.num_mappings, new.info()?.num_mappings], [0, 1])
}
