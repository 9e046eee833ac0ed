//! `zx_process_read_memory` and `zx_process_write_memory`: `docs/spec/objects.md` §9.

use alloc::vec;
use alloc::vec::Vec;

use zx::{AsHandleRef, Process, Rights, Status, VmarFlags, Vmo, VmoOptions};

use crate::fixtures::{
    BAD_ADDRESSES, CAN_MAP_ALL, P, READ_WRITE, Region, bad_handles, numbered_vmo, peek, poke,
    resizable_vmo_of, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::{BOTH, Child, Direction, MemoryCall, wild};

pub const TESTS: &[Test] = tests![
    refuses_bad_sizes_and_no_buffer,
    accepts_the_largest_size,
    refuses_what_is_no_process,
    needs_the_documented_rights,
    sizes_come_before_the_handle,
    the_handle_comes_before_the_address,
    finds_nothing_where_nothing_is_mapped,
    finds_nothing_in_the_gap_of_a_region,
    refuses_what_is_behind_the_vmo,
    refuses_bad_buffers,
    the_address_comes_before_the_buffer,
    refuses_counts_that_cannot_be_told,
    copies_every_byte,
    copies_across_pages,
    stops_at_the_end_of_the_mapping,
    stops_at_the_end_of_the_vmo,
    never_reaches_the_next_mapping,
    a_hole_cut_later_ends_it_too,
    what_survives_a_hole_shows_its_own_page,
    permissions_do_not_matter,
    reading_commits_nothing,
    writing_commits_what_it_touches,
    sees_what_a_mapping_elsewhere_wrote,
    is_seen_by_a_mapping_of_zeros,
    works_on_this_process,
    works_within_one_mapping,
    works_between_two_absent_pages_of_one_mapping,
    works_in_regions_below,
    a_bad_part_of_the_buffer_is_refused,
    both_ends_may_be_unaligned,
    copies_megabytes,
];

fn refuses_bad_sizes_and_no_buffer() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(1)?, 1)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        let valid = MemoryCall::new(direction, &child, base, &mut buffer);
        for size in [0, (64 << 20) + 1, usize::MAX] {
            check_refused(MemoryCall { size, ..valid }.make(), Status::INVALID_ARGS)?;
        }
        let buffer = wild(0);
        check_refused(MemoryCall { buffer, ..valid }.make(), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn accepts_the_largest_size() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(1)?, 1)?;
    let mut buffer = [0; P];
    for direction in BOTH {
        let valid = MemoryCall::new(direction, &child, base, &mut buffer);
        let size = 64 << 20;
        // Only the part of the buffer that is used has to exist.
        check_eq(MemoryCall { size, ..valid }.make(), Ok(P))?;
    }
    Ok(())
}

fn refuses_what_is_no_process() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(1)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        let valid = MemoryCall::new(direction, &child, child.base, &mut buffer);
        for process in bad_handles()? {
            check_refused(MemoryCall { process, ..valid }.make(), Status::BAD_HANDLE)?;
        }
        for process in [vmo.raw_handle(), child.root.raw_handle()] {
            check_refused(MemoryCall { process, ..valid }.make(), Status::WRONG_TYPE)?;
        }
    }
    Ok(())
}

fn needs_the_documented_rights() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(1)?, 1)?;
    let mut buffer = [0; 8];
    for (direction, needed) in [
        (Direction::Read, Rights::READ | Rights::WRITE),
        (Direction::Write, Rights::WRITE),
    ] {
        for right in needed {
            let weak = without_rights::<Process>(&child, right)?;
            let call = MemoryCall::new(direction, &weak, base, &mut buffer);
            check_refused(call.make(), Status::ACCESS_DENIED)?;
        }
        let enough = with_rights::<Process>(&child, needed)?;
        let call = MemoryCall::new(direction, &enough, base, &mut buffer);
        check_eq(call.make(), Ok(8))?;
    }
    Ok(())
}

