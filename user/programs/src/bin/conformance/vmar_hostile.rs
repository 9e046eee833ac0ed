//! Every pair of arguments of every call on regions with values that hurt.
//!
//! Whatever a call answers is a status; what it refuses it has not changed; and what it grants lies where
//! the region is and can be taken back. The region lies in one of the test's own between two mappings, so
//! that a call that goes wrong by a page is seen.

use alloc::format;

use zx::{AsHandleRef, Status, Vmo, sys};

use crate::calls::{self, AllocateCall, MapCall, ProtectCall};
use crate::fixtures::{Line, P, READ_WRITE, Region, vmo_of};
use crate::harness::{Failure, Outcome, Test, check_eq, fail, tests};

pub const TESTS: &[Test] = tests![
    allocate_with_every_pair,
    map_with_every_pair,
    unmap_with_every_pair,
    protect_with_every_pair,
    allocate_in_the_root_with_every_pair,
    map_in_the_root_with_every_pair,
    every_option_bit_with_every_other,
    every_handle_with_every_other,
];

/// How many pages the region has.
const PAGES: usize = 6;

/// Beginning of the last page of all addresses.
const LAST_PAGE: usize = usize::MAX - P + 1;

/// Offsets, lengths and addresses that hurt, whatever they are used for.
const HURTS: [usize; 27] = [
    0,
    1,
    P - 1,
    P,
    P + 1,
    2 * P,
    (PAGES - 1) * P,
    PAGES * P - 1,
    PAGES * P,
    PAGES * P + 1,
    (PAGES + 1) * P,
    // The bounds of 32 bits and of signed numbers.
    u32::MAX as usize,
    1 << 32,
    isize::MAX as usize,
    1 << 63,
    // The last pages that programs can have on x86-64 and aarch64, and the ones behind.
    0x7fff_ffff_e000,
    0x7fff_ffff_f000,
    0x8000_0000_0000,
    0xffff_ffff_f000,
    0x1_0000_0000_0000,
    // Where the kernel is.
    0xffff_0000_0000_0000,
    0xffff_8000_0000_0000,
    0xffff_ffff_8000_0000,
    LAST_PAGE - P,
    LAST_PAGE,
    LAST_PAGE + 1,
    usize::MAX,
];

/// Options that hurt, alone or with others.
const OPTIONS: [u32; 12] = [
    0,
    sys::ZX_VM_PERM_READ,
    sys::ZX_VM_PERM_READ | sys::ZX_VM_PERM_WRITE,
    sys::ZX_VM_SPECIFIC,
    sys::ZX_VM_SPECIFIC_OVERWRITE,
    sys::ZX_VM_OFFSET_IS_UPPER_LIMIT,
    sys::ZX_VM_SPECIFIC | sys::ZX_VM_ALIGN_64KB,
    sys::ZX_VM_OFFSET_IS_UPPER_LIMIT | sys::ZX_VM_ALIGN_4GB,
    sys::ZX_VM_PERM_READ | sys::ZX_VM_SPECIFIC | sys::ZX_VM_MAP_RANGE,
    sys::ZX_VM_CAN_MAP_READ | sys::ZX_VM_SPECIFIC,
    sys::ZX_VM_COMPACT | sys::ZX_VM_CAN_MAP_SPECIFIC,
    u32::MAX,
];

/// All pairs of values that hurt.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    HURTS
        .into_iter()
        .flat_map(|first| HURTS.map(|second| (first, second)))
}

/// A region with a mapping and a region in it, in another that has mappings on both sides of it.
struct Scene {
    outer: Region,
    region: Region,
    _child: Region,
    vmo: Vmo,
    shape: alloc::vec::Vec<Line>,
}

impl Scene {
    fn new() -> Result<Self, Status> {
        let outer = Region::new(PAGES + 2)?;
        let region = outer.child(1, PAGES)?;
        let (vmo, neighbour) = (vmo_of(PAGES)?, vmo_of(1)?);
        outer.map_at(0, &neighbour, 1)?;
        outer.map_at(PAGES + 1, &neighbour, 1)?;
        region.map_at(1, &vmo, 1)?;
        let child = region.child(3, 1)?;
        let shape = outer.shape()?;
        Ok(Self {
            outer,
            region,
            _child: child,
            vmo,
            shape,
        })
    }

