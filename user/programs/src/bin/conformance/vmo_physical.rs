//! `zx_vmo_create_physical` and `zx_resource_create`: `docs/spec/vmo.md` §14, `docs/spec/objects.md` §13.
//!
//! No test touches the addresses that it is shown: what is there depends on the machine.

use core::ptr;

use zx::{
    AsHandleRef, CachePolicy, Name, ObjectType, Resource, ResourceFlag, ResourceKind, Rights,
    Status, Vmo, VmoChildOptions, VmoInfoFlags, VmoOp, ok, sys,
};

use crate::fixtures::{BAD_ADDRESSES, P, Region, bad_handles, with_rights, without_rights};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_resource,
    refuses_resources_of_other_kinds,
    refuses_addresses_beyond_the_resource,
    the_resource_comes_before_size_and_alignment,
    needs_no_right_on_the_resource,
    memory_is_closed_to_everybody,
    refuses_bad_result_addresses,
    is_uncached_and_not_paged,
    rounds_the_size_up,
    cannot_be_read_or_written,
    has_no_pages_to_operate_on,
    has_slices_and_nothing_else,
    can_be_mapped,
    a_part_needs_write,
    a_part_must_be_one,
    a_part_must_be_known,
    a_part_has_its_own_name_and_range,
    a_part_covers_whole_pages,
    a_part_of_a_part_is_no_larger,
    names_are_cut_and_bad_ones_refused,
];

const PAGE: u64 = P as u64;

/// Addresses at which no machine has anything: below the end of the first 4 GiB, above all memory that comes
/// there and below all devices that do, or in what firmware keeps for itself.
const ADDRESS: usize = 0xfe00_0000;

fn devices() -> Result<Resource, Status> {
    rt::mmio_resource().create_child(ResourceKind::MMIO, None, ADDRESS as u64, 4 * P, b"test")
}

fn physical(pages: usize) -> Result<Vmo, Status> {
    Vmo::create_physical(&devices()?, ADDRESS, pages * P)
}

