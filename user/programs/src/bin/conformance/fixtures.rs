//! What tests are made of: regions of their own, VMOs with known bytes, and wrong arguments.

use alloc::vec::Vec;
use core::ops::Deref;
use core::{hint, ptr};

use zx::{
    AsHandleRef, Handle, HandleBased, Koid, Name, Resource, Rights, Status, Vmar, VmarFlags, Vmo,
    VmoOptions, sys,
};

use crate::calls;
use crate::harness::{Outcome, check, check_eq};

/// The size of a page in bytes.
pub const P: usize = 4096;

/// Reading and writing.
pub const READ_WRITE: VmarFlags = VmarFlags::PERM_READ.union(VmarFlags::PERM_WRITE);

/// All that a region can allow.
pub const CAN_MAP_ALL: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE)
    .union(VmarFlags::CAN_MAP_EXECUTE);

/// Bits of the option word that mean nothing.
pub fn undefined_options() -> impl Iterator<Item = u32> {
    (16..24).map(|bit| 1 << bit)
}

/// Alignment bytes that are not valid, each in its place in the option word.
pub fn bad_alignments() -> impl Iterator<Item = u32> {
    (1..10).chain(33..256).map(|exponent| exponent << 24)
}

/// Addresses where a program can neither read nor write.
pub const BAD_ADDRESSES: [usize; 9] = [
    0,
    1,
    P,
    // The first address that is not canonical on x86-64; unmapped on aarch64.
    0x8000_0000_0000,
    0x7fff_ffff_ffff_ffff,
    // Where the kernel keeps all of memory, on either architecture, and its image.
    0xffff_0000_0000_0000,
    0xffff_8000_0000_0000,
    0xffff_ffff_8010_0000,
    usize::MAX,
];

/// Values that name no handle of this process: zero, all ones, made up, and closed.
pub fn bad_handles() -> Result<[sys::zx_handle_t; 4], Status> {
    let closed = Vmo::create(0)?.raw_handle();
    Ok([sys::ZX_HANDLE_INVALID, u32::MAX, 0x5a5a_5a5b, closed])
}

/// Another handle to the same object with exactly these rights.
pub fn with_rights<T: HandleBased>(object: &T, rights: Rights) -> Result<T, Status> {
    object.duplicate_handle(rights)
}

/// Another handle to the same object without these rights.
pub fn without_rights<T: HandleBased>(object: &T, rights: Rights) -> Result<T, Status> {
    object.duplicate_handle(object.basic_info()?.rights.difference(rights))
}

/// A VMO of this many pages.
pub fn vmo_of(pages: usize) -> Result<Vmo, Status> {
    Vmo::create((pages * P) as u64)
}

/// A resizable VMO of this many pages.
pub fn resizable_vmo_of(pages: usize) -> Result<Vmo, Status> {
    Vmo::create_with_opts(VmoOptions::RESIZABLE, (pages * P) as u64)
}

/// The same VMO, which may now be executed as well.
pub fn executable(vmo: Vmo) -> Result<Vmo, Status> {
    vmo.replace_as_executable(&Resource::from(Handle::invalid()))
}

/// A VMO whose every page begins with its own number plus `first`.
pub fn numbered_vmo(pages: usize, first: u8) -> Result<Vmo, Status> {
    let vmo = vmo_of(pages)?;
    for (page, number) in (0..pages).zip(first..) {
        vmo.write(&[number], (page * P) as u64)?;
    }
    Ok(vmo)
}

/// A region of the test's own, destroyed at the end.
pub struct Region {
    vmar: Vmar,
    base: usize,
}

impl Region {
    /// A region of this many pages that allows everything.
    pub fn new(pages: usize) -> Result<Self, Status> {
        Self::with_flags(pages, CAN_MAP_ALL)
    }

    /// A region of this many pages with these capabilities.
    pub fn with_flags(pages: usize, flags: VmarFlags) -> Result<Self, Status> {
        let (vmar, base) = rt::vmar_root_self().allocate(0, pages * P, flags)?;
        Ok(Self { vmar, base })
    }

    /// A region that has been destroyed.
    pub fn destroyed(pages: usize) -> Result<Self, Status> {
        let region = Self::new(pages)?;
        calls::destroy(region.raw_handle())?;
        Ok(region)
    }

    /// A region inside this one, at page `page`, that allows everything.
    pub fn child(&self, page: usize, pages: usize) -> Result<Self, Status> {
        let flags = CAN_MAP_ALL | VmarFlags::SPECIFIC;
        let (vmar, base) = self.vmar.allocate(page * P, pages * P, flags)?;
        Ok(Self { vmar, base })
    }

    /// The address of a page.
    pub fn at(&self, page: usize) -> usize {
        self.base + page * P
    }

