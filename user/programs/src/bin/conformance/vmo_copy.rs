//! `zx_vmo_read` and `zx_vmo_write`: `docs/spec/vmo.md` §3.

use zx::{AsHandleRef, Rights, Status, VmarFlags, Vmo, ok, sys};

use crate::calls;
use crate::fixtures::{
    BAD_ADDRESSES, P, Region, bad_handles, numbered_vmo, peek, poke, vmo_of, with_rights,
    without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuse_what_is_no_handle,
    refuse_what_is_no_vmo,
    need_their_right,
    refuse_ranges_that_overflow,
    refuse_ranges_beyond_the_end,
    accept_length_zero_up_to_the_end,
    refuse_bad_buffers,
    refuse_buffers_without_the_permission,
    stop_at_a_buffer_that_ends,
    keep_what_they_copied_before_a_hole,
    check_the_handle_first,
    check_the_range_before_the_buffer,
    copy_across_pages,
    copy_the_last_byte,
    reading_commits_nothing,
    writing_commits_what_it_touches,
    show_in_mappings,
    copy_from_and_to_a_mapping_of_the_same_vmo,
    copy_a_page_to_itself,
    move_bytes_within_a_page,
    fault_their_buffers_in,
    fault_both_pages_of_an_unaligned_buffer_in,
];

const SCRATCH: usize = 64;

/// A VMO all of whose bytes are `byte`.
fn filled_vmo(pages: usize, byte: u8) -> Result<Vmo, Status> {
    let vmo = vmo_of(pages)?;
    for page in 0..pages {
        vmo.write(&[byte; P], (page * P) as u64)?;
    }
    Ok(vmo)
}

/// `zx_vmo_read` and `zx_vmo_write` by one shape.
#[derive(Clone, Copy)]
enum Direction {
    Read,
    Write,
}

const BOTH: [Direction; 2] = [Direction::Read, Direction::Write];

impl Direction {
    /// Makes the call with any arguments.
    fn copy(self, vmo: u32, buffer: usize, offset: u64, length: usize) -> Result<(), Status> {
        // SAFETY: the tests give their own buffers, pages in regions of their own, or addresses that the
        // kernel refuses, which is what is tested.
        ok(unsafe {
            match self {
                Self::Read => sys::zx_vmo_read(vmo, buffer as *mut u8, offset, length),
                Self::Write => sys::zx_vmo_write(vmo, buffer as *const u8, offset, length),
            }
        })
    }

    fn right(self) -> Rights {
        match self {
            Self::Read => Rights::READ,
            Self::Write => Rights::WRITE,
        }
    }
}

/// Runs `test` for both directions with a VMO of two pages and the address of a buffer.
fn for_both(test: impl Fn(Direction, &Vmo, usize) -> Outcome) -> Outcome {
    for direction in BOTH {
        let mut buffer = [0_u8; SCRATCH];
        test(
            direction,
            &vmo_of(2)?,
            buffer.as_mut_ptr().expose_provenance(),
        )?;
    }
    Ok(())
}

fn refuse_what_is_no_handle() -> Outcome {
    for_both(|direction, _, buffer| {
        for bad in bad_handles()? {
            check_refused(direction.copy(bad, buffer, 0, 1), Status::BAD_HANDLE)?;
        }
        Ok(())
    })
}

fn refuse_what_is_no_vmo() -> Outcome {
    for_both(|direction, _, buffer| {
        let root = rt::vmar_root_self().raw_handle();
        check_refused(direction.copy(root, buffer, 0, 1), Status::WRONG_TYPE)
    })
}

fn need_their_right() -> Outcome {
    for_both(|direction, vmo, buffer| {
        let weaker = without_rights(vmo, direction.right())?;
        check_refused(
            direction.copy(weaker.raw_handle(), buffer, 0, 1),
            Status::ACCESS_DENIED,
        )?;
        let enough = with_rights(vmo, direction.right())?;
        check_eq(direction.copy(enough.raw_handle(), buffer, 0, 1), Ok(()))
    })
}

fn refuse_ranges_that_overflow() -> Outcome {
    for_both(|direction, vmo, buffer| {
        for (offset, length) in [(u64::MAX, 1), (u64::MAX, usize::MAX), (1, usize::MAX)] {
            let copied = direction.copy(vmo.raw_handle(), buffer, offset, length);
            check_refused(copied, Status::OUT_OF_RANGE)?;
        }
        Ok(())
    })
}

