//! `zx_vmo_transfer_data`: `docs/spec/vmo.md` §14.

use alloc::vec::Vec;

use zx::{
    AsHandleRef, HandleBased, Rights, Status, TransferDataOptions, Vmo, VmoChildOptions,
    VmoOptions, ok, sys,
};

use crate::fixtures::{
    P, Region, bad_handles, numbered_vmo, peek, poke, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_options,
    refuses_what_is_not_aligned,
    alignment_comes_before_the_handles,
    refuses_what_is_no_handle,
    refuses_what_is_no_vmo,
    checks_the_destination_before_the_source,
    the_destination_needs_write_only,
    the_source_needs_read_and_write,
    rights_come_before_ranges,
    refuses_ranges_beyond_the_end,
    refuses_ranges_that_overflow,
    the_same_place_is_left_alone,
    nothing_is_moved_up_to_the_end,
    pages_move,
    what_was_there_is_replaced,
    holes_replace_pages,
    mappings_follow_at_once,
    ranges_that_overlap_move_as_a_whole,
    many_blocks_move,
    a_sparse_vmo_moves_at_once,
    sizes_stay,
    a_snapshot_of_the_source_keeps_its_view,
    a_snapshot_of_the_destination_keeps_its_view,
    a_snapshot_can_give_and_take,
    slices_and_references_mean_their_owner,
];

const PAGE: u64 = P as u64;

/// A VMO and the first byte that is meant.
type Place = (u32, u64);

fn transfer(to: Place, options: u32, length: u64, from: Place) -> Result<(), Status> {
    // SAFETY: the tests move contents of VMOs of their own, which they read through `peek` alone.
    ok(unsafe { sys::zx_vmo_transfer_data(to.0, options, to.1, length, from.0, from.1) })
}

/// Moves pages.
fn move_pages(to: (&Vmo, u64), pages: u64, from: (&Vmo, u64)) -> Result<(), Status> {
    let options = TransferDataOptions::empty();
    to.0.transfer_data(options, to.1 * PAGE, pages * PAGE, from.0, from.1 * PAGE)
}

/// The first byte of each page.
fn bytes(vmo: &Vmo) -> Result<Vec<u8>, Status> {
    let pages = 0..vmo.get_size()? / PAGE;
    pages.map(|page| vmo.read_to_object(page * PAGE)).collect()
}

fn committed_pages(vmo: &Vmo) -> Result<u64, Status> {
    Ok(vmo.info()?.committed_bytes / PAGE)
}