    /// Fails if what is there is not what was there at the beginning.
    fn check_unchanged(&self, call: impl FnOnce() -> alloc::string::String) -> Outcome {
        if self.outer.shape()? == self.shape {
            return Ok(());
        }
        fail(format!("{} has changed something", call()))
    }

    /// Takes back what a call has granted, after a look at where it is.
    fn take_back(&self, address: usize, length: usize) -> Outcome {
        let offset = address.wrapping_sub(self.region.at(0));
        let rounded = length.next_multiple_of(P);
        if offset >= PAGES * P || rounded > PAGES * P - offset {
            return fail(format!(
                "{address:#x} and {length:#x} bytes are not in the region"
            ));
        }
        calls::unmap(self.region.raw_handle(), address, rounded).map_err(Into::into)
    }
}

fn allocate_with_every_pair() -> Outcome {
    let scene = Scene::new()?;
    for options in OPTIONS {
        for (offset, size) in pairs() {
            let call = AllocateCall {
                options,
                offset,
                size,
                ..AllocateCall::one_page(&scene.region)
            };
            if let Ok((_, address)) = call.make() {
                scene.take_back(address, size)?;
            }
        }
        scene.check_unchanged(|| format!("an allocation with {options:#x}"))?;
    }
    Ok(())
}

/// Makes a mapping. One that overwrites may replace the mapping of the scene, so that is put back.
fn try_mapping(scene: &mut Scene, call: MapCall) -> Outcome {
    let Ok(address) = call.make() else {
        return Ok(());
    };
    scene.take_back(address, call.length)?;
    if call.options & sys::ZX_VM_SPECIFIC_OVERWRITE != 0 {
        *scene = Scene::new()?;
    }
    Ok(())
}

fn map_with_every_pair() -> Outcome {
    let mut scene = Scene::new()?;
    for options in OPTIONS {
        for (first, second) in pairs() {
            let valid = MapCall {
                options,
                ..MapCall::one_page(&scene.region, &scene.vmo)
            };
            let places = MapCall {
                vmar_offset: first,
                length: second,
                ..valid
            };
            try_mapping(&mut scene, places)?;
            let valid = MapCall {
                options,
                ..MapCall::one_page(&scene.region, &scene.vmo)
            };
            let parts = MapCall {
                vmo_offset: first as u64,
                length: second,
                ..valid
            };
            try_mapping(&mut scene, parts)?;
            let valid = MapCall {
                options,
                ..MapCall::one_page(&scene.region, &scene.vmo)
            };
            let both = MapCall {
                vmar_offset: first,
                vmo_offset: second as u64,
                ..valid
            };
            try_mapping(&mut scene, both)?;
        }
        scene.check_unchanged(|| format!("a mapping with {options:#x}"))?;
    }
    Ok(())
}

/// The addresses that a value stands for: itself, and so far above and below the base of the region.
fn addresses(region: &Region, value: usize) -> [usize; 3] {
    let base = region.at(0);
    [value, base.wrapping_add(value), base.wrapping_sub(value)]
}

fn unmap_with_every_pair() -> Outcome {
    let mut scene = Scene::new()?;
    for (value, length) in pairs() {
        for way in 0..3 {
            let address = addresses(&scene.region, value)[way];
            let offset = address.wrapping_sub(scene.region.at(0));
            let answer = calls::unmap(scene.region.raw_handle(), address, length);
            if answer.is_err() {
                scene.check_unchanged(|| format!("a failed unmap of {address:#x}+{length:#x}"))?;
                continue;
            }
            if offset >= PAGES * P || length > PAGES * P - offset {
                return fail(format!("unmap has granted {address:#x}+{length:#x}"));
            }
            scene = Scene::new()?;
        }
    }
    Ok(())
}

fn protect_with_every_pair() -> Outcome {
    let scene = Scene::new()?;
    for options in OPTIONS.into_iter().chain([sys::ZX_VM_PERM_EXECUTE]) {
        for (value, length) in pairs() {
            for address in addresses(&scene.region, value) {
                let call = ProtectCall {
                    vmar: scene.region.raw_handle(),
                    options,
                    address,
                    length,
                };
                let answer = call.make();
                if answer.is_ok() {
                    check_eq((address, length.div_ceil(P)), (scene.region.at(1), 1))?;
                    let back = ProtectCall {
                        options: READ_WRITE.bits(),
                        ..call
                    };
                    back.make()?;
                }
            }
        }
        scene.check_unchanged(|| format!("protection with {options:#x}"))?;
    }
    Ok(())
}