fn refuse_ranges_beyond_the_end() -> Outcome {
    for_both(|direction, vmo, buffer| {
        let end = vmo.get_size()?;
        for (offset, length) in [
            (end, 1),
            (end - 1, 2),
            (end + 1, 1),
            (0, 2 * P + 1),
            (u64::MAX, 0),
        ] {
            let copied = direction.copy(vmo.raw_handle(), buffer, offset, length);
            check_refused(copied, Status::OUT_OF_RANGE)?;
        }
        check_eq(vmo.info()?.committed_bytes, 0)
    })
}

fn accept_length_zero_up_to_the_end() -> Outcome {
    for_both(|direction, vmo, buffer| {
        let end = vmo.get_size()?;
        for offset in [0, 1, end] {
            for buffer in [buffer, 0, usize::MAX] {
                check_eq(direction.copy(vmo.raw_handle(), buffer, offset, 0), Ok(()))?;
            }
        }
        check_refused(
            direction.copy(vmo.raw_handle(), buffer, end + 1, 0),
            Status::OUT_OF_RANGE,
        )
    })
}

fn refuse_bad_buffers() -> Outcome {
    for_both(|direction, vmo, _| {
        for bad in BAD_ADDRESSES {
            for length in [1, P + 1] {
                let copied = direction.copy(vmo.raw_handle(), bad, 0, length);
                check_refused(copied, Status::NOT_FOUND)?;
            }
        }
        Ok(())
    })
}

fn refuse_buffers_without_the_permission() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let nothing = region.map(0, &vmo, 0, P, VmarFlags::empty())?;
    let read_only = region.map(0, &vmo, 0, P, VmarFlags::PERM_READ)?;
    for_both(|direction, vmo, _| {
        check_refused(
            direction.copy(vmo.raw_handle(), nothing, 0, 1),
            Status::NOT_FOUND,
        )
    })?;
    let (read, write) = (Direction::Read, Direction::Write);
    check_refused(
        read.copy(vmo.raw_handle(), read_only, 0, 1),
        Status::NOT_FOUND,
    )?;
    check_eq(write.copy(vmo.raw_handle(), read_only, 0, 1), Ok(()))
}

fn stop_at_a_buffer_that_ends() -> Outcome {
    let region = Region::new(2)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let last_byte = region.at(1) - 1;
    for_both(|direction, vmo, _| {
        check_eq(direction.copy(vmo.raw_handle(), last_byte, 0, 1), Ok(()))?;
        check_refused(
            direction.copy(vmo.raw_handle(), last_byte, 0, 2),
            Status::NOT_FOUND,
        )
    })
}

fn keep_what_they_copied_before_a_hole() -> Outcome {
    let (region, buffer, vmo) = (Region::new(3)?, numbered_vmo(3, 1)?, filled_vmo(3, 7)?);
    let base = region.map_at(0, &buffer, 3)?;
    calls::unmap(region.raw_handle(), base + P, P)?;
    let copied = Direction::Read.copy(vmo.raw_handle(), base + 1, 0, 3 * P - 1);
    check_refused(copied, Status::NOT_FOUND)?;
    // How near to the hole it came is not said.
    check_eq([peek(base), peek(base + 1), peek(base + P / 2)], [1, 7, 7])?;
    check_eq(peek(base + 2 * P), 3)?;
    let copied = Direction::Write.copy(vmo.raw_handle(), base, P as u64, 2 * P);
    check_refused(copied, Status::NOT_FOUND)?;
    check_eq(vmo.read_to_array::<u8, 2>(P as u64)?, [1, 7])?;
    check_eq(vmo.read_to_array::<u8, 2>(2 * P as u64)?, [7, 7])
}

fn check_the_handle_first() -> Outcome {
    for_both(|direction, vmo, _| {
        check_refused(direction.copy(0, 0, u64::MAX, 1), Status::BAD_HANDLE)?;
        let weaker = without_rights(vmo, direction.right())?;
        let copied = direction.copy(weaker.raw_handle(), 0, u64::MAX, 1);
        check_refused(copied, Status::ACCESS_DENIED)
    })
}

fn check_the_range_before_the_buffer() -> Outcome {
    for_both(|direction, vmo, _| {
        let end = vmo.get_size()?;
        check_refused(
            direction.copy(vmo.raw_handle(), 0, end, 1),
            Status::OUT_OF_RANGE,
        )
    })
}

fn copy_across_pages() -> Outcome {
    let vmo = vmo_of(2)?;
    vmo.write(b"across", P as u64 - 3)?;
    check_eq(&vmo.read_to_array::<u8, 8>(P as u64 - 4)?, b"\0across\0")
}

fn copy_the_last_byte() -> Outcome {
    let vmo = vmo_of(2)?;
    let last = vmo.get_size()? - 1;
    vmo.write(&[9], last)?;
    check_eq(vmo.read_to_object::<u8>(last)?, 9)
}