    /// Maps the beginning of `vmo` readable and writable at page `page`.
    pub fn map_at(&self, page: usize, vmo: &Vmo, pages: usize) -> Result<usize, Status> {
        self.vmar.map(
            page * P,
            vmo,
            0,
            pages * P,
            READ_WRITE | VmarFlags::SPECIFIC,
        )
    }

    /// Which pages from `self` on have a mapping, and of which page of their VMO.
    pub fn mapped_pages(&self) -> Result<Vec<(usize, u64)>, Status> {
        let mut pages = Vec::new();
        for record in self.vmar.info_maps_vec()? {
            let Some(mapping) = record.as_mapping() else {
                continue;
            };
            let first = (record.base - self.base) / P;
            let first_in_vmo = mapping.vmo_offset / P as u64;
            pages.extend((first..first + record.size / P).zip(first_in_vmo..));
        }
        Ok(pages)
    }

    /// What the region looks like, without what changes as pages are touched.
    pub fn shape(&self) -> Result<Vec<Line>, Status> {
        Ok(self.vmar.info_maps_vec()?.iter().map(Line::from).collect())
    }

    /// Fails unless `call` is refused with `expected` and leaves the region as it was.
    #[track_caller]
    pub fn refuses<T>(
        &self,
        expected: Status,
        call: impl FnOnce() -> Result<T, Status>,
    ) -> Outcome {
        let before = self.shape()?;
        check_eq(call().map(drop), Err(expected))?;
        check_eq(self.shape()?, before)
    }
}

impl Deref for Region {
    type Target = Vmar;

    fn deref(&self) -> &Vmar {
        &self.vmar
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // Tests that destroy the region themselves leave BAD_STATE here.
        let _ = calls::destroy(self.vmar.raw_handle());
    }
}

/// A record of a region or mapping, without its page counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Line {
    pub name: Name,
    pub base: usize,
    pub size: usize,
    pub depth: usize,
    pub mapping: Option<Shown>,
}

/// What a mapping shows, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shown {
    pub permissions: u32,
    pub vmo: Koid,
    pub offset: u64,
}

impl From<&zx::MapInfo> for Line {
    fn from(record: &zx::MapInfo) -> Self {
        let mapping = record.as_mapping().map(|mapping| Shown {
            permissions: mapping.mmu_flags.bits(),
            vmo: mapping.vmo_koid,
            offset: mapping.vmo_offset,
        });
        let &zx::MapInfo {
            name,
            base,
            size,
            depth,
            ..
        } = record;
        Self {
            name,
            base,
            size,
            depth,
            mapping,
        }
    }
}

/// Reads a byte of a mapping that the test has made.
pub fn peek(address: usize) -> u8 {
    // SAFETY: the test has mapped the page readable in a region of its own.
    unsafe { ptr::read_volatile(hint::black_box(address as *const u8)) }
}

/// Writes a byte of a mapping that the test has made.
pub fn poke(address: usize, value: u8) {
    // SAFETY: the test has mapped the page writable in a region of its own.
    unsafe { ptr::write_volatile(hint::black_box(address as *mut u8), value) }
}

/// Asks the kernel what a program may do at an address: its copies fail where the program would fault.
pub struct Probe {
    scratch: Vmo,
}

impl Probe {
    /// A probe.
    pub fn new() -> Result<Self, Status> {
        Ok(Self {
            scratch: vmo_of(1)?,
        })
    }

    /// Whether a byte there can be read.
    pub fn is_readable(&self, address: usize) -> Result<bool, Status> {
        // SAFETY: the call only reads, from where the kernel finds that it can.
        let raw =
            unsafe { sys::zx_vmo_write(self.scratch.raw_handle(), address as *const u8, 0, 1) };
        Self::answer(raw)
    }

    /// Whether a byte there can be written; the byte becomes what was last found readable.
    pub fn is_writable(&self, address: usize) -> Result<bool, Status> {
        // SAFETY: the test probes only pages in regions of its own.
        let raw = unsafe { sys::zx_vmo_read(self.scratch.raw_handle(), address as *mut u8, 0, 1) };
        Self::answer(raw)
    }

    /// Fails unless a byte of a mapping beyond the end of its VMO faults.
    ///
    /// The copy may fail with `NOT_FOUND` as everywhere or with the status of the fault.
    #[track_caller]
    pub fn check_faults(&self, address: usize) -> Outcome {
        let answer = self.is_readable(address);
        check(
            matches!(answer, Ok(false) | Err(Status::OUT_OF_RANGE)),
            "a fault beyond the end",
        )
    }

    fn answer(raw: sys::zx_status_t) -> Result<bool, Status> {
        match zx::ok(raw) {
            Ok(()) => Ok(true),
            Err(Status::NOT_FOUND) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
