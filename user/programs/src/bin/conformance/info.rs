//! `zx_object_get_info`: topics, buffers and rights: `docs/spec/abi.md` §9, `docs/spec/objects.md` §2.

use core::mem::size_of;
use core::ptr;

use zx::{AsHandleRef, HandleBased, ObjectType, Rights, Status, Topic, ok, sys};

use crate::fixtures::{BAD_ADDRESSES, P, Region, bad_handles, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_the_wrong_type,
    needs_inspect_where_it_says_so,
    needs_no_right_where_it_says_so,
    refuses_unknown_topics,
    refuses_unsupported_versions,
    a_short_buffer_learns_how_many_there_are,
    a_long_buffer_is_left_alone_behind_the_record,
    counts_may_be_left_out,
    refuses_bad_buffers,
    refuses_bad_counts,
    checks_the_handle_before_the_buffer,
    basic_info_tells_about_the_handle,
    handle_valid_writes_nothing,
    region_info_tells_where_it_is,
    vmo_info_counts_mappings,
    vmo_info_tells_the_rights_of_the_handle_used,
    older_versions_tell_the_same_in_fewer_fields,
];

/// A `zx_object_get_info` call with any arguments.
#[derive(Clone, Copy)]
struct InfoCall {
    handle: u32,
    topic: u32,
    buffer: *mut u8,
    buffer_size: usize,
    actual: *mut usize,
    available: *mut usize,
}

impl InfoCall {
    /// Asks nothing of the invalid handle, with nowhere to put the answer.
    fn new(handle: u32, topic: Topic) -> Self {
        Self {
            handle,
            topic: topic.into_raw(),
            buffer: ptr::null_mut(),
            buffer_size: 0,
            actual: ptr::null_mut(),
            available: ptr::null_mut(),
        }
    }

    fn make(self) -> Result<(), Status> {
        let Self {
            handle,
            topic,
            buffer,
            buffer_size,
            actual,
            available,
        } = self;
        // SAFETY: the tests give their own buffers or addresses that the kernel refuses, which is what is
        // tested.
        ok(unsafe {
            sys::zx_object_get_info(handle, topic, buffer, buffer_size, actual, available)
        })
    }

    /// Makes the call with this buffer; returns the counts as well.
    fn make_with(mut self, buffer: &mut [u8]) -> (Result<(), Status>, usize, usize) {
        let (mut actual, mut available) = (usize::MAX, usize::MAX);
        self.buffer = buffer.as_mut_ptr();
        self.buffer_size = buffer.len();
        self.actual = &mut actual;
        self.available = &mut available;
        let result = self.make();
        (result, actual, available)
    }
}

const BASIC_SIZE: usize = size_of::<sys::zx_info_handle_basic_t>();

/// The topics with one record, an object that has it, and the record's size.
fn single_records() -> Result<[(Topic, zx::Handle, usize); 9], Status> {
    let vmo = || vmo_of(1).map(zx::Handle::from);
    let root = rt::vmar_root_self()
        .duplicate_handle(Rights::SAME_RIGHTS)?
        .into_handle();
    let resource = || {
        let resource = rt::system_resource().duplicate_handle(Rights::SAME_RIGHTS);
        resource.map(zx::Handle::from)
    };
    Ok([
        (Topic::HANDLE_BASIC, vmo()?, BASIC_SIZE),
        (
            Topic::HANDLE_COUNT,
            vmo()?,
            size_of::<sys::zx_info_handle_count_t>(),
        ),
        (Topic::VMAR, root, size_of::<sys::zx_info_vmar_t>()),
        (Topic::VMO_V1, vmo()?, 104),
        (Topic::VMO_V2, vmo()?, 120),
        (Topic::VMO_V3, vmo()?, 128),
        (Topic::VMO, vmo()?, size_of::<sys::zx_info_vmo_t>()),
        (Topic::KMEM_STATS_V1, resource()?, 72),
        (
            Topic::KMEM_STATS,
            resource()?,
            size_of::<sys::zx_info_kmem_stats_t>(),
        ),
    ])
}

fn refuses_what_is_no_handle() -> Outcome {
    let topics = [
        Topic::HANDLE_VALID,
        Topic::HANDLE_BASIC,
        Topic::HANDLE_COUNT,
        Topic::VMAR,
        Topic::VMAR_MAPS,
        Topic::VMO,
    ];
    let mut buffer = [0; 256];
    for topic in topics {
        for bad in bad_handles()? {
            let (result, ..) = InfoCall::new(bad, topic).make_with(&mut buffer);
            check_refused(result, Status::BAD_HANDLE)?;
        }
    }
    Ok(())
}