fn sizes_come_before_the_handle() -> Outcome {
    let child = Child::new()?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        let call = MemoryCall {
            process: 0,
            size: 0,
            ..MemoryCall::new(direction, &child, 0, &mut buffer)
        };
        check_refused(call.make(), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn the_handle_comes_before_the_address() -> Outcome {
    let killed = Child::killed()?;
    let weak = with_rights::<Process>(&killed, Rights::NONE)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        let call = MemoryCall::new(direction, &weak, 0, &mut buffer);
        check_refused(call.make(), Status::ACCESS_DENIED)?;
        let call = MemoryCall::new(direction, &killed, 0, &mut buffer);
        check_refused(call.make(), Status::BAD_STATE)?;
    }
    Ok(())
}

fn finds_nothing_where_nothing_is_mapped() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(2)?;
    child.map_at(4, &vmo, 2)?;
    let mut buffer = [0; 8];
    let edges = [child.at(4) - 1, child.at(6), child.at(0), child.at(3)];
    for direction in BOTH {
        for address in edges.into_iter().chain(BAD_ADDRESSES) {
            let call = MemoryCall::new(direction, &child, address, &mut buffer);
            check_refused(call.make(), Status::NOT_FOUND)?;
        }
    }
    Ok(())
}

fn finds_nothing_in_the_gap_of_a_region() -> Outcome {
    let child = Child::new()?;
    let (region, base) = child.root.allocate(0, 4 * P, CAN_MAP_ALL)?;
    region.map(P, &vmo_of(1)?, 0, P, READ_WRITE | VmarFlags::SPECIFIC)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        for address in [base, base + 2 * P, base + 4 * P - 1] {
            let call = MemoryCall::new(direction, &child, address, &mut buffer);
            check_refused(call.make(), Status::NOT_FOUND)?;
        }
    }
    Ok(())
}

fn refuses_what_is_behind_the_vmo() -> Outcome {
    let child = Child::new()?;
    let vmo = resizable_vmo_of(4)?;
    let base = child.map_at(0, &vmo, 8)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        vmo.set_size(4 * P as u64)?;
        let call = MemoryCall::new(direction, &child, base + 4 * P, &mut buffer);
        check_refused(call.make(), Status::OUT_OF_RANGE)?;
        vmo.set_size(0)?;
        let call = MemoryCall::new(direction, &child, base, &mut buffer);
        check_refused(call.make(), Status::OUT_OF_RANGE)?;
    }
    // A mapping that begins far behind the end, at the last offset that a mapping can show.
    let far = u64::MAX - (2 * P as u64) + 1;
    let there = child.root.map(0, &vmo, far, P, READ_WRITE)?;
    let call = MemoryCall::new(Direction::Read, &child, there + 8, &mut buffer);
    check_refused(call.make(), Status::OUT_OF_RANGE)
}

fn refuses_bad_buffers() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(1)?, 1)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        let valid = MemoryCall::new(direction, &child, base, &mut buffer);
        for bad in BAD_ADDRESSES {
            let buffer = wild(bad);
            check_refused(MemoryCall { buffer, ..valid }.make(), Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn the_address_comes_before_the_buffer() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(1)?, 2)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        let valid = MemoryCall::new(direction, &child, base, &mut buffer);
        let bad = MemoryCall {
            buffer: wild(1),
            ..valid
        };
        for (address, expected) in [
            (base + 2 * P, Status::NOT_FOUND),
            (base + P, Status::OUT_OF_RANGE),
            (base, Status::INVALID_ARGS),
        ] {
            check_refused(MemoryCall { address, ..bad }.make(), expected)?;
        }
    }
    Ok(())
}

fn refuses_counts_that_cannot_be_told() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(1)?, 1)?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        for bad in BAD_ADDRESSES {
            let call = MemoryCall::new(direction, &child, base, &mut buffer);
            check_refused(call.make_into(wild(bad).cast()), Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

/// Bytes that differ from their neighbours.
fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 256) as u8)
        .collect()
}

