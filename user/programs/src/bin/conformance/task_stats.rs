//! `ZX_INFO_TASK_STATS`: `docs/spec/vmo.md` §12, `docs/spec/abi.md` §9.

use core::mem::size_of;
use core::ptr;

use zx::{
    AsHandleRef, Process, Rights, Status, TaskStatsInfo, Topic, VmarFlags, Vmo, VmoChildOptions,
    sys,
};

use crate::calls::{ask, unmap};
use crate::fixtures::{
    BAD_ADDRESSES, P, bad_handles, numbered_vmo, resizable_vmo_of, vmo_of, with_rights,
    without_rights,
};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::{Child, wild};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_process,
    needs_inspect_and_no_more,
    refuses_a_process_that_has_ended,
    refuses_small_and_bad_buffers,
    the_handle_comes_before_the_buffer,
    a_fresh_process_has_nothing,
    counts_the_lengths_of_all_mappings,
    what_is_present_and_mapped_is_private,
    what_is_mapped_twice_in_a_process_counts_twice,
    what_two_processes_map_is_shared_and_halved,
    what_three_processes_map_leaves_fractions,
    pages_that_vmos_share_are_shared_and_divided,
    vmos_and_processes_that_share_divide_one_after_the_other,
    only_what_a_mapping_shows_counts,
    follows_what_changes,
    tells_about_this_process,
    the_first_version_is_the_beginning,
    refuses_unknown_versions,
];

const TOPICS: [Topic; 2] = [Topic::TASK_STATS, Topic::TASK_STATS_V1];

const RECORD: usize = size_of::<sys::zx_info_task_stats_t>();

const NOTHING: TaskStatsInfo = TaskStatsInfo {
    mem_mapped_bytes: 0,
    mem_private_bytes: 0,
    mem_shared_bytes: 0,
    mem_scaled_shared_bytes: 0,
    mem_fractional_scaled_shared_bytes: 0,
};

/// Asks with a buffer of `size` bytes; the answer is thrown away.
fn asked(handle: u32, topic: Topic, size: usize) -> Result<(usize, usize), Status> {
    let mut buffer = [0_u8; 2 * RECORD];
    ask(handle, topic, buffer.as_mut_ptr(), size)
}

/// What a process has of memory that nobody shares.
fn private(mapped: usize, present: usize) -> TaskStatsInfo {
    TaskStatsInfo {
        mem_mapped_bytes: mapped * P,
        mem_private_bytes: present * P,
        ..NOTHING
    }
}

/// Fails unless a process has this.
#[track_caller]
fn check_stats(process: &Process, expected: TaskStatsInfo) -> Outcome {
    check_eq(process.task_stats()?, expected)
}

fn refuses_what_is_no_process() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(1)?;
    let job = rt::job_default();
    for topic in TOPICS {
        for bad in bad_handles()? {
            check_refused(asked(bad, topic, RECORD), Status::BAD_HANDLE)?;
        }
        for other in [child.root.raw_handle(), vmo.raw_handle(), job.raw_handle()] {
            check_refused(asked(other, topic, RECORD), Status::WRONG_TYPE)?;
        }
    }
    Ok(())
}

fn needs_inspect_and_no_more() -> Outcome {
    let child = Child::new()?;
    let weak = without_rights::<Process>(&child, Rights::INSPECT)?;
    let enough = with_rights::<Process>(&child, Rights::INSPECT)?;
    for topic in TOPICS {
        let refused = asked(weak.raw_handle(), topic, RECORD);
        check_refused(refused, Status::ACCESS_DENIED)?;
        check_eq(asked(enough.raw_handle(), topic, RECORD), Ok((1, 1)))?;
    }
    Ok(())
}

fn refuses_a_process_that_has_ended() -> Outcome {
    let child = Child::killed()?;
    for topic in TOPICS {
        let refused = asked(child.raw_handle(), topic, RECORD);
        check_refused(refused, Status::BAD_STATE)?;
        // The state comes before the buffer.
        let refused = asked(child.raw_handle(), topic, 0);
        check_refused(refused, Status::BAD_STATE)?;
    }
    Ok(())
}

