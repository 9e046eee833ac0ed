//! `zx_vmo_create_contiguous`, and what it needs: `docs/spec/vmo.md` §14, `docs/spec/objects.md` §13.

use core::ptr;

use zx::{
    AsHandleRef, Bti, CachePolicy, HandleBased, Iommu, IommuDescDummy, Name, ObjectType, Resource,
    ResourceKind, Rights, Status, Vmo, VmoChildOptions, VmoInfoFlags, VmoOp, ok, sys,
};

use crate::fixtures::{
    BAD_ADDRESSES, P, Region, bad_handles, peek, poke, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    sizes_and_alignments_come_before_the_handle,
    refuses_what_is_no_handle,
    refuses_what_is_no_bti,
    needs_map,
    refuses_bad_result_addresses,
    more_than_there_is_is_no_memory,
    is_all_there_and_zero,
    rounds_the_size_up,
    has_the_usual_rights,
    stays_committed,
    cannot_be_resized,
    reads_and_writes_like_any_other,
    mappings_see_it,
    zeroes_in_place,
    has_slices_and_nothing_else,
    lives_as_long_as_a_slice,
    changes_its_cache_policy_while_unmapped,
    an_iommu_needs_its_resource,
    an_iommu_needs_a_description,
    only_one_type_of_iommu_is_known,
    a_bti_takes_no_options,
    a_bti_needs_an_iommu,
    a_bti_has_a_name,
];

const PAGE: u64 = P as u64;

fn iommu() -> Result<Iommu, Status> {
    Iommu::create_dummy(&rt::iommu_resource(), IommuDescDummy::default())
}

fn bti() -> Result<Bti, Status> {
    Bti::create(&iommu()?, 7)
}

fn contiguous(pages: usize) -> Result<Vmo, Status> {
    Vmo::create_contiguous(&bti()?, pages * P, 0)
}

fn create(bti: u32, size: usize, alignment: u32) -> Result<(), Status> {
    let mut vmo = sys::ZX_HANDLE_INVALID;
    // SAFETY: `vmo` is a live local that the call may write; the tests make calls that are refused.
    ok(unsafe { sys::zx_vmo_create_contiguous(bti, size, alignment, &mut vmo) })
}