fn refuses_the_wrong_type() -> Outcome {
    let vmo = vmo_of(1)?;
    let root = rt::vmar_root_self();
    let mut buffer = [0; 256];
    for topic in [Topic::VMAR, Topic::VMAR_MAPS] {
        let (result, ..) = InfoCall::new(vmo.raw_handle(), topic).make_with(&mut buffer);
        check_refused(result, Status::WRONG_TYPE)?;
    }
    let (result, ..) = InfoCall::new(root.raw_handle(), Topic::VMO).make_with(&mut buffer);
    check_refused(result, Status::WRONG_TYPE)
}

fn needs_inspect_where_it_says_so() -> Outcome {
    let region = Region::new(1)?;
    let weaker = without_rights(&*region, Rights::INSPECT)?;
    check_refused(weaker.info(), Status::ACCESS_DENIED)?;
    check_refused(weaker.info_maps_vec(), Status::ACCESS_DENIED)?;
    check_refused(weaker.count_info(), Status::ACCESS_DENIED)
}

fn needs_no_right_where_it_says_so() -> Outcome {
    let vmo = vmo_of(1)?.replace_handle(Rights::NONE)?;
    check_eq(vmo.basic_info()?.rights, Rights::NONE)?;
    check_eq(vmo.info()?.size_bytes, P as u64)?;
    check_eq(
        InfoCall::new(vmo.raw_handle(), Topic::HANDLE_VALID).make(),
        Ok(()),
    )
}

fn refuses_unknown_topics() -> Outcome {
    let vmo = vmo_of(1)?;
    let mut buffer = [0; 256];
    for topic in [0, 5, 6, 63, 0x0fff_ffff] {
        let call = InfoCall {
            topic,
            ..InfoCall::new(vmo.raw_handle(), Topic::VMO)
        };
        check_refused(call.make_with(&mut buffer).0, Status::NOT_SUPPORTED)?;
    }
    Ok(())
}

fn refuses_unsupported_versions() -> Outcome {
    let vmo = vmo_of(1)?;
    let mut buffer = [0; 256];
    for topic in [Topic::HANDLE_BASIC, Topic::VMO] {
        let topic = topic.into_raw() | 0xf000_0000;
        let call = InfoCall {
            topic,
            ..InfoCall::new(vmo.raw_handle(), Topic::VMO)
        };
        check_refused(call.make_with(&mut buffer).0, Status::NOT_SUPPORTED)?;
    }
    Ok(())
}

fn a_short_buffer_learns_how_many_there_are() -> Outcome {
    for (topic, object, size) in single_records()? {
        for length in [0, 1, size - 1] {
            let mut buffer = [0xaa; 256];
            let call = InfoCall::new(object.raw_handle(), topic);
            let answer = call.make_with(&mut buffer[..length]);
            check_eq(answer, (Err(Status::BUFFER_TOO_SMALL), 0, 1))?;
            check_eq(buffer, [0xaa; 256])?;
        }
    }
    Ok(())
}

fn a_long_buffer_is_left_alone_behind_the_record() -> Outcome {
    for (topic, object, size) in single_records()? {
        let mut buffer = [0xaa; 256];
        let answer = InfoCall::new(object.raw_handle(), topic).make_with(&mut buffer);
        check_eq(answer, (Ok(()), 1, 1))?;
        check_eq(buffer[size..].iter().all(|byte| *byte == 0xaa), true)?;
        check_eq(buffer[..size].iter().all(|byte| *byte == 0xaa), false)?;
    }
    Ok(())
}

fn counts_may_be_left_out() -> Outcome {
    let vmo = vmo_of(1)?;
    let mut buffer = [0; BASIC_SIZE];
    let call = InfoCall {
        buffer: buffer.as_mut_ptr(),
        buffer_size: buffer.len(),
        ..InfoCall::new(vmo.raw_handle(), Topic::HANDLE_BASIC)
    };
    check_eq(call.make(), Ok(()))?;
    check_eq(&buffer[..8], &vmo.get_koid()?.raw_koid().to_le_bytes()[..])
}