fn reading_commits_nothing() -> Outcome {
    let vmo = vmo_of(2)?;
    check_eq(vmo.read_to_array::<u8, 16>(P as u64 - 8)?, [0; 16])?;
    check_eq(vmo.info()?.committed_bytes, 0)
}

fn writing_commits_what_it_touches() -> Outcome {
    let vmo = vmo_of(4)?;
    vmo.write(&[1, 2], 2 * P as u64 - 1)?;
    let info = vmo.info()?;
    check_eq(info.committed_bytes, 2 * P as u64)?;
    check_eq(info.committed_private_bytes, 2 * P as u64)
}

fn show_in_mappings() -> Outcome {
    let region = Region::new(1)?;
    let vmo = vmo_of(1)?;
    let address = region.map_at(0, &vmo, 1)?;
    check_eq(peek(address), 0)?;
    vmo.write(&[4], 0)?;
    check_eq(peek(address), 4)?;
    poke(address, 5);
    check_eq(vmo.read_to_object::<u8>(0)?, 5)
}

fn copy_from_and_to_a_mapping_of_the_same_vmo() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    let base = region.map_at(0, &vmo, 4)?;
    let page = P as u64;
    // Neither page of the mapping has been touched yet: the copy faults them in.
    Direction::Write.copy(vmo.raw_handle(), base, page, P)?;
    check_eq(vmo.read_to_object::<u8>(page)?, 1)?;
    Direction::Read.copy(vmo.raw_handle(), base + 2 * P, 3 * page, P)?;
    check_eq(peek(base + 2 * P), 4)
}

fn copy_a_page_to_itself() -> Outcome {
    for direction in BOTH {
        let region = Region::new(2)?;
        let vmo = vmo_of(2)?;
        vmo.write(&[5; P], P as u64)?;
        let base = region.map_at(0, &vmo, 2)?;
        // No page of the mapping has been touched, and the first page does not exist.
        direction.copy(vmo.raw_handle(), base, 0, 2 * P)?;
        check_eq(vmo.info()?.committed_bytes, 2 * P as u64)?;
        check_eq(
            [peek(base), peek(base + P), peek(base + 2 * P - 1)],
            [0, 5, 5],
        )?;
        poke(base, 3);
        check_eq(vmo.read_to_object::<u8>(0)?, 3)?;
    }
    Ok(())
}

fn move_bytes_within_a_page() -> Outcome {
    let region = Region::new(1)?;
    let vmo = vmo_of(1)?;
    vmo.write(b"abcd", 0)?;
    let base = region.map_at(0, &vmo, 1)?;
    Direction::Read.copy(vmo.raw_handle(), base + 100, 0, 4)?;
    Direction::Write.copy(vmo.raw_handle(), base + 100, P as u64 - 4, 4)?;
    check_eq(&vmo.read_to_array::<u8, 4>(100)?, b"abcd")?;
    check_eq(&vmo.read_to_array::<u8, 4>(P as u64 - 4)?, b"abcd")
}

fn fault_their_buffers_in() -> Outcome {
    let region = Region::new(2)?;
    let (source, buffer) = (numbered_vmo(2, 7)?, vmo_of(2)?);
    let base = region.map_at(0, &buffer, 2)?;
    Direction::Read.copy(source.raw_handle(), base, 0, 2 * P)?;
    check_eq([peek(base), peek(base + P)], [7, 8])?;
    check_eq(buffer.info()?.committed_bytes, 2 * P as u64)
}

fn fault_both_pages_of_an_unaligned_buffer_in() -> Outcome {
    let region = Region::new(2)?;
    for distance in [1, 5, 8, 64, 256, P - 1] {
        let (source, buffer) = (filled_vmo(1, 7)?, vmo_of(2)?);
        let base = region.map_at(0, &buffer, 2)?;
        let start = base + distance;
        Direction::Read.copy(source.raw_handle(), start, 0, P)?;
        let edges = [
            start - 1,
            start,
            base + P - 1,
            base + P,
            start + P - 1,
            start + P,
        ];
        check_eq(edges.map(peek), [0, 7, 7, 7, 7, 0])?;
        calls::unmap(region.raw_handle(), base, 2 * P)?;
        let base = region.map_at(0, &buffer, 2)?;
        Direction::Write.copy(source.raw_handle(), base + distance - 1, 0, P)?;
        let edges = source.read_to_array::<u8, 2>(0)?;
        check_eq(
            (edges, source.read_to_object::<u8>(P as u64 - 1)?),
            ([0, 7], 7),
        )?;
        calls::unmap(region.raw_handle(), base, 2 * P)?;
    }
    Ok(())
}
