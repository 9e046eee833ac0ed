//! The window: a region in which the raw calls may do anything, and the VMOs to map there.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use model::{
    Allocation, Handle, Kind, Mapping, Mismatch, Model, Operation, PAGE, Protection, Reach, Record,
    Removal, Shape, Step, Touch, capabilities,
};
use syscall::VmOptions;
use zx::{
    AsHandleRef, HandleBased, Koid, MapDetails, MapInfo, Resource, Rights, Status, Vmar, VmarFlags,
    Vmo, VmoOptions, ok, sys,
};

use crate::access::{copy_from, copy_to, load, store};

/// All that a region can allow.
const ANY_MAPPING: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE)
    .union(VmarFlags::CAN_MAP_EXECUTE);

/// A region of the kernel and what the model calls it.
struct Region {
    vmar: Vmar,
    flags: VmOptions,
}

/// A region, the regions made in it, and the VMOs.
///
/// Rust knows of nothing that lives in the region, so whatever calls do there harms nobody.
pub struct Window {
    regions: Vec<Region>,
    base: usize,
    vmos: Vec<Vmo>,
    koids: Vec<Koid>,
    /// Where bytes of single pages are copied to and from.
    scratch: Vmo,
}

impl Window {
    /// An empty window with fresh VMOs.
    ///
    /// # Errors
    /// `NO_MEMORY`, `NO_RESOURCES`: there is no room.
    pub fn new(shape: Shape) -> Result<Self, Status> {
        let (vmar, base) = rt::vmar_root_self().allocate(0, shape.pages * PAGE, ANY_MAPPING)?;
        let flags = VmOptions::from_bits_retain(ANY_MAPPING.bits());
        let vmos = shape.vmos.iter().enumerate();
        let vmos: Vec<_> = vmos
            .map(|(number, pages)| new_vmo(number, *pages))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            koids: vmos.iter().map(Vmo::koid).collect::<Result<_, _>>()?,
            regions: vec![Region { vmar, flags }],
            base,
            vmos,
            scratch: Vmo::create(PAGE as u64)?,
        })
    }

    /// The first address.
    pub const fn base(&self) -> usize {
        self.base
    }

    /// Takes a step; answers what the model wants to know.
    ///
    /// The kernel does not say why it could not copy from or to a page, and to execute one would run
    /// whatever is there: in these cases the answer is the one that `model` expects.
    ///
    /// # Errors
    /// Those of the call.
    pub fn perform(&mut self, step: &Step, model: &Model) -> Result<usize, Status> {
        match step {
            Step::Allocate(request) => self.allocate(request),
            Step::Map(request) => self.map(request),
            Step::Unmap(request) => self.unmap(request).map(|()| 0),
            Step::Protect(request) => self.protect(request).map(|()| 0),
            Step::Operate(request) => self.operate(request).map(|()| 0),
            Step::Destroy(handle) => self.destroy(*handle).map(|()| 0),
            Step::Touch(touch) => self.touch(touch, model).map(usize::from),
            Step::Resize { vmo, size } => self.resize(*vmo, *size).map(|()| 0),
            Step::SetStream { vmo, size } => self.vmos[*vmo].set_stream_size(*size).map(|()| 0),
            Step::Write { vmo, page, value } => self.vmos[*vmo]
                .write(&[*value], (page * PAGE) as u64)
                .map(|()| 0),
        }
    }

    /// A handle with exactly the rights that a step wants.
    fn handle(&self, handle: Handle) -> Result<Vmar, Status> {
        let region = &self.regions[handle.region];
        let mut rights = rights_of(handle.rights & capabilities(region.flags));
        match handle.reach {
            Reach::Descendants => rights |= Rights::OP_CHILDREN,
            Reach::Own => {}
        }
        region.vmar.duplicate_handle(rights)
    }

    fn allocate(&mut self, request: &Allocation) -> Result<usize, Status> {
        let parent = self.handle(request.parent)?;
        let mut child = sys::ZX_HANDLE_INVALID;
        let mut address = 0;
        // SAFETY: both results go to live locals.
        ok(unsafe {
            sys::zx_vmar_allocate(
                parent.raw_handle(),
                request.options.bits(),
                request.offset,
                request.size,
                &mut child,
                &mut address,
            )
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        let vmar = Vmar::from_handle(unsafe { zx::Handle::from_raw(child) });
        let flags = request.options;
        self.regions.push(Region { vmar, flags });
        Ok(address)
    }

    fn map(&self, request: &Mapping) -> Result<usize, Status> {
        let vmar = self.handle(request.vmar)?;
        let rights = Rights::MAP | rights_of(request.vmo_rights);
        let vmo = self.vmos[request.vmo].duplicate_handle(rights)?;
        let mut address = 0;
        // SAFETY:
        // 1. The address goes to a live local.
        // 2. What is overwritten is in the window.
        ok(unsafe {
            sys::zx_vmar_map(
                vmar.raw_handle(),
                request.options.bits(),
                request.offset,
                vmo.raw_handle(),
                request.vmo_offset,
                request.length,
                &mut address,
            )
        })?;
        Ok(address)
    }

    fn unmap(&self, request: &Removal) -> Result<(), Status> {
        let vmar = self.handle(request.vmar)?;
        // SAFETY: a region of the window reaches nothing outside.
        unsafe { vmar.unmap(request.address, request.length) }
    }

    fn protect(&self, request: &Protection) -> Result<(), Status> {
        let vmar = self.handle(request.vmar)?;
        let options = request.options.bits();
        // SAFETY: a region of the window reaches nothing outside.
        ok(unsafe {
            sys::zx_vmar_protect(vmar.raw_handle(), options, request.address, request.length)
        })
    }

    fn operate(&self, request: &Operation) -> Result<(), Status> {
        let vmar = self.handle(request.vmar)?;
        vmar.op_range(request.op, request.address, request.length)
    }

    fn destroy(&self, handle: Handle) -> Result<(), Status> {
        // SAFETY: all that is in the window belongs to this program's steps.
        unsafe { self.handle(handle)?.destroy() }
    }

    fn resize(&self, vmo: usize, size: u64) -> Result<(), Status> {
        self.vmos[vmo].set_size(size)
    }

    /// Touches a page: half of the time as programs do, where that is possible, otherwise by call.
    fn touch(&self, touch: &Touch, model: &Model) -> Result<u8, Status> {
        let expected = model.foresee(touch);
        let address = model.address_of(touch.page);
        let is_by_call = expected.is_err() || touch.cpu.is_multiple_of(2);
        let answer = match (touch.access, is_by_call) {
            (VmOptions::PERM_READ, true) => self.byte_at(address),
            (VmOptions::PERM_READ, false) => Ok(load(address)),
            (VmOptions::PERM_WRITE, true) => {
                copy_to(address, touch.value, &self.scratch).map(|()| touch.value)
            }
            (VmOptions::PERM_WRITE, false) => {
                store(address, touch.value);
                Ok(touch.value)
            }
            _ => return expected,
        };
        match (answer, expected) {
            (Err(Status::NOT_FOUND), Err(reason)) => Err(reason),
            (answer, _) => answer,
        }
    }

    /// The byte that the kernel finds at an address.
    fn byte_at(&self, address: usize) -> Result<u8, Status> {
        copy_from(address, 1, &self.scratch).map(|bytes| bytes[0])
    }

    /// What the kernel says is in the window.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no room for the records.
    pub fn records(&self) -> Result<Vec<Record>, Status> {
        let records = self.regions[0].vmar.info_maps_vec()?;
        Ok(records.iter().map(|record| self.record(record)).collect())
    }

    /// A record as the model has it; a kind or a VMO that there is not becomes one that no model expects.
    fn record(&self, record: &MapInfo) -> Record {
        let first = record.base.wrapping_sub(self.base) / PAGE;
        let kind = match record.details() {
            MapDetails::Vmar => Kind::Region,
            MapDetails::Mapping(mapping) => Kind::Mapping {
                vmo: self.vmo_number(mapping.vmo_koid),
                vmo_page: mapping.vmo_offset / PAGE as u64,
                access: VmOptions::from_bits_retain(mapping.mmu_flags.bits()),
                committed: mapping.committed_bytes / PAGE,
            },
            MapDetails::Unknown | MapDetails::None | MapDetails::AddressSpace => Kind::Mapping {
                vmo: usize::MAX,
                vmo_page: 0,
                access: VmOptions::empty(),
                committed: 0,
            },
        };
        Record {
            pages: first..first.wrapping_add(record.size / PAGE),
            depth: record.depth,
            kind,
        }
    }

    fn vmo_number(&self, koid: Koid) -> usize {
        let number = self.koids.iter().position(|known| *known == koid);
        number.unwrap_or(usize::MAX)
    }

    /// Compares the bytes of all pages that can be read, and of all VMOs.
    ///
    /// # Errors
    /// The first byte that differs.
    pub fn compare_bytes(&self, model: &Model) -> Result<(), Mismatch> {
        for (page, byte) in model.readable_pages() {
            let got = self.byte_at(model.address_of(page));
            if got != Ok(byte) {
                return Err(Mismatch(format!(
                    "page {page}: expected {byte:#x}, got {got:x?}"
                )));
            }
        }
        for (number, vmo) in self.vmos.iter().enumerate() {
            for (page, byte) in model.bytes_of(number).enumerate() {
                let mut got = [0];
                let read = vmo.read(&mut got, (page * PAGE) as u64);
                if (read, got) != (Ok(()), [byte]) {
                    let text = format!(
                        "page {page} of VMO {number}: expected {byte:#x}, got {read:?} {got:x?}"
                    );
                    return Err(Mismatch(text));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: nothing of the program is in the window.
        let _ = unsafe { self.regions[0].vmar.destroy() };
    }
}

/// A VMO that may be executed as well.
fn new_vmo(number: usize, pages: usize) -> Result<Vmo, Status> {
    let options = if Shape::is_resizable(number) {
        VmoOptions::RESIZABLE
    } else {
        VmoOptions::empty()
    };
    let vmo = Vmo::create_with_opts(options, (pages * PAGE) as u64)?;
    vmo.replace_as_executable(&Resource::from(zx::Handle::invalid()))
}

/// The rights that stand for permissions.
fn rights_of(permissions: VmOptions) -> Rights {
    let pairs = [
        (VmOptions::PERM_READ, Rights::READ),
        (VmOptions::PERM_WRITE, Rights::WRITE),
        (VmOptions::PERM_EXECUTE, Rights::EXECUTE),
    ];
    let held = pairs
        .into_iter()
        .filter(|(permission, _)| permissions.contains(*permission));
    held.fold(Rights::NONE, |rights, (_, right)| rights | right)
}