fn allocate_in_the_root_with_every_pair() -> Outcome {
    let root = rt::vmar_root_self();
    for options in OPTIONS {
        for (offset, size) in pairs() {
            let call = AllocateCall {
                parent: root.raw_handle(),
                options,
                offset,
                size,
            };
            if let Ok((child, address)) = call.make() {
                let info = child.info()?;
                calls::destroy(child.raw_handle())?;
                check_eq((info.base, info.len), (address, size))?;
            }
        }
    }
    Ok(())
}

fn map_in_the_root_with_every_pair() -> Outcome {
    let root = rt::vmar_root_self();
    let vmo = vmo_of(1)?;
    // What overwrites could take the program's own memory away.
    let harmless = |options: &u32| options & sys::ZX_VM_SPECIFIC_OVERWRITE == 0;
    for options in OPTIONS.into_iter().filter(harmless) {
        for (vmar_offset, length) in pairs() {
            let call = MapCall {
                vmar: root.raw_handle(),
                options,
                vmar_offset,
                vmo: vmo.raw_handle(),
                vmo_offset: 0,
                length,
            };
            if let Ok(address) = call.make() {
                calls::unmap(root.raw_handle(), address, length)?;
            }
        }
    }
    check_eq(vmo.info()?.num_mappings, 0)
}

fn every_option_bit_with_every_other() -> Outcome {
    let mut scene = Scene::new()?;
    for (first, second) in (0..32).flat_map(|first| (0..32).map(move |second| (first, second))) {
        let options = 1_u32 << first | 1 << second;
        let allocation = AllocateCall {
            options,
            ..AllocateCall::one_page(&scene.region)
        };
        if let Ok((_, address)) = allocation.make() {
            scene.take_back(address, P)?;
        }
        let mapping = MapCall {
            options,
            ..MapCall::one_page(&scene.region, &scene.vmo)
        };
        try_mapping(&mut scene, mapping)?;
        let protection = ProtectCall {
            options,
            ..ProtectCall::read_only(&scene.region, 1)
        };
        if protection.make().is_ok() {
            ProtectCall {
                options: READ_WRITE.bits(),
                ..protection
            }
            .make()?;
        }
        scene.check_unchanged(|| format!("a call with {options:#x}"))?;
    }
    Ok(())
}

fn every_handle_with_every_other() -> Outcome {
    let scene = Scene::new()?;
    let good = [
        scene.region.raw_handle(),
        scene.vmo.raw_handle(),
        rt::process_self().raw_handle(),
    ];
    let bits = (0..32).map(|bit| good[0] ^ 1 << bit);
    let handles = good.into_iter().chain([0, 1, 2, 3, u32::MAX]).chain(bits);
    for vmar in handles.clone() {
        for vmo in handles.clone() {
            if (vmar, vmo) == (good[0], good[1]) || scene.is_a_pair(vmar, vmo)? {
                continue;
            }
            let call = MapCall {
                vmar,
                vmo,
                ..MapCall::one_page(&scene.region, &scene.vmo)
            };
            let answer = call.make();
            if !matches!(answer, Err(Status::BAD_HANDLE | Status::WRONG_TYPE)) {
                return fail(format!("{vmar:#x} and {vmo:#x}: {answer:?}"));
            }
        }
    }
    scene.check_unchanged(|| "a call with handles that do not fit".into())
}

impl Scene {
    /// Whether the handles are to a region and to a VMO, by chance.
    fn is_a_pair(&self, vmar: u32, vmo: u32) -> Result<bool, Failure> {
        let type_of = |raw| {
            let mut info = sys::zx_info_handle_basic_t::default();
            // SAFETY: `info` is a live local of the size that is given.
            let status = unsafe {
                sys::zx_object_get_info(
                    raw,
                    sys::ZX_INFO_HANDLE_BASIC,
                    (&raw mut info).cast(),
                    size_of_val(&info),
                    core::ptr::null_mut(),
                    core::ptr::null_mut(),
                )
            };
            (status == sys::ZX_OK).then_some(info.object_type)
        };
        Ok(type_of(vmar) == Some(sys::ZX_OBJ_TYPE_VMAR)
            && type_of(vmo) == Some(sys::ZX_OBJ_TYPE_VMO))
    }
}
