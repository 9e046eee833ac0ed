//! `ZX_INFO_PROCESS_VMOS`: `docs/spec/vmo.md` §15, `docs/spec/abi.md` §9.

use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of};
use core::ptr;

use zx::{
    AsHandleRef, HandleBased, Koid, Name, Process, Rights, Status, Topic, VmarFlags, Vmo,
    VmoInfoFlags, sys,
};

use crate::calls::ask;
use crate::fixtures::{
    BAD_ADDRESSES, P, READ_WRITE, Region, bad_handles, resizable_vmo_of, vmo_of, with_rights,
    without_rights,
};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::{Child, wild};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_process,
    needs_inspect_and_no_more,
    refuses_a_process_that_has_ended,
    refuses_bad_buffers,
    the_handle_comes_before_the_buffer,
    accepts_a_buffer_of_size_zero,
    cuts_the_answer_to_the_buffer,
    a_fresh_process_has_none,
    each_handle_has_a_record_with_its_rights,
    each_mapping_has_a_record,
    a_mapping_in_any_region_counts,
    a_mapping_of_many_permissions_has_one_record,
    handles_come_before_mappings,
    tells_what_the_vmo_tells,
    follows_what_changes,
    older_versions_are_the_beginning_of_each_record,
    refuses_unknown_versions,
    many_records_are_all_there,
];

const TOPICS: [Topic; 4] = [
    Topic::PROCESS_VMOS_V1,
    Topic::PROCESS_VMOS_V2,
    Topic::PROCESS_VMOS_V3,
    Topic::PROCESS_VMOS,
];

const RECORD: usize = size_of::<sys::zx_info_vmo_t>();

/// Asks for the VMOs of a process with nowhere to put them.
fn count(handle: u32, topic: Topic) -> Result<(usize, usize), Status> {
    ask(handle, topic, ptr::null_mut(), 0)
}

/// The records of this process about `vmo`.
fn own_records(vmo: &Vmo) -> Result<Vec<zx::VmoInfo>, Status> {
    let koid = vmo.get_koid()?;
    let mut records = rt::process_self().info_vmos_vec()?;
    records.retain(|record| record.koid == koid);
    Ok(records)
}

/// The koids of what `process` has.
fn koids(process: &Process) -> Result<Vec<Koid>, Status> {
    let records = process.info_vmos_vec()?;
    Ok(records.iter().map(|record| record.koid).collect())
}

/// A child that shows two VMOs in three mappings, and their koids by address.
fn showing() -> Result<(Child, [Koid; 3]), Status> {
    let child = Child::new()?;
    let (first, second) = (vmo_of(2)?, vmo_of(1)?);
    child.map_at(1, &first, 2)?;
    child.map_at(5, &second, 1)?;
    child.map_at(7, &first, 1)?;
    let koids = [first.get_koid()?, second.get_koid()?, first.get_koid()?];
    Ok((child, koids))
}

fn refuses_what_is_no_process() -> Outcome {
    let child = Child::new()?;
    let others = [
        child.root.raw_handle(),
        rt::job_default().raw_handle(),
        vmo_of(1)?.into_raw(),
    ];
    for topic in TOPICS {
        for bad in bad_handles()? {
            check_refused(count(bad, topic), Status::BAD_HANDLE)?;
        }
        for other in others {
            check_refused(count(other, topic), Status::WRONG_TYPE)?;
        }
    }
    // SAFETY: `into_raw` has given the handle away, to be closed here.
    drop(unsafe { zx::Handle::from_raw(others[2]) });
    Ok(())
}

fn needs_inspect_and_no_more() -> Outcome {
    let (child, _) = showing()?;
    let weak = without_rights::<Process>(&child, Rights::INSPECT)?;
    let enough = with_rights::<Process>(&child, Rights::INSPECT)?;
    for topic in TOPICS {
        check_refused(count(weak.raw_handle(), topic), Status::ACCESS_DENIED)?;
        check_eq(count(enough.raw_handle(), topic), Ok((0, 3)))?;
    }
    Ok(())
}

fn refuses_a_process_that_has_ended() -> Outcome {
    let child = Child::killed()?;
    for topic in TOPICS {
        check_refused(count(child.raw_handle(), topic), Status::BAD_STATE)?;
    }
    // The state comes before the buffer.
    let answer = ask(child.raw_handle(), Topic::PROCESS_VMOS, wild(1), RECORD);
    check_refused(answer, Status::BAD_STATE)
}

