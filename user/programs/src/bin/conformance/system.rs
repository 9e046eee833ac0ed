//! Time, console, randomness and facts about the machine: `docs/spec/objects.md` §12.

use core::ptr;

use syscall::VERSION_STRING_BYTES;
use zx::{
    AsHandleRef, MemStats, MonotonicDuration, MonotonicInstant, Status, Vmo, VmoOp, VmoOptions, ok,
    sys, system_get_num_cpus, system_get_page_size, system_get_physmem, system_get_version_string,
};

use crate::fixtures::{BAD_ADDRESSES, P, Region, bad_handles, poke, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    the_clock_never_goes_back,
    sleeping_reaches_the_deadline,
    sleeping_until_the_past_returns,
    pages_have_4096_bytes,
    there_is_a_cpu,
    there_is_memory,
    the_version_is_text_and_ends_with_nul,
    the_version_needs_room,
    the_version_refuses_bad_buffers,
    random_bytes_differ,
    random_bytes_fill_exactly_the_buffer,
    the_console_refuses_bad_buffers,
    the_console_takes_nothing,
    console_input_needs_its_resource,
    commands_need_their_resource,
    commands_refuse_bad_buffers,
    memory_statistics_add_up,
    memory_comes_back,
    discardable_memory_is_told_by_whether_it_is_locked,
];

fn the_clock_never_goes_back() -> Outcome {
    let mut last = MonotonicInstant::ZERO;
    for _ in 0..10_000 {
        let now = MonotonicInstant::get();
        check(now >= last, "time that does not go back")?;
        last = now;
    }
    check(last > MonotonicInstant::ZERO, "a running clock")
}

fn sleeping_reaches_the_deadline() -> Outcome {
    for micros in [0, 1, 1_000, 20_000] {
        let deadline = MonotonicInstant::after(MonotonicDuration::from_micros(micros));
        deadline.sleep();
        check(
            MonotonicInstant::get() >= deadline,
            "the deadline to have passed",
        )?;
    }
    Ok(())
}

fn sleeping_until_the_past_returns() -> Outcome {
    for deadline in [i64::MIN, -1, 0, 1] {
        // SAFETY: the call takes no pointer and changes nothing.
        check_eq(ok(unsafe { sys::zx_nanosleep(deadline) }), Ok(()))?;
    }
    Ok(())
}

fn pages_have_4096_bytes() -> Outcome {
    check_eq(system_get_page_size() as usize, P)
}

fn there_is_a_cpu() -> Outcome {
    let count = system_get_num_cpus();
    check((1..=32).contains(&count), "between 1 and 32 CPUs")?;
    check_eq(system_get_num_cpus(), count)
}

fn there_is_memory() -> Outcome {
    let bytes = system_get_physmem();
    check(bytes >= 16 << 20, "at least 16 MiB")?;
    check_eq(system_get_physmem(), bytes)
}

/// Asks for the version with any buffer.
fn version(buffer: *mut u8, size: usize) -> Result<(), Status> {
    // SAFETY: the tests give their own buffers or addresses that the kernel refuses, which is what is
    // tested.
    ok(unsafe { sys::zx_system_get_version_string(buffer, size) })
}

fn the_version_is_text_and_ends_with_nul() -> Outcome {
    let mut buffer = [0xaa; VERSION_STRING_BYTES];
    let version = system_get_version_string(&mut buffer)?;
    check(!version.is_empty(), "some text")
}

fn the_version_needs_room() -> Outcome {
    let mut buffer = [0xaa; VERSION_STRING_BYTES];
    let length = system_get_version_string(&mut buffer)?.len();
    let mut buffer = [0xaa; VERSION_STRING_BYTES];
    for size in [0, 1, length] {
        check_refused(version(buffer.as_mut_ptr(), size), Status::BUFFER_TOO_SMALL)?;
    }
    check_eq(buffer, [0xaa; VERSION_STRING_BYTES])?;
    check_eq(version(buffer.as_mut_ptr(), length + 1), Ok(()))?;
    check_eq(buffer[length], 0)
}