fn refuses_options() -> Outcome {
    let (from, to) = (numbered_vmo(1, 1)?, vmo_of(1)?);
    for options in [1, 2, 1 << 31, u32::MAX] {
        let answer = transfer((to.raw_handle(), 0), options, PAGE, (from.raw_handle(), 0));
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    check_eq(bytes(&from)?, [1].into())
}

fn refuses_what_is_not_aligned() -> Outcome {
    let (from, to) = (numbered_vmo(2, 1)?, vmo_of(2)?);
    for (offset, length, source) in [
        (1, PAGE, 0),
        (0, 1, 0),
        (0, PAGE, 1),
        (0, PAGE - 1, 0),
        (PAGE - 1, PAGE, 0),
    ] {
        let place = (from.raw_handle(), source);
        let answer = transfer((to.raw_handle(), offset), 0, length, place);
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    check_eq(bytes(&from)?, [1, 2].into())
}

fn alignment_comes_before_the_handles() -> Outcome {
    check_refused(transfer((0, 1), 0, PAGE, (0, 0)), Status::INVALID_ARGS)?;
    check_refused(transfer((0, 0), 1, PAGE, (0, 0)), Status::INVALID_ARGS)
}

fn refuses_what_is_no_handle() -> Outcome {
    let vmo = vmo_of(1)?;
    for bad in bad_handles()? {
        let answer = transfer((bad, 0), 0, PAGE, (vmo.raw_handle(), 0));
        check_refused(answer, Status::BAD_HANDLE)?;
        let answer = transfer((vmo.raw_handle(), 0), 0, PAGE, (bad, 0));
        check_refused(answer, Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_vmo() -> Outcome {
    let vmo = vmo_of(1)?;
    let root = rt::vmar_root_self().raw_handle();
    let answer = transfer((root, 0), 0, PAGE, (vmo.raw_handle(), 0));
    check_refused(answer, Status::WRONG_TYPE)?;
    let answer = transfer((vmo.raw_handle(), 0), 0, PAGE, (root, 0));
    check_refused(answer, Status::WRONG_TYPE)
}

fn checks_the_destination_before_the_source() -> Outcome {
    let powerless = vmo_of(1)?.replace_handle(Rights::NONE)?;
    let answer = transfer((powerless.raw_handle(), 0), 0, PAGE, (0, 0));
    check_refused(answer, Status::ACCESS_DENIED)?;
    let root = rt::vmar_root_self().raw_handle();
    check_refused(transfer((root, 0), 0, PAGE, (0, 0)), Status::WRONG_TYPE)
}

fn the_destination_needs_write_only() -> Outcome {
    let (from, to) = (numbered_vmo(1, 1)?, vmo_of(1)?);
    let weaker = without_rights(&to, Rights::WRITE)?;
    check_refused(
        move_pages((&weaker, 0), 1, (&from, 0)),
        Status::ACCESS_DENIED,
    )?;
    check_eq((bytes(&from)?, bytes(&to)?), ([1].into(), [0].into()))?;
    move_pages((&with_rights(&to, Rights::WRITE)?, 0), 1, (&from, 0))?;
    check_eq((bytes(&from)?, bytes(&to)?), ([0].into(), [1].into()))
}

fn the_source_needs_read_and_write() -> Outcome {
    let (from, to) = (numbered_vmo(1, 1)?, vmo_of(1)?);
    for missing in [Rights::READ, Rights::WRITE] {
        let weaker = without_rights(&from, missing)?;
        check_refused(move_pages((&to, 0), 1, (&weaker, 0)), Status::ACCESS_DENIED)?;
    }
    check_eq((bytes(&from)?, bytes(&to)?), ([1].into(), [0].into()))?;
    let enough = with_rights(&from, Rights::READ | Rights::WRITE)?;
    move_pages((&to, 0), 1, (&enough, 0))?;
    check_eq(bytes(&to)?, [1].into())
}

fn rights_come_before_ranges() -> Outcome {
    let (from, to) = (numbered_vmo(1, 1)?, vmo_of(1)?);
    let weaker = without_rights(&from, Rights::READ)?;
    check_refused(move_pages((&to, 9), 9, (&weaker, 9)), Status::ACCESS_DENIED)
}

fn refuses_ranges_beyond_the_end() -> Outcome {
    let (from, to) = (numbered_vmo(3, 1)?, numbered_vmo(2, 11)?);
    for (offset, pages, source) in [
        (0, 3, 0),
        (1, 2, 0),
        (2, 1, 0),
        (0, 2, 2),
        (0, 1, 3),
        (3, 0, 0),
        (0, 0, 4),
    ] {
        let answer = move_pages((&to, offset), pages, (&from, source));
        check_refused(answer, Status::OUT_OF_RANGE)?;
    }
    check_eq(
        (bytes(&from)?, bytes(&to)?),
        ([1, 2, 3].into(), [11, 12].into()),
    )
}

fn refuses_ranges_that_overflow() -> Outcome {
    let (from, to) = (numbered_vmo(3, 1)?, vmo_of(3)?);
    let huge = (u64::MAX - PAGE + 1) / PAGE;
    for (offset, pages, source) in [(1, huge, 0), (0, huge, 1), (huge, 1, 0), (0, 1, huge)] {
        let answer = move_pages((&to, offset), pages, (&from, source));
        check_refused(answer, Status::OUT_OF_RANGE)?;
    }
    check_eq(bytes(&from)?, [1, 2, 3].into())
}

fn the_same_place_is_left_alone() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    move_pages((&vmo, 1), 2, (&vmo, 1))?;
    // Not even the range matters.
    move_pages((&vmo, 7), 9, (&vmo, 7))?;
    check_eq(bytes(&vmo)?, [1, 2, 3].into())
}

fn nothing_is_moved_up_to_the_end() -> Outcome {
    let (from, to) = (numbered_vmo(2, 1)?, numbered_vmo(1, 11)?);
    move_pages((&to, 1), 0, (&from, 2))?;
    check_eq((bytes(&from)?, bytes(&to)?), ([1, 2].into(), [11].into()))
}

fn pages_move() -> Outcome {
    let (from, to) = (numbered_vmo(4, 1)?, vmo_of(4)?);
    move_pages((&to, 0), 2, (&from, 1))?;
    check_eq(bytes(&from)?, [1, 0, 0, 4].into())?;
    check_eq(bytes(&to)?, [2, 3, 0, 0].into())?;
    check_eq((committed_pages(&from)?, committed_pages(&to)?), (2, 2))
}

fn what_was_there_is_replaced() -> Outcome {
    let (from, to) = (numbered_vmo(2, 1)?, numbered_vmo(4, 11)?);
    move_pages((&to, 1), 2, (&from, 0))?;
    check_eq(bytes(&to)?, [11, 1, 2, 14].into())?;
    check_eq((committed_pages(&from)?, committed_pages(&to)?), (0, 4))
}

fn holes_replace_pages() -> Outcome {
    let (from, to) = (vmo_of(3)?, numbered_vmo(3, 11)?);
    from.write(&[7], PAGE)?;
    move_pages((&to, 0), 3, (&from, 0))?;
    check_eq(bytes(&to)?, [0, 7, 0].into())?;
    check_eq((committed_pages(&from)?, committed_pages(&to)?), (0, 1))
}

fn mappings_follow_at_once() -> Outcome {
    let (from, to) = (numbered_vmo(2, 1)?, numbered_vmo(2, 11)?);
    let region = Region::new(8)?;
    let (source, destination) = (region.map_at(0, &from, 2)?, region.map_at(4, &to, 2)?);
    check_eq([peek(source), peek(destination)], [1, 11])?;
    poke(source + 1, 9);
    move_pages((&to, 0), 1, (&from, 0))?;
    check_eq([peek(source), peek(source + 1)], [0, 0])?;
    check_eq([peek(destination), peek(destination + 1)], [1, 9])?;
    poke(source, 5);
    poke(destination, 6);
    check_eq(
        (bytes(&from)?, bytes(&to)?),
        ([5, 2].into(), [6, 12].into()),
    )
}

fn ranges_that_overlap_move_as_a_whole() -> Outcome {
    for (source, destination, expected) in [
        (0, 1, [0, 1, 2, 3, 4, 6]),
        (1, 0, [2, 3, 4, 5, 0, 6]),
        (0, 2, [0, 0, 1, 2, 3, 4]),
        (2, 0, [3, 4, 5, 6, 0, 0]),
    ] {
        let vmo = numbered_vmo(6, 1)?;
        move_pages((&vmo, destination), 4, (&vmo, source))?;
        check_eq(bytes(&vmo)?, expected.into())?;
    }
    Ok(())
}

fn many_blocks_move() -> Outcome {
    let (from, to) = (vmo_of(1300)?, vmo_of(1300)?);
    for page in 0..1300_u64 {
        from.write(&(page as u16 + 1).to_le_bytes(), page * PAGE)?;
    }
    move_pages((&to, 10), 1280, (&from, 20))?;
    for page in 0..1300_u64 {
        let moved = (10..1290).contains(&page);
        let expected = if moved { page as u16 + 11 } else { 0 };
        check_eq(to.read_to_object::<u16>(page * PAGE)?, expected)?;
    }
    check_eq((committed_pages(&from)?, committed_pages(&to)?), (20, 1280))
}

fn a_sparse_vmo_moves_at_once() -> Outcome {
    let large = || Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0);
    let (from, to) = (large()?, large()?);
    let pages = from.get_size()? / PAGE;
    for page in [0, 1 << 40, pages - 2] {
        from.write(&[7], page * PAGE)?;
    }
    move_pages((&to, 1), pages - 1, (&from, 0))?;
    check_eq((committed_pages(&from)?, committed_pages(&to)?), (0, 3))?;
    check_eq(to.read_to_object::<u8>((pages - 1) * PAGE)?, 7)
}

fn sizes_stay() -> Outcome {
    let (from, to) = (Vmo::create(PAGE + 5)?, Vmo::create(2 * PAGE)?);
    from.write(&[1], PAGE + 4)?;
    move_pages((&to, 0), 2, (&from, 0))?;
    check_eq(
        [from.get_stream_size()?, to.get_stream_size()?],
        [PAGE + 5, 2 * PAGE],
    )?;
    check_eq(to.read_to_object::<u8>(PAGE + 4)?, 1)
}

fn snapshot(vmo: &Vmo) -> Result<Vmo, Status> {
    vmo.create_child(VmoChildOptions::SNAPSHOT, 0, vmo.get_size()?)
}

fn a_snapshot_of_the_source_keeps_its_view() -> Outcome {
    let (from, to) = (numbered_vmo(3, 1)?, vmo_of(3)?);
    let child = snapshot(&from)?;
    move_pages((&to, 0), 2, (&from, 1))?;
    check_eq(bytes(&child)?, [1, 2, 3].into())?;
    check_eq(
        (bytes(&from)?, bytes(&to)?),
        ([1, 0, 0].into(), [2, 3, 0].into()),
    )?;
    to.write(&[99], 0)?;
    check_eq(bytes(&child)?, [1, 2, 3].into())
}

fn a_snapshot_of_the_destination_keeps_its_view() -> Outcome {
    let (from, to) = (numbered_vmo(3, 1)?, numbered_vmo(3, 11)?);
    let child = snapshot(&to)?;
    move_pages((&to, 0), 2, (&from, 1))?;
    check_eq(bytes(&child)?, [11, 12, 13].into())?;
    check_eq(bytes(&to)?, [2, 3, 13].into())
}

fn a_snapshot_can_give_and_take() -> Outcome {
    let (parent, other) = (numbered_vmo(3, 1)?, numbered_vmo(3, 11)?);
    let child = snapshot(&parent)?;
    move_pages((&other, 0), 1, (&child, 2))?;
    move_pages((&child, 0), 1, (&other, 1))?;
    check_eq(bytes(&parent)?, [1, 2, 3].into())?;
    check_eq(bytes(&child)?, [12, 2, 0].into())?;
    check_eq(bytes(&other)?, [3, 0, 13].into())
}

fn slices_and_references_mean_their_owner() -> Outcome {
    let (from, to) = (numbered_vmo(4, 1)?, numbered_vmo(4, 11)?);
    let slice = from.create_child(VmoChildOptions::SLICE, 2 * PAGE, 2 * PAGE)?;
    let reference = to.create_child(VmoChildOptions::REFERENCE, 0, 0)?;
    move_pages((&reference, 0), 2, (&slice, 0))?;
    check_eq(bytes(&from)?, [1, 2, 0, 0].into())?;
    check_eq(bytes(&to)?, [3, 4, 13, 14].into())?;
    check_refused(
        move_pages((&reference, 0), 2, (&slice, 1)),
        Status::OUT_OF_RANGE,
    )?;
    move_pages((&slice, 1), 1, (&from, 0))?;
    check_eq(bytes(&from)?, [0, 2, 0, 1].into())
}
