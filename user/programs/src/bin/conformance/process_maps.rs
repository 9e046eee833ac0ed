//! `ZX_INFO_PROCESS_MAPS`: `docs/spec/vmar.md` §13, `docs/spec/abi.md` §9.

use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of};
use core::ptr;

use zx::{
    AsHandleRef, MapDetails, MapInfo, Name, Process, Rights, Status, Topic, VmarFlags,
    VmarFlagsExtended, sys,
};

use crate::calls::ask;
use crate::fixtures::{
    BAD_ADDRESSES, CAN_MAP_ALL, P, READ_WRITE, bad_handles, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::{Child, wild};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_process,
    needs_inspect_and_no_more,
    refuses_a_process_that_has_ended,
    refuses_bad_buffers_and_counts,
    the_handle_comes_before_the_buffer,
    accepts_a_buffer_of_size_zero,
    cuts_the_answer_to_the_buffer,
    an_unstarted_process_has_two_records,
    the_first_record_is_the_address_space,
    the_rest_is_the_root_region_one_deeper,
    tells_about_this_process,
    each_run_of_permissions_has_a_record,
    tells_offsets_and_memory_of_each_run,
    follows_the_tree_as_it_changes,
    the_first_version_counts_pages,
    the_second_version_is_shorter,
    refuses_unknown_versions,
    many_records_are_all_there,
];

const TOPICS: [Topic; 3] = [
    Topic::PROCESS_MAPS,
    Topic::PROCESS_MAPS_V2,
    Topic::PROCESS_MAPS_V1,
];

/// Asks for the maps of a process with nowhere to put them.
fn count(handle: u32, topic: Topic) -> Result<(usize, usize), Status> {
    ask(handle, topic, ptr::null_mut(), 0)
}

fn refuses_what_is_no_process() -> Outcome {
    let child = Child::new()?;
    let others = [
        child.root.raw_handle(),
        rt::job_default().raw_handle(),
        rt::thread_self().raw_handle(),
    ];
    for topic in TOPICS {
        for bad in bad_handles()? {
            check_refused(count(bad, topic), Status::BAD_HANDLE)?;
        }
        for other in others {
            check_refused(count(other, topic), Status::WRONG_TYPE)?;
        }
    }
    Ok(())
}

fn needs_inspect_and_no_more() -> Outcome {
    let child = Child::new()?;
    let weak = without_rights::<Process>(&child, Rights::INSPECT)?;
    let enough = with_rights::<Process>(&child, Rights::INSPECT)?;
    for topic in TOPICS {
        check_refused(count(weak.raw_handle(), topic), Status::ACCESS_DENIED)?;
        check_eq(count(enough.raw_handle(), topic), Ok((0, 2)))?;
    }
    Ok(())
}

fn refuses_a_process_that_has_ended() -> Outcome {
    let child = Child::killed()?;
    for topic in TOPICS {
        check_refused(count(child.raw_handle(), topic), Status::BAD_STATE)?;
    }
    // The state comes before the buffer.
    let answer = ask(child.raw_handle(), Topic::PROCESS_MAPS, wild(1), 152);
    check_refused(answer, Status::BAD_STATE)
}

