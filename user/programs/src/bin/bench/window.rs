//! A mapping to measure something in.

use core::ops::Range;
use core::ptr;

use zx::{AsHandleRef, Status, Vmo, sys};

use crate::PAGE;

/// Readable and writable.
pub const READ_WRITE: sys::zx_vm_option_t = sys::ZX_VM_PERM_READ | sys::ZX_VM_PERM_WRITE;

/// The region in which everything is mapped: the root of the address space.
#[inline]
pub fn root() -> sys::zx_handle_t {
    rt::vmar_root_self().raw_handle()
}

/// A VMO and a writable mapping of its pages, where the kernel chose to put it. It goes when dropped.
pub struct Window {
    vmo: Vmo,
    address: usize,
    pages: usize,
}

impl Window {
    /// `pages` pages that nobody has touched.
    ///
    /// # Errors
    /// What creating or mapping answers.
    pub fn new(pages: usize) -> Result<Self, Status> {
        Self::showing(Vmo::create((pages * PAGE) as u64)?, pages)
    }

    /// The first `pages` pages of `vmo`.
    ///
    /// # Errors
    /// What mapping answers.
    pub fn showing(vmo: Vmo, pages: usize) -> Result<Self, Status> {
        let mut address = 0;
        // SAFETY:
        // 1. `address` is a live local.
        // 2. The kernel chooses a place that nothing uses.
        zx::ok(unsafe {
            sys::zx_vmar_map(
                root(),
                READ_WRITE,
                0,
                vmo.raw_handle(),
                0,
                pages * PAGE,
                &mut address,
            )
        })?;
        Ok(Self {
            vmo,
            address,
            pages,
        })
    }

    /// The VMO.
    pub fn vmo(&self) -> &Vmo {
        &self.vmo
    }

    /// The address of page number `page`.
    ///
    /// # Panics
    /// If there is no such page.
    pub fn page(&self, page: usize) -> usize {
        assert!(
            page < self.pages,
            "the window has only {} pages",
            self.pages
        );
        self.address + page * PAGE
    }

    /// Writes to all pages in `range`, which are readable and writable.
    pub fn write_pages(&self, range: Range<usize>) {
        range.for_each(|page| write(self.page(page)));
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let length = self.pages * PAGE;
        // SAFETY: nothing refers to the memory of the window but through the window.
        let status = unsafe { sys::zx_vmar_unmap(root(), self.address, length) };
        assert_eq!(status, sys::ZX_OK, "a mapping can be removed");
    }
}

/// Reads a byte at `address`, which lies in a readable mapping of this program.
#[inline(always)]
pub fn read(address: usize) {
    // SAFETY: the mapping is readable, and any byte will do.
    unsafe { ptr::with_exposed_provenance::<u8>(address).read_volatile() };
}

/// Writes a byte at `address`, which lies in a writable mapping that is there for this.
#[inline(always)]
pub fn write(address: usize) {
    // SAFETY: the mapping is writable, and nobody keeps anything in it.
    unsafe { ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(1) };
}