fn create(resource: u32, address: usize, size: usize) -> Result<(), Status> {
    let mut vmo = sys::ZX_HANDLE_INVALID;
    // SAFETY: `vmo` is a live local; the tests make calls that are refused.
    ok(unsafe { sys::zx_vmo_create_physical(resource, address, size, &mut vmo) })
}

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(create(bad, ADDRESS, P), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_resource() -> Outcome {
    let root = rt::vmar_root_self().raw_handle();
    check_refused(create(root, ADDRESS, P), Status::WRONG_TYPE)
}

fn refuses_resources_of_other_kinds() -> Outcome {
    for other in [rt::system_resource(), rt::iommu_resource()] {
        check_refused(create(other.raw_handle(), 2, 1), Status::WRONG_TYPE)?;
    }
    Ok(())
}

fn refuses_addresses_beyond_the_resource() -> Outcome {
    let devices = devices()?;
    for (address, size) in [
        (ADDRESS - P, P),
        (ADDRESS - P, 2 * P),
        (ADDRESS, 4 * P + 1),
        (ADDRESS + 3 * P, 2 * P),
        (ADDRESS + 4 * P, P),
        (ADDRESS, usize::MAX),
        (usize::MAX - P + 1, P),
        (0, P),
    ] {
        check_refused(
            Vmo::create_physical(&devices, address, size),
            Status::OUT_OF_RANGE,
        )?;
    }
    let all = rt::mmio_resource();
    let end = all.info()?.size;
    check_refused(Vmo::create_physical(&all, end, P), Status::OUT_OF_RANGE)
}

fn the_resource_comes_before_size_and_alignment() -> Outcome {
    let devices = devices()?;
    check_refused(create(0, 1, 0), Status::BAD_HANDLE)?;
    check_refused(Vmo::create_physical(&devices, 1, 0), Status::OUT_OF_RANGE)?;
    check_refused(
        Vmo::create_physical(&devices, ADDRESS, 0),
        Status::INVALID_ARGS,
    )?;
    for address in [ADDRESS + 1, ADDRESS + P - 1] {
        check_refused(
            Vmo::create_physical(&devices, address, P),
            Status::INVALID_ARGS,
        )?;
    }
    Ok(())
}

fn needs_no_right_on_the_resource() -> Outcome {
    let powerless = with_rights(&devices()?, Rights::NONE)?;
    let vmo = Vmo::create_physical(&powerless, ADDRESS, P)?;
    check_eq(vmo.basic_info()?.rights, Rights::VMO_DEFAULT)
}

fn memory_is_closed_to_everybody() -> Outcome {
    let all = rt::mmio_resource();
    let info = all.info()?;
    // Somewhere in all of this is memory.
    let everything = Vmo::create_physical(&all, 0, info.size);
    check_refused(everything, Status::ACCESS_DENIED)?;
    let part = all.create_child(ResourceKind::MMIO, None, 0, info.size, b"");
    check_refused(part, Status::ACCESS_DENIED)
}

fn refuses_bad_result_addresses() -> Outcome {
    let devices = devices()?;
    for bad in BAD_ADDRESSES {
        let place = ptr::without_provenance_mut(bad);
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw = unsafe { sys::zx_vmo_create_physical(devices.raw_handle(), ADDRESS, P, place) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn is_uncached_and_not_paged() -> Outcome {
    let info = physical(2)?.info()?;
    check_eq(info.flags, VmoInfoFlags::VIA_HANDLE)?;
    check_eq(info.cache_policy, CachePolicy::UnCached)?;
    check_eq([info.size_bytes, info.committed_bytes], [2 * PAGE, 0])
}

fn rounds_the_size_up() -> Outcome {
    let devices = devices()?;
    for (size, expected) in [(1, PAGE), (P + 1, 2 * PAGE), (4 * P, 4 * PAGE)] {
        let vmo = Vmo::create_physical(&devices, ADDRESS, size)?;
        check_eq([vmo.get_size()?, vmo.get_stream_size()?], [expected, 0])?;
    }
    Ok(())
}

fn cannot_be_read_or_written() -> Outcome {
    let vmo = physical(1)?;
    check_refused(vmo.read_to_object::<u8>(0), Status::BAD_STATE)?;
    check_refused(vmo.write(&[1], 0), Status::BAD_STATE)?;
    check_refused(vmo.set_size(PAGE), Status::UNAVAILABLE)?;
    check_refused(vmo.set_stream_size(0), Status::NOT_SUPPORTED)
}

fn has_no_pages_to_operate_on() -> Outcome {
    let vmo = physical(1)?;
    for op in [
        VmoOp::COMMIT,
        VmoOp::DECOMMIT,
        VmoOp::PREFETCH,
        VmoOp::CACHE_SYNC,
        VmoOp::CACHE_CLEAN,
        VmoOp::CACHE_CLEAN_INVALIDATE,
        VmoOp::CACHE_INVALIDATE,
        VmoOp::LOCK,
    ] {
        check_refused(vmo.op_range(op, 0, PAGE), Status::NOT_SUPPORTED)?;
    }
    check_refused(vmo.op_range(VmoOp::ZERO, 0, PAGE), Status::BAD_STATE)?;
    check_refused(vmo.op_range(VmoOp::ZERO, 0, PAGE + 1), Status::OUT_OF_RANGE)
}

fn has_slices_and_nothing_else() -> Outcome {
    let vmo = physical(3)?;
    let snapshot = vmo.create_child(VmoChildOptions::SNAPSHOT, 0, PAGE);
    check_refused(snapshot, Status::NOT_SUPPORTED)?;
    let reference = vmo.create_child(VmoChildOptions::REFERENCE, 0, 0);
    check_refused(reference, Status::NOT_SUPPORTED)?;
    let slice = vmo.create_child(VmoChildOptions::SLICE, PAGE, PAGE)?;
    let info = slice.info()?;
    check_eq(info.flags, VmoInfoFlags::VIA_HANDLE)?;
    check_eq(
        (info.size_bytes, info.cache_policy),
        (PAGE, CachePolicy::UnCached),
    )
}

fn can_be_mapped() -> Outcome {
    let vmo = physical(2)?;
    let region = Region::new(4)?;
    region.map_at(1, &vmo, 2)?;
    check_eq(region.mapped_pages()?, [(1, 0), (2, 1)].into())?;
    check_eq(vmo.info()?.num_mappings, 1)?;
    check_refused(vmo.set_cache_policy(CachePolicy::Cached), Status::BAD_STATE)?;
    drop(region);
    vmo.set_cache_policy(CachePolicy::UnCachedDevice)?;
    check_eq(vmo.info()?.cache_policy, CachePolicy::UnCachedDevice)
}

fn part(parent: &Resource, base: u64, size: usize) -> Result<Resource, Status> {
    parent.create_child(ResourceKind::MMIO, None, base, size, b"part")
}

fn a_part_needs_write() -> Outcome {
    let devices = devices()?;
    let weaker = without_rights(&devices, Rights::WRITE)?;
    check_refused(part(&weaker, ADDRESS as u64, P), Status::ACCESS_DENIED)?;
    part(&with_rights(&devices, Rights::WRITE)?, ADDRESS as u64, P)?;
    Ok(())
}

fn a_part_must_be_one() -> Outcome {
    let devices = devices()?;
    let base = ADDRESS as u64;
    for (first, size) in [
        (base - 1, 1),
        (base, 4 * P + 1),
        (base + 4 * PAGE, 1),
        (u64::MAX, P),
    ] {
        check_refused(part(&devices, first, size), Status::ACCESS_DENIED)?;
    }
    for kind in [ResourceKind::IRQ, ResourceKind::ROOT, ResourceKind::SYSTEM] {
        let answer = devices.create_child(kind, None, base, P, b"");
        check_refused(answer, Status::ACCESS_DENIED)?;
    }
    check_refused(part(&rt::system_resource(), 2, 1), Status::ACCESS_DENIED)
}

fn a_part_must_be_known() -> Outcome {
    let devices = devices()?;
    let base = ADDRESS as u64;
    for kind in [6, 7, 0xffff] {
        let kind = ResourceKind::from_raw(kind);
        let answer = devices.create_child(kind, None, base, P, b"");
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    check_refused(part(&devices, base, 0), Status::INVALID_ARGS)?;
    let flags = Some(ResourceFlag::from_bits_retain(1 << 17));
    let answer = devices.create_child(ResourceKind::MMIO, flags, base, P, b"");
    check_refused(answer, Status::INVALID_ARGS)?;
    let flags = Some(ResourceFlag::EXCLUSIVE);
    let answer = devices.create_child(ResourceKind::MMIO, flags, base, P, b"");
    check_refused(answer, Status::NOT_SUPPORTED)
}

fn a_part_has_its_own_name_and_range() -> Outcome {
    let base = ADDRESS as u64 + PAGE;
    let part = part(&devices()?, base, 2 * P)?;
    let basic = part.basic_info()?;
    let expected = (ObjectType::RESOURCE, Rights::RESOURCE_DEFAULT);
    check_eq((basic.object_type, basic.rights), expected)?;
    let info = part.info()?;
    check_eq(
        (info.kind, info.flags),
        (ResourceKind::MMIO, ResourceFlag::empty()),
    )?;
    check_eq((info.base, info.size), (base, 2 * P))?;
    check_eq(info.name, Name::new_lossy("part"))?;
    let blind = without_rights(&part, Rights::INSPECT)?;
    check_refused(blind.info(), Status::ACCESS_DENIED)
}

fn a_part_covers_whole_pages() -> Outcome {
    let part = part(&devices()?, ADDRESS as u64 + 0x80, 0x80)?;
    check_eq(Vmo::create_physical(&part, ADDRESS, P)?.get_size()?, PAGE)?;
    let more = Vmo::create_physical(&part, ADDRESS, P + 1);
    check_refused(more, Status::OUT_OF_RANGE)
}

fn a_part_of_a_part_is_no_larger() -> Outcome {
    let first = part(&devices()?, ADDRESS as u64 + 0x80, 0x80)?;
    check_refused(part(&first, ADDRESS as u64, P), Status::ACCESS_DENIED)?;
    let second = part(&first, ADDRESS as u64 + 0x90, 0x10)?;
    check(second.info()?.size == 0x10, "sixteen bytes")
}

fn names_are_cut_and_bad_ones_refused() -> Outcome {
    let devices = devices()?;
    let base = ADDRESS as u64;
    let long = [b'x'; 100];
    let part = devices.create_child(ResourceKind::MMIO, None, base, P, &long)?;
    check_eq(part.info()?.name, Name::from_bytes_lossy(&long))?;
    for bad in BAD_ADDRESSES {
        let mut made = sys::ZX_HANDLE_INVALID;
        let name = ptr::without_provenance(bad);
        // SAFETY: a wild name is refused, which is what is tested; `made` is a live local.
        let raw = unsafe {
            sys::zx_resource_create(devices.raw_handle(), 0, base, P, name, 4, &mut made)
        };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}