fn refuses_bad_buffers() -> Outcome {
    let (child, _) = showing()?;
    for bad in BAD_ADDRESSES {
        let answer = ask(child.raw_handle(), Topic::PROCESS_VMOS, wild(bad), RECORD);
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn the_handle_comes_before_the_buffer() -> Outcome {
    let (child, _) = showing()?;
    let weak = without_rights::<Process>(&child, Rights::INSPECT)?;
    let answer = ask(weak.raw_handle(), Topic::PROCESS_VMOS, wild(1), RECORD);
    check_refused(answer, Status::ACCESS_DENIED)?;
    let answer = ask(0, Topic::PROCESS_VMOS, wild(1), RECORD);
    check_refused(answer, Status::BAD_HANDLE)
}

fn accepts_a_buffer_of_size_zero() -> Outcome {
    let (child, _) = showing()?;
    for buffer in [ptr::null_mut(), wild(usize::MAX)] {
        let answer = ask(child.raw_handle(), Topic::PROCESS_VMOS, buffer, 0);
        check_eq(answer, Ok((0, 3)))?;
    }
    Ok(())
}

fn cuts_the_answer_to_the_buffer() -> Outcome {
    let (child, _) = showing()?;
    let all = child.info_vmos_vec()?;
    check_eq(all.len(), 3)?;
    for fitting in 0..5 {
        let mut buffer = [const { MaybeUninit::uninit() }; 5];
        let (filled, rest, available) = child.info_vmos(&mut buffer[..fitting])?;
        check_eq((filled.len(), available), (fitting.min(3), 3))?;
        check_eq(rest.len(), fitting - fitting.min(3))?;
        check_eq(&*filled, &all[..fitting.min(3)])?;
    }
    // What does not make a whole record is left alone.
    let mut bytes = [0xaa_u8; 2 * RECORD - 1];
    let (start, size) = (bytes.as_mut_ptr(), bytes.len());
    let answer = ask(child.raw_handle(), Topic::PROCESS_VMOS, start, size);
    check_eq(answer, Ok((1, 3)))?;
    let rest = &bytes[RECORD..];
    check(rest.iter().all(|byte| *byte == 0xaa), "no further bytes")
}

fn a_fresh_process_has_none() -> Outcome {
    check_eq(Child::new()?.info_vmos_vec()?, Vec::new())
}

fn each_handle_has_a_record_with_its_rights() -> Outcome {
    let vmo = vmo_of(1)?;
    let rights = [
        Rights::VMO_DEFAULT,
        Rights::READ | Rights::MAP,
        Rights::NONE,
    ];
    let _weak = with_rights(&vmo, rights[1])?;
    let _weaker = with_rights(&vmo, rights[2])?;
    let records = own_records(&vmo)?;
    check_eq(records.len(), 3)?;
    for wanted in rights {
        let with_it = records.iter().filter(|one| one.handle_rights == wanted);
        check_eq(with_it.count(), 1)?;
    }
    let expected = VmoInfoFlags::PAGED | VmoInfoFlags::VIA_HANDLE;
    check(
        records.iter().all(|record| record.flags == expected),
        "records that are there for the handles",
    )
}

fn each_mapping_has_a_record() -> Outcome {
    let (child, expected) = showing()?;
    check_eq(koids(&child)?, expected.into())?;
    for record in child.info_vmos_vec()? {
        let flags = VmoInfoFlags::PAGED | VmoInfoFlags::VIA_MAPPING;
        check_eq(record.flags, flags)?;
        check_eq(record.handle_rights, Rights::NONE)?;
    }
    Ok(())
}

fn a_mapping_in_any_region_counts() -> Outcome {
    let child = Child::new()?;
    let vmos = [vmo_of(1)?, vmo_of(1)?, vmo_of(1)?];
    let options = crate::fixtures::CAN_MAP_ALL | VmarFlags::SPECIFIC;
    let (outer, _) = child.root.allocate(4 * P, 16 * P, options)?;
    let (inner, _) = outer.allocate(4 * P, 4 * P, options)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    inner.map(0, &vmos[1], 0, P, flags)?;
    outer.map(12 * P, &vmos[2], 0, P, flags)?;
    child.map_at(0, &vmos[0], 1)?;
    let mut expected = Vec::new();
    for vmo in &vmos {
        expected.push(vmo.get_koid()?);
    }
    check_eq(koids(&child)?, expected)
}

fn a_mapping_of_many_permissions_has_one_record() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(8)?;
    child.map_at(0, &vmo, 8)?;
    // SAFETY: nobody runs in that process.
    unsafe {
        child.root.protect(child.at(2), P, VmarFlags::PERM_READ)?;
        child.root.protect(child.at(5), P, VmarFlags::empty())?;
    }
    check_eq(child.info_maps_vec()?.len(), 2 + 5)?;
    check_eq(koids(&child)?, [vmo.get_koid()?].into())
}

fn handles_come_before_mappings() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(1)?;
    region.map_at(0, &vmo, 1)?;
    let vias: Vec<_> = own_records(&vmo)?
        .iter()
        .map(|record| record.flags)
        .collect();
    let expected = [VmoInfoFlags::VIA_HANDLE, VmoInfoFlags::VIA_MAPPING];
    check_eq(vias, expected.map(|via| VmoInfoFlags::PAGED | via).into())?;
    let all = rt::process_self().info_vmos_vec()?;
    let is_mapping = |record: &zx::VmoInfo| record.flags.contains(VmoInfoFlags::VIA_MAPPING);
    check(all.is_sorted_by_key(is_mapping), "all handles first")?;
    let either = VmoInfoFlags::VIA_HANDLE | VmoInfoFlags::VIA_MAPPING;
    let is_one = |record: &zx::VmoInfo| (record.flags & either).bits().is_power_of_two();
    check(all.iter().all(is_one), "one reason for each record")
}

