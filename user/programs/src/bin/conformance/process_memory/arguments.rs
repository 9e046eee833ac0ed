//! Copying from and to the memory of a process: what is refused, and in which order.

use zx::{AsHandleRef, Process, Rights, Status, VmarFlags};

use crate::fixtures::{
    BAD_ADDRESSES, CAN_MAP_ALL, P, READ_WRITE, Region, bad_handles, resizable_vmo_of, vmo_of,
    with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};
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
    a_bad_part_of_the_buffer_is_refused,
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