fn refuses_small_and_bad_buffers() -> Outcome {
    let child = Child::new()?;
    for (topic, size) in TOPICS.into_iter().zip([40, 32]) {
        for small in [0, 1, size - 1] {
            let refused = asked(child.raw_handle(), topic, small);
            check_refused(refused, Status::BUFFER_TOO_SMALL)?;
        }
        for enough in [size, size + 1, 2 * RECORD] {
            check_eq(asked(child.raw_handle(), topic, enough), Ok((1, 1)))?;
        }
        for bad in BAD_ADDRESSES {
            let refused = ask(child.raw_handle(), topic, wild(bad), size);
            check_refused(refused, Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn the_handle_comes_before_the_buffer() -> Outcome {
    let weak = without_rights::<Process>(&*Child::new()?, Rights::INSPECT)?;
    let refused = ask(weak.raw_handle(), Topic::TASK_STATS, ptr::null_mut(), 0);
    check_refused(refused, Status::ACCESS_DENIED)?;
    let refused = ask(0, Topic::TASK_STATS, ptr::null_mut(), 0);
    check_refused(refused, Status::BAD_HANDLE)
}

fn a_fresh_process_has_nothing() -> Outcome {
    check_stats(&*Child::new()?, NOTHING)
}

fn counts_the_lengths_of_all_mappings() -> Outcome {
    let child = Child::new()?;
    child.map_at(0, &vmo_of(3)?, 3)?;
    check_stats(&child, private(3, 0))?;
    // Beyond the end of the VMO, and without permissions.
    child.map_at(8, &vmo_of(1)?, 4)?;
    let flags = VmarFlags::SPECIFIC;
    child.root.map(16 * P, &vmo_of(2)?, 0, 2 * P, flags)?;
    check_stats(&child, private(9, 0))
}

fn what_is_present_and_mapped_is_private() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(4)?;
    child.map_at(0, &vmo, 4)?;
    vmo.write(&[1], 0)?;
    vmo.write(&[1], 3 * P as u64)?;
    check_stats(&child, private(4, 2))?;
    // Who has handles does not matter.
    drop(vmo);
    check_stats(&child, private(4, 2))
}

fn what_is_mapped_twice_in_a_process_counts_twice() -> Outcome {
    let child = Child::new()?;
    let vmo = numbered_vmo(2, 1)?;
    child.map_at(0, &vmo, 2)?;
    child.map_at(5, &vmo, 1)?;
    check_eq(vmo.info()?.share_count, 1)?;
    check_stats(&child, private(3, 3))
}

fn what_two_processes_map_is_shared_and_halved() -> Outcome {
    let (first, second) = (Child::new()?, Child::new()?);
    let (own, both) = (numbered_vmo(1, 1)?, numbered_vmo(3, 1)?);
    first.map_at(0, &own, 1)?;
    first.map_at(2, &both, 3)?;
    second.map_at(7, &both, 2)?;
    let expected = TaskStatsInfo {
        mem_mapped_bytes: 4 * P,
        mem_private_bytes: P,
        mem_shared_bytes: 3 * P,
        mem_scaled_shared_bytes: 3 * P / 2,
        ..NOTHING
    };
    check_stats(&first, expected)?;
    let expected = TaskStatsInfo {
        mem_mapped_bytes: 2 * P,
        mem_shared_bytes: 2 * P,
        mem_scaled_shared_bytes: P,
        ..NOTHING
    };
    check_stats(&second, expected)
}

fn what_three_processes_map_leaves_fractions() -> Outcome {
    let children = [Child::new()?, Child::new()?, Child::new()?];
    let vmo = numbered_vmo(1, 1)?;
    for child in &children {
        child.map_at(0, &vmo, 1)?;
    }
    for child in &children {
        let expected = TaskStatsInfo {
            mem_mapped_bytes: P,
            mem_shared_bytes: P,
            mem_scaled_shared_bytes: P / 3,
            mem_fractional_scaled_shared_bytes: (1 << 63) / 3,
            ..NOTHING
        };
        check_stats(child, expected)?;
    }
    Ok(())
}

/// Three pages, and a snapshot of them: page 0 was written in the first, page 1 in the second since, so that
/// they share page 2 alone.
fn relatives() -> Result<(Vmo, Vmo), Status> {
    let first = numbered_vmo(3, 1)?;
    let second = first.create_child(VmoChildOptions::SNAPSHOT, 0, 3 * P as u64)?;
    first.write(&[7], 0)?;
    second.write(&[7], P as u64)?;
    Ok((first, second))
}

fn pages_that_vmos_share_are_shared_and_divided() -> Outcome {
    let child = Child::new()?;
    let (first, second) = relatives()?;
    child.map_at(0, &first, 3)?;
    let one = TaskStatsInfo {
        mem_mapped_bytes: 3 * P,
        mem_private_bytes: 2 * P,
        mem_shared_bytes: P,
        mem_scaled_shared_bytes: P / 2,
        ..NOTHING
    };
    check_stats(&child, one)?;
    child.map_at(4, &second, 3)?;
    let both = TaskStatsInfo {
        mem_mapped_bytes: 6 * P,
        mem_private_bytes: 4 * P,
        mem_shared_bytes: 2 * P,
        mem_scaled_shared_bytes: P,
        ..NOTHING
    };
    check_stats(&child, both)
}

fn vmos_and_processes_that_share_divide_one_after_the_other() -> Outcome {
    let (one, two) = (Child::new()?, Child::new()?);
    let (both_have, second) = relatives()?;
    let alone = numbered_vmo(1, 1)?;
    let shared = numbered_vmo(1, 1)?;
    one.map_at(0, &alone, 1)?;
    two.map_at(0, &second, 3)?;
    for child in [&one, &two] {
        child.map_at(4, &shared, 1)?;
        child.map_at(6, &both_have, 3)?;
    }
    let in_one = TaskStatsInfo {
        mem_mapped_bytes: 5 * P,
        mem_private_bytes: P,
        mem_shared_bytes: 4 * P,
        mem_scaled_shared_bytes: (P + 2 * P) / 2 + P / 4,
        ..NOTHING
    };
    let in_two = TaskStatsInfo {
        mem_mapped_bytes: 7 * P,
        mem_private_bytes: 2 * P,
        mem_shared_bytes: 5 * P,
        mem_scaled_shared_bytes: (P + 2 * P) / 2 + P / 4 + P / 2,
        ..NOTHING
    };
    check_stats(&one, in_one)?;
    check_stats(&two, in_two)?;
    // All parts together are the seven pages that there are.
    let parts = |stats: TaskStatsInfo| stats.mem_private_bytes + stats.mem_scaled_shared_bytes;
    check_eq(parts(in_one) + parts(in_two), 7 * P)
}

fn only_what_a_mapping_shows_counts() -> Outcome {
    let child = Child::new()?;
    let vmo = numbered_vmo(8, 1)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    child.root.map(0, &vmo, 2 * P as u64, 3 * P, flags)?;
    check_stats(&child, private(3, 3))?;
    // The last two of these are beyond the end.
    child.root.map(8 * P, &vmo, 7 * P as u64, 3 * P, flags)?;
    check_stats(&child, private(6, 4))
}

fn follows_what_changes() -> Outcome {
    let (child, other) = (Child::new()?, Child::new()?);
    let vmo = resizable_vmo_of(4)?;
    child.map_at(0, &vmo, 4)?;
    vmo.write(&[1; 4 * P], 0)?;
    check_stats(&child, private(4, 4))?;
    vmo.set_size(3 * P as u64)?;
    check_stats(&child, private(4, 3))?;
    unmap(child.root.raw_handle(), child.at(0), P)?;
    check_stats(&child, private(3, 2))?;
    other.map_at(0, &vmo, 1)?;
    check_eq(child.task_stats()?.mem_private_bytes, 0)?;
    check_eq(child.task_stats()?.mem_shared_bytes, 2 * P)?;
    drop(other);
    check_stats(&child, private(3, 2))?;
    unmap(child.root.raw_handle(), child.at(0), 4 * P)?;
    check_stats(&child, NOTHING)
}

fn tells_about_this_process() -> Outcome {
    let before = rt::process_self().task_stats()?;
    check(before.mem_private_bytes > 0, "memory of its own")?;
    let present = before.mem_private_bytes + before.mem_shared_bytes;
    check(present <= before.mem_mapped_bytes, "no more than is mapped")?;
    let scaled = before.mem_scaled_shared_bytes;
    check(scaled <= before.mem_shared_bytes, "no more than is shared")?;
    let region = crate::fixtures::Region::new(2)?;
    let vmo: Vmo = numbered_vmo(2, 1)?;
    region.map_at(0, &vmo, 2)?;
    let after = rt::process_self().task_stats()?;
    let mapped = after.mem_mapped_bytes - before.mem_mapped_bytes;
    check_eq(mapped, 2 * P)?;
    let private = after.mem_private_bytes - before.mem_private_bytes;
    check(private >= 2 * P, "two pages more")
}

fn the_first_version_is_the_beginning() -> Outcome {
    let (child, other) = (Child::new()?, Child::new()?);
    let vmo = numbered_vmo(3, 1)?;
    child.map_at(0, &vmo, 3)?;
    other.map_at(0, &vmo, 3)?;
    child.map_at(4, &numbered_vmo(1, 1)?, 1)?;
    let (mut new, mut old) = ([0_u8; RECORD], [0xaa_u8; RECORD]);
    let handle = child.raw_handle();
    let answer = ask(handle, Topic::TASK_STATS, new.as_mut_ptr(), RECORD);
    check_eq(answer, Ok((1, 1)))?;
    let answer = ask(handle, Topic::TASK_STATS_V1, old.as_mut_ptr(), RECORD);
    check_eq(answer, Ok((1, 1)))?;
    check_eq(&old[..32], &new[..32])?;
    check_eq(&old[32..], &[0xaa; 8])
}

fn refuses_unknown_versions() -> Outcome {
    let child = Child::new()?;
    for version in 2..16 {
        let topic = Topic::from_raw(version << 28 | 12);
        let refused = asked(child.raw_handle(), topic, RECORD);
        check_refused(refused, Status::NOT_SUPPORTED)?;
    }
    Ok(())
}