fn copies_every_byte() -> Outcome {
    let (child, vmo) = (Child::new()?, vmo_of(1)?);
    let base = child.map_at(9, &vmo, 1)?;
    let bytes = pattern(P);
    check_eq(child.write_memory(base, &bytes), Ok(P))?;
    let mut stored = vec![0; P];
    vmo.read(&mut stored, 0)?;
    check(stored == bytes, "the bytes in the VMO")?;
    let mut copy = vec![0; P];
    check_eq(child.read_memory(base, &mut copy), Ok(P))?;
    check(copy == bytes, "the bytes in the copy")
}

fn copies_across_pages() -> Outcome {
    let (child, vmo) = (Child::new()?, numbered_vmo(4, 1)?);
    let base = child.map_at(0, &vmo, 4)?;
    let mut copy = vec![0; 2 * P + 2];
    check_eq(child.read_memory(base + P - 1, &mut copy), Ok(2 * P + 2))?;
    check_eq(
        (copy[0], copy[1], copy[P + 1], copy[2 * P + 1]),
        (0, 2, 3, 4),
    )
}

fn stops_at_the_end_of_the_mapping() -> Outcome {
    let (child, vmo) = (Child::new()?, vmo_of(8)?);
    let base = child.map_at(0, &vmo, 2)?;
    let mut buffer = pattern(3 * P);
    for direction in BOTH {
        let call = MemoryCall::new(direction, &child, base + 100, &mut buffer);
        check_eq(call.make(), Ok(2 * P - 100))?;
        let call = MemoryCall::new(direction, &child, base + 2 * P - 1, &mut buffer);
        check_eq(call.make(), Ok(1))?;
    }
    // The VMO goes on, but nothing was written there.
    let mut behind = [1; 1];
    vmo.read(&mut behind, 2 * P as u64)?;
    check_eq(behind, [0])
}

fn stops_at_the_end_of_the_vmo() -> Outcome {
    let (child, vmo) = (Child::new()?, vmo_of(2)?);
    let base = child.map_at(0, &vmo, 4)?;
    let mut buffer = vec![1; 4 * P];
    for direction in BOTH {
        let call = MemoryCall::new(direction, &child, base, &mut buffer);
        check_eq(call.make(), Ok(2 * P))?;
        let call = MemoryCall::new(direction, &child, base + 2 * P - 3, &mut buffer);
        check_eq(call.make(), Ok(3))?;
    }
    Ok(())
}

fn never_reaches_the_next_mapping() -> Outcome {
    let child = Child::new()?;
    let (first, second) = (vmo_of(1)?, vmo_of(1)?);
    child.map_at(0, &first, 1)?;
    child.map_at(1, &second, 1)?;
    let mut buffer = vec![5; 2 * P];
    for direction in BOTH {
        let call = MemoryCall::new(direction, &child, child.at(0), &mut buffer);
        check_eq(call.make(), Ok(P))?;
    }
    let mut byte = [9];
    second.read(&mut byte, 0)?;
    check_eq(byte, [0])?;
    check_eq(second.info()?.committed_bytes, 0)
}

fn a_hole_cut_later_ends_it_too() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &numbered_vmo(6, 1)?, 6)?;
    crate::calls::unmap(child.root.raw_handle(), child.at(2), 2 * P)?;
    let mut buffer = vec![0; 6 * P];
    for direction in BOTH {
        let call = MemoryCall::new(direction, &child, base, &mut buffer);
        check_eq(call.make(), Ok(2 * P))?;
        for page in [2, 3] {
            let call = MemoryCall::new(direction, &child, child.at(page), &mut buffer);
            check_refused(call.make(), Status::NOT_FOUND)?;
        }
    }
    Ok(())
}

fn what_survives_a_hole_shows_its_own_page() -> Outcome {
    let child = Child::new()?;
    child.map_at(0, &numbered_vmo(6, 1)?, 6)?;
    crate::calls::unmap(child.root.raw_handle(), child.at(2), 2 * P)?;
    for (page, number) in [(0, 1), (1, 2), (4, 5), (5, 6)] {
        let mut byte = [0];
        check_eq(child.read_memory(child.at(page), &mut byte), Ok(1))?;
        check_eq(byte, [number])?;
    }
    Ok(())
}