fn refuses_bad_buffers_and_counts() -> Outcome {
    let child = Child::new()?;
    for bad in BAD_ADDRESSES {
        let answer = ask(child.raw_handle(), Topic::PROCESS_MAPS, wild(bad), 152);
        check_refused(answer, Status::INVALID_ARGS)?;
        if bad == 0 {
            continue;
        }
        let bad = wild(bad).cast();
        for (actual, available) in [(bad, ptr::null_mut()), (ptr::null_mut(), bad)] {
            // SAFETY: nothing is written but counts, to where the kernel refuses to.
            let answer = zx::ok(unsafe {
                sys::zx_object_get_info(
                    child.raw_handle(),
                    sys::ZX_INFO_PROCESS_MAPS,
                    ptr::null_mut(),
                    0,
                    actual,
                    available,
                )
            });
            check_refused(answer, Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn the_handle_comes_before_the_buffer() -> Outcome {
    let child = Child::new()?;
    let weak = without_rights::<Process>(&child, Rights::INSPECT)?;
    let answer = ask(weak.raw_handle(), Topic::PROCESS_MAPS, wild(1), 152);
    check_refused(answer, Status::ACCESS_DENIED)?;
    let answer = ask(0, Topic::PROCESS_MAPS, wild(1), 152);
    check_refused(answer, Status::BAD_HANDLE)
}

fn accepts_a_buffer_of_size_zero() -> Outcome {
    let child = Child::new()?;
    for buffer in [ptr::null_mut(), wild(usize::MAX)] {
        let answer = ask(child.raw_handle(), Topic::PROCESS_MAPS, buffer, 0);
        check_eq(answer, Ok((0, 2)))?;
    }
    Ok(())
}

fn cuts_the_answer_to_the_buffer() -> Outcome {
    let child = Child::new()?;
    for page in [1, 3, 5] {
        child.map_at(page, &vmo_of(1)?, 1)?;
    }
    let all = child.info_maps_vec()?;
    check_eq(all.len(), 5)?;
    for fitting in 0..7 {
        let mut buffer = [MaybeUninit::uninit(); 7];
        let (filled, _, available) = child.info_maps(&mut buffer[..fitting])?;
        check_eq((filled.len(), available), (fitting.min(5), 5))?;
        check_eq(&*filled, &all[..fitting.min(5)])?;
    }
    // What does not make a whole record is left alone.
    let mut bytes = [0xaa_u8; 2 * size_of::<MapInfo>() - 1];
    let (start, size) = (bytes.as_mut_ptr(), bytes.len());
    let answer = ask(child.raw_handle(), Topic::PROCESS_MAPS, start, size);
    check_eq(answer, Ok((1, 5)))?;
    let rest = &bytes[size_of::<MapInfo>()..];
    check(rest.iter().all(|byte| *byte == 0xaa), "no further bytes")
}

fn an_unstarted_process_has_two_records() -> Outcome {
    let maps = Child::new()?.info_maps_vec()?;
    check_eq(maps.len(), 2)?;
    check_eq(maps[0].details(), MapDetails::AddressSpace)?;
    check_eq(maps[1].details(), MapDetails::Vmar)
}

fn the_first_record_is_the_address_space() -> Outcome {
    let child = Child::new()?;
    let maps = child.info_maps_vec()?;
    let root = child.root.info()?;
    check_eq(maps[0].depth, 0)?;
    check_eq(maps[0].name, Name::new_lossy("child"))?;
    let contains = maps[0].base <= root.base && root.base + root.len <= maps[0].base + maps[0].size;
    check(contains, "the root region inside")?;
    let own = rt::process_self().info_maps_vec()?;
    check_eq((own[0].base, own[0].size), (maps[0].base, maps[0].size))
}

/// Fails unless the maps of a process are an address space, and the maps of its root one deeper.
#[track_caller]
fn check_agrees(process: &Process, root: &zx::Vmar) -> Outcome {
    let maps = process.info_maps_vec()?;
    let below = root.info_maps_vec()?;
    check_eq(maps.len(), below.len() + 1)?;
    for (record, other) in maps[1..].iter().zip(&below) {
        let mut same = *record;
        same.depth -= 1;
        check_eq(&same, other)?;
    }
    check_eq((maps[1].depth, maps[1].name), (1, Name::new_lossy("root")))
}

fn the_rest_is_the_root_region_one_deeper() -> Outcome {
    let child = Child::new()?;
    let (outer, _) = child.root.allocate(0, 16 * P, CAN_MAP_ALL)?;
    let (inner, _) = outer.allocate(0, 4 * P, CAN_MAP_ALL)?;
    inner.map(0, &vmo_of(1)?, 0, P, READ_WRITE)?;
    outer.map(0, &vmo_of(1)?, 0, P, READ_WRITE)?;
    child.map_at(0, &vmo_of(1)?, 1)?;
    let depths: Vec<usize> = child.info_maps_vec()?.iter().map(|map| map.depth).collect();
    check(depths.contains(&4), "a mapping in the inner region")?;
    let grows_by_one = depths.windows(2).all(|pair| pair[1] <= pair[0] + 1);
    check(grows_by_one, "a depth that grows by one")?;
    check_agrees(&child, &child.root)
}

fn tells_about_this_process() -> Outcome {
    let here = tells_about_this_process as *const () as usize;
    let maps = rt::process_self().info_maps_vec()?;
    let code = maps
        .iter()
        .find(|map| map.as_mapping().is_some() && (map.base..map.base + map.size).contains(&here));
    let flags = code
        .and_then(MapInfo::as_mapping)
        .map(|mapping| mapping.mmu_flags);
    let expected = VmarFlagsExtended::PERM_READ | VmarFlagsExtended::PERM_EXECUTE;
    check_eq(flags, Some(expected))?;
    check(
        maps.is_sorted_by_key(|map| (map.base, map.depth)),
        "pre-order",
    )
}

/// A child with eight pages of one VMO at its beginning, of which pages 2 and 3 are read-only, page 5
/// allows nothing, and pages 2 and 6 of the VMO are committed.
fn striped() -> Result<(Child, zx::Vmo), Status> {
    let (child, vmo) = (Child::new()?, vmo_of(10)?);
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    child.root.map(0, &vmo, 2 * P as u64, 8 * P, flags)?;
    // SAFETY: nobody runs in that process.
    unsafe {
        child
            .root
            .protect(child.at(2), 2 * P, VmarFlags::PERM_READ)?;
        child.root.protect(child.at(5), P, VmarFlags::empty())?;
    }
    vmo.write(&[1], 2 * P as u64)?;
    vmo.write(&[1], 8 * P as u64)?;
    Ok((child, vmo))
}

fn each_run_of_permissions_has_a_record() -> Outcome {
    let (child, vmo) = striped()?;
    let maps = child.info_maps_vec()?;
    let runs: Vec<_> = maps[2..]
        .iter()
        .filter_map(|map| {
            let page = (map.base - child.base) / P;
            let flags = map.as_mapping()?.mmu_flags.bits();
            Some((page, map.size / P, flags))
        })
        .collect();
    let expected = [(0, 2, 3), (2, 2, 1), (4, 1, 3), (5, 1, 0), (6, 2, 3)];
    check_eq(runs, expected.into())?;
    check_eq(vmo.info()?.num_mappings, 1)
}

fn tells_offsets_and_memory_of_each_run() -> Outcome {
    let (child, vmo) = striped()?;
    let koid = vmo.get_koid()?;
    let maps = child.info_maps_vec()?;
    let runs: Vec<_> = maps[2..]
        .iter()
        .filter_map(MapInfo::as_mapping)
        .map(|mapping| {
            let page = mapping.vmo_offset / P as u64;
            (mapping.vmo_koid, page, mapping.committed_bytes)
        })
        .collect();
    let expected = [(2, P), (4, 0), (6, 0), (7, 0), (8, P)];
    let expected: Vec<_> = expected
        .iter()
        .map(|(page, bytes)| (koid, *page, *bytes))
        .collect();
    check_eq(runs, expected)
}

fn follows_the_tree_as_it_changes() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(4)?;
    check_agrees(&child, &child.root)?;
    child.map_at(0, &vmo, 4)?;
    check_eq(child.info_maps_vec()?.len(), 3)?;
    crate::calls::unmap(child.root.raw_handle(), child.at(1), 2 * P)?;
    check_eq(child.info_maps_vec()?.len(), 4)?;
    check_agrees(&child, &child.root)?;
    crate::calls::unmap(child.root.raw_handle(), child.at(0), 4 * P)?;
    check_eq(child.info_maps_vec()?.len(), 2)
}

/// The maps of `striped` in an older version, as records of `N` bytes.
fn old_records<const N: usize>(child: &Child, topic: Topic) -> Result<Vec<[u8; N]>, Status> {
    let mut records = Vec::new();
    records.resize(7, [0xaa; N]);
    let answer = ask(
        child.raw_handle(),
        topic,
        records.as_mut_ptr().cast(),
        7 * N,
    )?;
    if answer != (7, 7) {
        return Err(Status::BAD_STATE);
    }
    Ok(records)
}

/// Eight bytes of a record as a number.
fn word(record: &[u8], offset: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[offset..offset + 8]);
    u64::from_le_bytes(bytes)
}

fn the_first_version_counts_pages() -> Outcome {
    let (child, _vmo) = striped()?;
    let records = old_records::<96>(&child, Topic::PROCESS_MAPS_V1)?;
    let pages: Vec<_> = records.iter().map(|record| word(record, 88)).collect();
    check_eq(pages, [0, 0, 1, 0, 0, 0, 1].into())?;
    let offsets: Vec<_> = records.iter().map(|record| word(record, 80)).collect();
    check_eq(
        offsets[2..].to_vec(),
        [2, 4, 6, 7, 8].map(|page| page * 4096).into(),
    )?;
    check_eq(word(&records[2], 32), child.base as u64)
}

fn the_second_version_is_shorter() -> Outcome {
    let (child, _vmo) = striped()?;
    let records = old_records::<104>(&child, Topic::PROCESS_MAPS_V2)?;
    let committed: Vec<_> = records
        .iter()
        .map(|record| (word(record, 88), word(record, 96)))
        .collect();
    check_eq(committed[2], (4096, 4096))?;
    check_eq(committed[3], (0, 0))?;
    check_eq(committed[6], (4096, 4096))
}

fn refuses_unknown_versions() -> Outcome {
    let child = Child::new()?;
    for version in 3..16 {
        let topic = Topic::from_raw(version << 28 | 13);
        check_refused(count(child.raw_handle(), topic), Status::NOT_SUPPORTED)?;
    }
    Ok(())
}

fn many_records_are_all_there() -> Outcome {
    const MANY: usize = 500;

    let (child, vmo) = (Child::new()?, vmo_of(1)?);
    for index in 0..MANY {
        child.map_at(2 * index, &vmo, 1)?;
    }
    let maps = child.info_maps_vec()?;
    check_eq(maps.len(), MANY + 2)?;
    let bases = maps[2..].iter().map(|map| map.base);
    check(
        bases.eq((0..MANY).map(|index| child.at(2 * index))),
        "each mapping once, in order",
    )
}