fn the_version_refuses_bad_buffers() -> Outcome {
    for bad in BAD_ADDRESSES {
        let asked = version(ptr::without_provenance_mut(bad), VERSION_STRING_BYTES);
        check_refused(asked, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn random_bytes_differ() -> Outcome {
    let mut draws = [[0_u8; 16]; 4];
    for draw in &mut draws {
        zx::cprng_draw(draw);
    }
    draws.sort_unstable();
    check(draws.is_sorted_by(|a, b| a < b), "draws that all differ")
}

fn random_bytes_fill_exactly_the_buffer() -> Outcome {
    for length in [0, 1, 7, 256, 1000] {
        let mut buffer = [0_u8; 1024];
        zx::cprng_draw(&mut buffer[..length]);
        check(
            buffer[length..].iter().all(|byte| *byte == 0),
            "nothing behind the buffer",
        )?;
        // Of 16 random bytes in a row, all are zero once in 2^128 draws.
        let runs = buffer[..length].chunks_exact(16);
        check(
            runs.into_iter().all(|run| run != [0; 16]),
            "random bytes everywhere",
        )?;
    }
    Ok(())
}

fn the_console_refuses_bad_buffers() -> Outcome {
    for bad in BAD_ADDRESSES {
        // SAFETY: the call only reads, from where the kernel finds that it can.
        let raw = unsafe { sys::zx_debug_write(ptr::without_provenance(bad), 1) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn the_console_takes_nothing() -> Outcome {
    check_eq(zx::debug_write(&[]), Ok(()))
}

/// Handles that are no resource, each with the status it earns.
fn check_resource(call: impl Fn(u32) -> Result<(), Status>) -> Outcome {
    for bad in bad_handles()? {
        check_refused(call(bad), Status::BAD_HANDLE)?;
    }
    let vmo = vmo_of(0)?;
    check_refused(call(vmo.raw_handle()), Status::WRONG_TYPE)
}

fn console_input_needs_its_resource() -> Outcome {
    let mut buffer = [0; 8];
    let mut actual = 0;
    let (buffer, actual): (*mut u8, *mut usize) = (buffer.as_mut_ptr(), &mut actual);
    check_resource(|handle| {
        // SAFETY: buffer and count are live locals of the test.
        ok(unsafe { sys::zx_debug_read(handle, buffer, 8, actual) })
    })
}

fn commands_need_their_resource() -> Outcome {
    let command = "help";
    check_resource(|handle| {
        // SAFETY: `command` is a live constant.
        ok(unsafe { sys::zx_debug_send_command(handle, command.as_ptr(), command.len()) })
    })
}

fn commands_refuse_bad_buffers() -> Outcome {
    let resource = rt::system_resource();
    for bad in BAD_ADDRESSES {
        let command = ptr::without_provenance(bad);
        // SAFETY: the call only reads, from where the kernel finds that it can.
        let raw = unsafe { sys::zx_debug_send_command(resource.raw_handle(), command, 4) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn memory_statistics_add_up() -> Outcome {
    let stats = rt::system_resource().mem_stats()?;
    let listed = stats.free_bytes
        + stats.wired_bytes
        + stats.total_heap_bytes
        + stats.vmo_bytes
        + stats.mmu_overhead_bytes
        + stats.ipc_bytes
        + stats.other_bytes;
    check_eq(listed, stats.total_bytes)?;
    check(
        stats.free_heap_bytes <= stats.total_heap_bytes,
        "a heap that is part of itself",
    )
}

fn memory_comes_back() -> Outcome {
    const PAGES: usize = 64;

    // Once before counting, so that caches and page tables that stay are there.
    fill_and_drop(PAGES)?;
    let before = rt::system_resource().mem_stats()?;
    for _ in 0..8 {
        fill_and_drop(PAGES)?;
    }
    let after = rt::system_resource().mem_stats()?;
    check_eq(after.vmo_bytes, before.vmo_bytes)?;
    check_eq(after.mmu_overhead_bytes, before.mmu_overhead_bytes)
}

fn discardable_memory_is_told_by_whether_it_is_locked() -> Outcome {
    const SIZE: u64 = 4 * P as u64;

    let told = || {
        let stats = rt::system_resource().mem_stats()?;
        let MemStats {
            vmo_discardable_locked_bytes: locked,
            vmo_discardable_unlocked_bytes: unlocked,
            vmo_reclaim_total_bytes: reclaimable,
            ..
        } = stats;
        Ok::<_, Status>((locked, unlocked, reclaimable))
    };
    let (locked, unlocked, reclaimable) = told()?;
    let vmo = Vmo::create_with_opts(VmoOptions::DISCARDABLE, SIZE)?;
    vmo.op_range(VmoOp::TRY_LOCK, 0, SIZE)?;
    vmo.op_range(VmoOp::COMMIT, 0, SIZE)?;
    check_eq(told()?, (locked + SIZE, unlocked, reclaimable))?;
    vmo.op_range(VmoOp::UNLOCK, 0, SIZE)?;
    check_eq(told()?, (locked, unlocked + SIZE, reclaimable + SIZE))?;
    drop(vmo);
    check_eq(told()?, (locked, unlocked, reclaimable))
}

/// Commits pages through a mapping in a region that then goes away with everything in it.
fn fill_and_drop(pages: usize) -> Outcome {
    let region = Region::new(pages)?;
    let base = region.map_at(0, &vmo_of(pages)?, pages)?;
    for page in 0..pages {
        poke(base + page * P, 1);
    }
    Ok(())
}