fn sizes_and_alignments_come_before_the_handle() -> Outcome {
    for (size, alignment) in [(0, 0), (0, 12), (P, 1), (P, 11), (P, 64), (P, u32::MAX)] {
        check_refused(create(0, size, alignment), Status::INVALID_ARGS)?;
    }
    // Rounding up comes after the handle.
    check_refused(create(0, usize::MAX, 0), Status::BAD_HANDLE)?;
    check_refused(
        create(bti()?.raw_handle(), usize::MAX, 0),
        Status::OUT_OF_RANGE,
    )?;
    for alignment in [0, 12, 13, 63] {
        check_refused(create(0, P, alignment), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(create(bad, P, 0), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_bti() -> Outcome {
    check_refused(create(iommu()?.raw_handle(), P, 0), Status::WRONG_TYPE)
}

fn needs_map() -> Outcome {
    let bti = bti()?;
    let weaker = without_rights(&bti, Rights::MAP)?;
    check_refused(Vmo::create_contiguous(&weaker, P, 0), Status::ACCESS_DENIED)?;
    Vmo::create_contiguous(&with_rights(&bti, Rights::MAP)?, P, 0)?;
    Ok(())
}

fn refuses_bad_result_addresses() -> Outcome {
    let bti = bti()?;
    for bad in BAD_ADDRESSES {
        let place = ptr::without_provenance_mut(bad);
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw = unsafe { sys::zx_vmo_create_contiguous(bti.raw_handle(), P, 0, place) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn more_than_there_is_is_no_memory() -> Outcome {
    let bti = bti()?;
    let all = zx::system_get_physmem() as usize;
    check_refused(Vmo::create_contiguous(&bti, all, 0), Status::NO_MEMORY)?;
    check_refused(Vmo::create_contiguous(&bti, 1 << 62, 0), Status::NO_MEMORY)?;
    check_refused(Vmo::create_contiguous(&bti, P, 62), Status::NO_MEMORY)
}

fn is_all_there_and_zero() -> Outcome {
    for alignment in [0, 12, 16, 21] {
        let vmo = Vmo::create_contiguous(&bti()?, 5 * P, alignment)?;
        let info = vmo.info()?;
        let flags = VmoInfoFlags::PAGED | VmoInfoFlags::CONTIGUOUS | VmoInfoFlags::VIA_HANDLE;
        check_eq(info.flags, flags)?;
        check_eq([info.size_bytes, info.committed_bytes], [5 * PAGE; 2])?;
        check_eq(info.cache_policy, CachePolicy::Cached)?;
        check_eq(vmo.read_to_vec::<u8>(0, 5 * PAGE)?, [0; 5 * P].into())?;
    }
    Ok(())
}

fn rounds_the_size_up() -> Outcome {
    let bti = bti()?;
    for (size, expected) in [(1, PAGE), (P - 1, PAGE), (P + 1, 2 * PAGE)] {
        let vmo = Vmo::create_contiguous(&bti, size, 0)?;
        check_eq(vmo.get_size()?, expected)?;
        check_eq(vmo.get_stream_size()?, 0)?;
    }
    Ok(())
}

fn has_the_usual_rights() -> Outcome {
    check_eq(contiguous(1)?.basic_info()?.rights, Rights::VMO_DEFAULT)
}

fn stays_committed() -> Outcome {
    let vmo = contiguous(3)?;
    vmo.write(&[7], PAGE)?;
    vmo.op_range(VmoOp::COMMIT, 0, 3 * PAGE)?;
    check_refused(
        vmo.op_range(VmoOp::DECOMMIT, 0, PAGE),
        Status::NOT_SUPPORTED,
    )?;
    check_refused(vmo.op_range(VmoOp::DECOMMIT, 1, PAGE), Status::INVALID_ARGS)?;
    let beyond = vmo.op_range(VmoOp::DECOMMIT, 0, 4 * PAGE);
    check_refused(beyond, Status::OUT_OF_RANGE)?;
    check_eq(vmo.info()?.committed_bytes, 3 * PAGE)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 7)
}

fn cannot_be_resized() -> Outcome {
    let vmo = contiguous(2)?;
    check_refused(vmo.set_size(PAGE), Status::UNAVAILABLE)?;
    check_refused(vmo.set_stream_size(0), Status::NOT_SUPPORTED)?;
    check_refused(vmo.set_stream_size(1), Status::NOT_SUPPORTED)?;
    check_eq(vmo.get_size()?, 2 * PAGE)
}

fn reads_and_writes_like_any_other() -> Outcome {
    let vmo = contiguous(2)?;
    vmo.write(&[1, 2, 3], PAGE - 1)?;
    check_eq(vmo.read_to_array::<u8, 3>(PAGE - 1)?, [1, 2, 3])
}

fn mappings_see_it() -> Outcome {
    let vmo = contiguous(2)?;
    let region = Region::new(4)?;
    let mapped = region.map_at(0, &vmo, 2)?;
    poke(mapped + P, 5);
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 5)?;
    vmo.write(&[6], 0)?;
    check_eq(peek(mapped), 6)
}

fn zeroes_in_place() -> Outcome {
    let vmo = contiguous(3)?;
    let region = Region::new(4)?;
    let mapped = region.map_at(0, &vmo, 3)?;
    for page in 0..3 {
        poke(mapped + page * P, 5);
    }
    vmo.op_range(VmoOp::ZERO, 1, 2 * PAGE - 1)?;
    check_eq([0, P, 2 * P].map(|page| peek(mapped + page)), [5, 0, 5])?;
    check_eq(vmo.info()?.committed_bytes, 3 * PAGE)
}

fn has_slices_and_nothing_else() -> Outcome {
    let vmo = contiguous(3)?;
    let snapshot = vmo.create_child(VmoChildOptions::SNAPSHOT, 0, PAGE);
    check_refused(snapshot, Status::INVALID_ARGS)?;
    let reference = vmo.create_child(VmoChildOptions::REFERENCE, 0, 0);
    check_refused(reference, Status::NOT_SUPPORTED)?;
    let slice = vmo.create_child(VmoChildOptions::SLICE, PAGE, PAGE)?;
    check_eq(slice.info()?.flags.contains(VmoInfoFlags::CONTIGUOUS), true)?;
    let of_slice = slice.create_child(VmoChildOptions::SNAPSHOT, 0, PAGE);
    check_refused(of_slice, Status::INVALID_ARGS)?;
    slice.write(&[8], 0)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 8)
}

fn lives_as_long_as_a_slice() -> Outcome {
    let vmo = contiguous(2)?;
    vmo.write(&[4], PAGE)?;
    let slice = vmo.create_child(VmoChildOptions::SLICE, PAGE, PAGE)?;
    drop(vmo);
    check_eq(slice.read_to_object::<u8>(0)?, 4)?;
    let decommit = slice.op_range(VmoOp::DECOMMIT, 0, PAGE);
    check_refused(decommit, Status::NOT_SUPPORTED)
}

fn changes_its_cache_policy_while_unmapped() -> Outcome {
    let vmo = contiguous(2)?;
    vmo.write(&[4], 0)?;
    let region = Region::new(4)?;
    region.map_at(0, &vmo, 2)?;
    check_refused(
        vmo.set_cache_policy(CachePolicy::UnCached),
        Status::BAD_STATE,
    )?;
    drop(region);
    vmo.set_cache_policy(CachePolicy::UnCached)?;
    check_refused(vmo.read_to_object::<u8>(0), Status::BAD_STATE)?;
    let region = Region::new(4)?;
    check_eq(peek(region.map_at(0, &vmo, 2)?), 4)?;
    drop(region);
    vmo.create_child(VmoChildOptions::SLICE, 0, PAGE)?;
    vmo.set_cache_policy(CachePolicy::Cached)?;
    check_eq(vmo.read_to_object::<u8>(0)?, 4)
}

fn an_iommu_needs_its_resource() -> Outcome {
    let desc = IommuDescDummy::default();
    let nothing = Resource::from(zx::Handle::invalid());
    check_refused(Iommu::create_dummy(&nothing, desc), Status::BAD_HANDLE)?;
    for other in [rt::system_resource(), rt::mmio_resource()] {
        check_refused(Iommu::create_dummy(&other, desc), Status::WRONG_TYPE)?;
    }
    let iommus = rt::iommu_resource();
    let powerless = iommus.duplicate_handle(Rights::NONE)?;
    let iommu = Iommu::create_dummy(&powerless, desc)?;
    let info = iommu.basic_info()?;
    check_eq(
        (info.object_type, info.rights),
        (ObjectType::IOMMU, Rights::IOMMU_DEFAULT),
    )?;
    let part = iommus.create_child(ResourceKind::SYSTEM, None, 8, 1, b"iommu")?;
    Iommu::create_dummy(&part, desc)?;
    Ok(())
}

fn create_iommu(kind: u32, description: usize, size: usize) -> Result<(), Status> {
    let mut iommu = sys::ZX_HANDLE_INVALID;
    // SAFETY: `iommu` is a live local; the tests give descriptions that are refused.
    ok(unsafe {
        sys::zx_iommu_create(
            rt::iommu_resource().raw_handle(),
            kind,
            ptr::without_provenance(description),
            size,
            &mut iommu,
        )
    })
}

fn an_iommu_needs_a_description() -> Outcome {
    let good = [0_u8; 4].as_ptr().addr();
    for size in [0, 2, 4096, 4097, usize::MAX] {
        check_refused(create_iommu(0, good, size), Status::INVALID_ARGS)?;
    }
    for bad in BAD_ADDRESSES {
        check_refused(create_iommu(0, bad, 1), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn only_one_type_of_iommu_is_known() -> Outcome {
    let good = [0_u8; 4].as_ptr().addr();
    for kind in [1, 2, u32::MAX] {
        check_refused(create_iommu(kind, good, 1), Status::NOT_SUPPORTED)?;
        check_refused(create_iommu(kind, good, 4097), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn create_bti(iommu: u32, options: u32) -> Result<(), Status> {
    let mut bti = sys::ZX_HANDLE_INVALID;
    // SAFETY: `bti` is a live local; the tests make calls that are refused.
    ok(unsafe { sys::zx_bti_create(iommu, options, 0, &mut bti) })
}

fn a_bti_takes_no_options() -> Outcome {
    let iommu = iommu()?;
    for options in [1, u32::MAX] {
        check_refused(
            create_bti(iommu.raw_handle(), options),
            Status::INVALID_ARGS,
        )?;
        check_refused(create_bti(0, options), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn a_bti_needs_an_iommu() -> Outcome {
    for bad in bad_handles()? {
        check_refused(create_bti(bad, 0), Status::BAD_HANDLE)?;
    }
    let root = rt::vmar_root_self().raw_handle();
    check_refused(create_bti(root, 0), Status::WRONG_TYPE)?;
    let powerless = iommu()?.replace_handle(Rights::NONE)?;
    let info = Bti::create(&powerless, u64::MAX)?.basic_info()?;
    check_eq(
        (info.object_type, info.rights),
        (ObjectType::BTI, Rights::BTI_DEFAULT),
    )
}

fn a_bti_has_a_name() -> Outcome {
    let bti = bti()?;
    check_eq(bti.get_name()?, Name::default())?;
    bti.set_name(&Name::new_lossy("disk"))?;
    check_eq(bti.get_name()?, Name::new_lossy("disk"))
}