fn tells_what_the_vmo_tells() -> Outcome {
    let child = Child::new()?;
    let vmo = resizable_vmo_of(3)?;
    vmo.set_name(&Name::new_lossy("told"))?;
    vmo.write(&[1], P as u64)?;
    child.map_at(0, &vmo, 3)?;
    child.map_at(4, &vmo, 2)?;
    let info = vmo.info()?;
    check_eq((info.num_mappings, info.share_count), (2, 1))?;
    check_eq(info.committed_bytes, P as u64)?;
    check_eq(own_records(&vmo)?, [info].into())?;
    let mapped = zx::VmoInfo {
        flags: info.flags & !VmoInfoFlags::VIA_HANDLE | VmoInfoFlags::VIA_MAPPING,
        handle_rights: Rights::NONE,
        ..info
    };
    check_eq(child.info_vmos_vec()?, [mapped, mapped].into())
}

fn follows_what_changes() -> Outcome {
    let (child, expected) = showing()?;
    // The handles are closed; the mappings keep the VMOs.
    check_eq(koids(&child)?, expected.into())?;
    crate::calls::unmap(child.root.raw_handle(), child.at(5), P)?;
    check_eq(koids(&child)?, [expected[0], expected[2]].into())?;
    // A hole in a mapping makes two of it.
    let vmo = vmo_of(3)?;
    child.map_at(10, &vmo, 3)?;
    crate::calls::unmap(child.root.raw_handle(), child.at(11), P)?;
    let koid = vmo.get_koid()?;
    check_eq(
        koids(&child)?,
        [expected[0], expected[2], koid, koid].into(),
    )
}

fn older_versions_are_the_beginning_of_each_record() -> Outcome {
    let (child, _) = showing()?;
    let mut whole = [0_u8; 3 * RECORD];
    let answer = ask(
        child.raw_handle(),
        Topic::PROCESS_VMOS,
        whole.as_mut_ptr(),
        whole.len(),
    );
    check_eq(answer, Ok((3, 3)))?;
    for (topic, size) in TOPICS.into_iter().zip([104, 120, 128]) {
        let mut old = [0xaa_u8; 3 * RECORD];
        let answer = ask(child.raw_handle(), topic, old.as_mut_ptr(), 3 * size);
        check_eq(answer, Ok((3, 3)))?;
        for (old, whole) in old.chunks_exact(size).zip(whole.chunks_exact(RECORD)) {
            check_eq(old, &whole[..size])?;
        }
        let rest = &old[3 * size..];
        check(rest.iter().all(|byte| *byte == 0xaa), "no further bytes")?;
    }
    Ok(())
}

fn refuses_unknown_versions() -> Outcome {
    let child = Child::new()?;
    for version in 4..16 {
        let topic = Topic::from_raw(version << 28 | 14);
        check_refused(count(child.raw_handle(), topic), Status::NOT_SUPPORTED)?;
    }
    Ok(())
}

fn many_records_are_all_there() -> Outcome {
    const COUNT: usize = 300;

    let child = Child::new()?;
    let vmos = [vmo_of(1)?, vmo_of(1)?];
    let mut expected = Vec::new();
    for place in 0..COUNT {
        let vmo = &vmos[place % 3 % 2];
        child.map_at(2 * place, vmo, 1)?;
        expected.push(vmo.get_koid()?);
    }
    check_eq(koids(&child)?, expected)
}