fn refuses_bad_buffers() -> Outcome {
    for (topic, object, size) in single_records()? {
        for bad in BAD_ADDRESSES {
            let call = InfoCall {
                buffer: ptr::without_provenance_mut(bad),
                buffer_size: size,
                ..InfoCall::new(object.raw_handle(), topic)
            };
            check_refused(call.make(), Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn refuses_bad_counts() -> Outcome {
    let vmo = vmo_of(1)?;
    let mut buffer = [0; BASIC_SIZE];
    let valid = InfoCall {
        buffer: buffer.as_mut_ptr(),
        buffer_size: buffer.len(),
        ..InfoCall::new(vmo.raw_handle(), Topic::HANDLE_BASIC)
    };
    for bad in BAD_ADDRESSES.into_iter().filter(|bad| *bad != 0) {
        let bad = ptr::without_provenance_mut(bad);
        check_refused(
            InfoCall {
                actual: bad,
                ..valid
            }
            .make(),
            Status::INVALID_ARGS,
        )?;
        check_refused(
            InfoCall {
                available: bad,
                ..valid
            }
            .make(),
            Status::INVALID_ARGS,
        )?;
    }
    Ok(())
}

fn checks_the_handle_before_the_buffer() -> Outcome {
    let region = Region::new(1)?;
    let vmo = vmo_of(1)?;
    let weaker = without_rights(&*region, Rights::INSPECT)?;
    let wrong = InfoCall {
        buffer: ptr::without_provenance_mut(usize::MAX),
        buffer_size: 1,
        ..InfoCall::new(0, Topic::VMAR)
    };
    check_refused(wrong.make(), Status::BAD_HANDLE)?;
    check_refused(
        InfoCall {
            handle: vmo.raw_handle(),
            ..wrong
        }
        .make(),
        Status::WRONG_TYPE,
    )?;
    check_refused(
        InfoCall {
            handle: weaker.raw_handle(),
            ..wrong
        }
        .make(),
        Status::ACCESS_DENIED,
    )
}

fn basic_info_tells_about_the_handle() -> Outcome {
    let vmo = vmo_of(1)?;
    let info = with_rights(&vmo, Rights::READ)?.basic_info()?;
    check_eq(info.koid, vmo.get_koid()?)?;
    check_eq(info.rights, Rights::READ)?;
    check_eq(info.object_type, ObjectType::VMO)?;
    check_eq(info.related_koid, zx::Koid::INVALID)?;
    check_eq(info.reserved, 0)?;
    let process = rt::process_self().basic_info()?;
    check_eq(process.object_type, ObjectType::PROCESS)?;
    check_eq(process.rights, Rights::PROCESS_DEFAULT)?;
    let root = rt::vmar_root_self().basic_info()?;
    check_eq(
        (root.object_type, root.rights),
        (ObjectType::VMAR, Rights::VMAR_ROOT_DEFAULT),
    )
}

fn handle_valid_writes_nothing() -> Outcome {
    let vmo = vmo_of(1)?;
    let mut buffer = [0xaa; 16];
    let call = InfoCall::new(vmo.raw_handle(), Topic::HANDLE_VALID);
    check_eq(call.make_with(&mut buffer).0, Ok(()))?;
    check_eq(buffer, [0xaa; 16])
}

fn region_info_tells_where_it_is() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(3, 4)?;
    let info = child.info()?;
    check_eq((info.base, info.len), (region.at(3), 4 * P))?;
    let root = rt::vmar_root_self().info()?;
    check_eq(
        root.base > 0 && root.base <= 0x20_0000 && root.len > 0,
        true,
    )
}

fn vmo_info_counts_mappings() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    for page in 0..3 {
        region.map_at(page, &vmo, 1)?;
        let info = vmo.info()?;
        check_eq((info.num_mappings, info.share_count), (page + 1, 1))?;
    }
    drop(region);
    let info = vmo.info()?;
    check_eq((info.num_mappings, info.share_count), (0, 0))
}

fn vmo_info_tells_the_rights_of_the_handle_used() -> Outcome {
    let vmo = vmo_of(1)?;
    let weaker = with_rights(&vmo, Rights::READ | Rights::MAP)?;
    check_eq(weaker.info()?.handle_rights, Rights::READ | Rights::MAP)?;
    check_eq(vmo.info()?.handle_rights, Rights::VMO_DEFAULT)
}

fn older_versions_tell_the_same_in_fewer_fields() -> Outcome {
    let vmo = vmo_of(3)?;
    let ask = |topic| {
        let mut buffer = [0; 176];
        let answer = InfoCall::new(vmo.raw_handle(), topic).make_with(&mut buffer);
        (answer, buffer)
    };
    let (_, newest) = ask(Topic::VMO);
    for (topic, size) in [
        (Topic::VMO_V1, 104),
        (Topic::VMO_V2, 120),
        (Topic::VMO_V3, 128),
    ] {
        let (answer, buffer) = ask(topic);
        check_eq(answer, (Ok(()), 1, 1))?;
        check_eq(&buffer[..size], &newest[..size])?;
        check_eq(&buffer[size..], &[0; 176][size..])?;
    }
    Ok(())
}