fn permissions_do_not_matter() -> Outcome {
    let child = Child::new()?;
    for (page, flags) in [VmarFlags::empty(), VmarFlags::PERM_READ]
        .into_iter()
        .enumerate()
    {
        let vmo = vmo_of(1)?;
        // Not even what the handle allows: the mapping can never be written.
        let weak = with_rights(&vmo, Rights::MAP | Rights::READ)?;
        let flags = flags | VmarFlags::SPECIFIC;
        let base = child.root.map(page * P, &weak, 0, P, flags)?;
        check_eq(child.write_memory(base, &[3, 4]), Ok(2))?;
        let mut bytes = [0; 2];
        check_eq(child.read_memory(base, &mut bytes), Ok(2))?;
        check_eq(bytes, [3, 4])?;
        vmo.read(&mut bytes, 0)?;
        check_eq(bytes, [3, 4])?;
    }
    Ok(())
}

fn reading_commits_nothing() -> Outcome {
    let (child, vmo) = (Child::new()?, vmo_of(4)?);
    let base = child.map_at(0, &vmo, 4)?;
    let mut buffer = vec![1; 4 * P];
    check_eq(child.read_memory(base, &mut buffer), Ok(4 * P))?;
    check(buffer.iter().all(|byte| *byte == 0), "zeros")?;
    check_eq(vmo.info()?.committed_bytes, 0)
}

fn writing_commits_what_it_touches() -> Outcome {
    let (child, vmo) = (Child::new()?, vmo_of(4)?);
    let base = child.map_at(0, &vmo, 4)?;
    check_eq(child.write_memory(base + 2 * P - 1, &[1, 1]), Ok(2))?;
    check_eq(vmo.info()?.committed_bytes, 2 * P as u64)
}

fn sees_what_a_mapping_elsewhere_wrote() -> Outcome {
    let (child, region, vmo) = (Child::new()?, Region::new(1)?, vmo_of(1)?);
    let there = child.map_at(0, &vmo, 1)?;
    let here = region.map_at(0, &vmo, 1)?;
    poke(here + 5, 77);
    let mut byte = [0];
    check_eq(child.read_memory(there + 5, &mut byte), Ok(1))?;
    check_eq(byte, [77])
}

fn is_seen_by_a_mapping_of_zeros() -> Outcome {
    let (child, region, vmo) = (Child::new()?, Region::new(1)?, vmo_of(1)?);
    let there = child.map_at(0, &vmo, 1)?;
    let here = region.map_at(0, &vmo, 1)?;
    // The page of zeros is entered here, and has to go when the page is made.
    check_eq(peek(here), 0)?;
    check_eq(child.write_memory(there, &[78]), Ok(1))?;
    check_eq(peek(here), 78)
}

fn works_on_this_process() -> Outcome {
    let (region, vmo) = (Region::new(2)?, vmo_of(1)?);
    let base = region.map_at(0, &vmo, 1)?;
    let own = rt::process_self();
    check_eq(own.write_memory(base + 1, &[6]), Ok(1))?;
    check_eq(peek(base + 1), 6)?;
    let mut byte = [0];
    check_eq(own.read_memory(base + 1, &mut byte), Ok(1))?;
    check_eq(byte, [6])?;
    check_refused(own.read_memory(region.at(1), &mut byte), Status::NOT_FOUND)?;
    // Code can be read like everything else.
    let code = works_on_this_process as *const () as usize;
    check_eq(own.read_memory(code, &mut byte), Ok(1))
}

fn works_within_one_mapping() -> Outcome {
    let (region, vmo) = (Region::new(2)?, numbered_vmo(2, 1)?);
    let base = region.map_at(0, &vmo, 2)?;
    let own = rt::process_self().raw_handle();
    let call = MemoryCall {
        direction: Direction::Read,
        process: own,
        address: base,
        buffer: wild(base + P),
        size: P,
    };
    check_eq(call.make(), Ok(P))?;
    check_eq(peek(base + P), 1)?;
    poke(base + P + 9, 42);
    let call = MemoryCall {
        direction: Direction::Write,
        ..call
    };
    check_eq(call.make(), Ok(P))?;
    check_eq(peek(base + 9), 42)?;
    // Even onto itself.
    for direction in BOTH {
        let same = MemoryCall {
            direction,
            buffer: wild(base),
            ..call
        };
        check_eq(same.make(), Ok(P))?;
    }
    check_eq(peek(base + 9), 42)
}

