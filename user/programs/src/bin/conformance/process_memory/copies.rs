//! Copying from and to the memory of a process: what is copied, where it ends, and who sees it.

use alloc::vec;
use alloc::vec::Vec;

use zx::{AsHandleRef, Rights, Status, VmarFlags, Vmo, VmoOptions};

use crate::calls;
use crate::fixtures::{
    CAN_MAP_ALL, P, READ_WRITE, Region, numbered_vmo, peek, poke, vmo_of, with_rights,
};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::{BOTH, Child, Direction, MemoryCall, wild};

pub const TESTS: &[Test] = tests![
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
    both_ends_may_be_unaligned,
    copies_megabytes,
];

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
    calls::unmap(child.root.raw_handle(), child.at(2), 2 * P)?;
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
    calls::unmap(child.root.raw_handle(), child.at(2), 2 * P)?;
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