fn works_between_two_absent_pages_of_one_mapping() -> Outcome {
    for direction in BOTH {
        let (region, vmo) = (Region::new(2)?, vmo_of(2)?);
        let base = region.map_at(0, &vmo, 2)?;
        let call = MemoryCall {
            direction,
            process: rt::process_self().raw_handle(),
            address: base,
            buffer: wild(base + P),
            size: 2 * P,
        };
        // The buffer ends with the mapping, one page short of what is asked for.
        check_refused(call.make(), Status::INVALID_ARGS)?;
        check_eq(MemoryCall { size: P, ..call }.make(), Ok(P))?;
        check_eq((peek(base), peek(base + P)), (0, 0))?;
    }
    Ok(())
}

fn works_in_regions_below() -> Outcome {
    let child = Child::new()?;
    let (outer, _) = child.root.allocate(0, 16 * P, CAN_MAP_ALL)?;
    let (inner, _) = outer.allocate(0, 4 * P, CAN_MAP_ALL)?;
    let base = inner.map(0, &numbered_vmo(2, 8)?, 0, 2 * P, READ_WRITE)?;
    let mut byte = [0];
    check_eq(child.read_memory(base + P, &mut byte), Ok(1))?;
    check_eq(byte, [9])
}

fn a_bad_part_of_the_buffer_is_refused() -> Outcome {
    let child = Child::new()?;
    let there = child.map_at(0, &vmo_of(3)?, 3)?;
    let region = Region::new(3)?;
    let here = region.map_at(0, &vmo_of(1)?, 1)?;
    for direction in BOTH {
        let call = MemoryCall {
            direction,
            process: child.raw_handle(),
            address: there,
            buffer: wild(here + P - 8),
            size: 9,
        };
        check_refused(call.make(), Status::INVALID_ARGS)?;
        check_eq(MemoryCall { size: 8, ..call }.make(), Ok(8))?;
    }
    // A buffer that may only be read is good for one direction.
    // SAFETY: nothing but this test uses the page.
    unsafe { region.protect(here, P, VmarFlags::PERM_READ) }?;
    let read = MemoryCall {
        direction: Direction::Read,
        process: child.raw_handle(),
        address: there,
        buffer: wild(here),
        size: 8,
    };
    check_refused(read.make(), Status::INVALID_ARGS)?;
    let write = MemoryCall {
        direction: Direction::Write,
        ..read
    };
    check_eq(write.make(), Ok(8))
}

fn both_ends_may_be_unaligned() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(0, &vmo_of(4)?, 4)?;
    let bytes = pattern(2 * P + 37);
    for (there, here) in [(1, 0), (0, 3), (4095, 4), (4090, 9)] {
        let sent = &bytes[here..];
        check_eq(child.write_memory(base + there, sent), Ok(sent.len()))?;
        let mut back = vec![0; sent.len()];
        check_eq(child.read_memory(base + there, &mut back), Ok(sent.len()))?;
        check(back == sent, "the same bytes")?;
    }
    Ok(())
}

fn copies_megabytes() -> Outcome {
    const BYTES: usize = 4 << 20;

    let child = Child::new()?;
    let source = Vmo::create_with_opts(VmoOptions::empty(), BYTES as u64)?;
    let there = child.map_at(0, &source, BYTES / P)?;
    let region = Region::new(BYTES / P)?;
    let here = region.map_at(0, &vmo_of(BYTES / P)?, BYTES / P)?;
    let last = there + BYTES - 1;
    check_eq(child.write_memory(last, &[99]), Ok(1))?;
    let call = MemoryCall {
        direction: Direction::Read,
        process: child.raw_handle(),
        address: there,
        buffer: wild(here),
        size: BYTES,
    };
    check_eq(call.make(), Ok(BYTES))?;
    check_eq((peek(here), peek(here + BYTES - 1)), (0, 99))
}
