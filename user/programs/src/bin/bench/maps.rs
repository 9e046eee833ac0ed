//! Mapping and unmapping.

use zx::{AsHandleRef, Status, Vmo, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation, RUNS};
use crate::window::{READ_WRITE, Window, root, write};

/// Pages of the mapping that is removed with its pages.
const TOUCHED: usize = 512;

/// What the kernel keeps for a mapping that nobody touches, in bytes.
pub fn memory_per_mapping(bench: &mut Bench) -> Result<Cost, Status> {
    Ok(Cost {
        median: bench.population.grown_bytes(),
        divisor: bench.population.grown_by() as u64,
    })
}

/// Mapping a page where the kernel likes it, and unmapping it untouched.
pub fn map_unmap(bench: &mut Bench) -> Result<Cost, Status> {
    struct MapUnmap {
        root: sys::zx_handle_t,
        vmo: Vmo,
    }
    impl Operation for MapUnmap {
        fn run(&mut self) -> sys::zx_status_t {
            let mut address = 0;
            let vmo = self.vmo.raw_handle();
            // SAFETY:
            // 1. `address` is a live local.
            // 2. The kernel chooses a place that nothing uses.
            let mapped =
                unsafe { sys::zx_vmar_map(self.root, READ_WRITE, 0, vmo, 0, PAGE, &mut address) };
            // SAFETY: nobody uses what was mapped there.
            mapped | unsafe { sys::zx_vmar_unmap(self.root, address, PAGE) }
        }
    }
    let root = root();
    let vmo = Vmo::create(PAGE as u64)?;
    bench.cost(&mut MapUnmap { root, vmo })
}

/// A gap of one page among touched ones, where a mapping needs no page table of its own.
struct Gap {
    /// Only there to be there.
    _neighbours: Window,
    root: sys::zx_handle_t,
    address: usize,
    offset: usize,
}

impl Gap {
    const NEIGHBOURS: usize = 16;

    fn new() -> Result<Self, Status> {
        let root = root();
        let window = Window::new(Self::NEIGHBOURS)?;
        window.write_pages(0..Self::NEIGHBOURS);
        let address = window.page(Self::NEIGHBOURS / 2);
        // SAFETY: nobody keeps anything in the window.
        zx::ok(unsafe { sys::zx_vmar_unmap(root, address, PAGE) })?;
        let offset = address - rt::vmar_root_self().info()?.base;
        Ok(Self {
            _neighbours: window,
            root,
            address,
            offset,
        })
    }

    /// Maps page number `page` of `vmo` there, writes to it, and unmaps it.
    #[inline(always)]
    fn map_write_unmap(&self, vmo: sys::zx_handle_t, page: usize) -> sys::zx_status_t {
        let root = self.root;
        let options = READ_WRITE | sys::ZX_VM_SPECIFIC;
        let from = (page * PAGE) as u64;
        let mut address = 0;
        // SAFETY:
        // 1. `address` is a live local.
        // 2. The gap belongs to this operation.
        let mapped =
            unsafe { sys::zx_vmar_map(root, options, self.offset, vmo, from, PAGE, &mut address) };
        if mapped < 0 {
            return mapped;
        }
        write(self.address);
        // SAFETY: nobody uses what was mapped there.
        unsafe { sys::zx_vmar_unmap(root, self.address, PAGE) }
    }
}

/// Mapping a page, writing to it, which makes it, and unmapping it; the VMO keeps the page.
pub fn map_write_unmap(bench: &mut Bench) -> Result<Cost, Status> {
    struct MapWriteUnmap {
        gap: Gap,
        vmo: Vmo,
        page: usize,
    }
    impl Operation for MapWriteUnmap {
        fn run(&mut self) -> sys::zx_status_t {
            self.gap.map_write_unmap(self.vmo.raw_handle(), self.page)
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.page += 1;
            Ok(())
        }
    }
    bench.cost(&mut MapWriteUnmap {
        gap: Gap::new()?,
        vmo: Vmo::create((RUNS * PAGE) as u64)?,
        page: 0,
    })
}

/// The same with a VMO that is made for it and, with its page, freed by the unmapping.
pub fn create_map_write_free(bench: &mut Bench) -> Result<Cost, Status> {
    struct CreateMapWriteFree(Gap);
    impl Operation for CreateMapWriteFree {
        fn run(&mut self) -> sys::zx_status_t {
            let mut vmo = sys::ZX_HANDLE_INVALID;
            // SAFETY: `vmo` is a live local.
            let created = unsafe { sys::zx_vmo_create(PAGE as u64, 0, &mut vmo) };
            let mapped = self.0.map_write_unmap(vmo, 0);
            // SAFETY: the handle was made above, and nobody else knows it.
            created | mapped | unsafe { sys::zx_handle_close(vmo) }
        }
    }
    bench.cost(&mut CreateMapWriteFree(Gap::new()?))
}

/// Unmapping pages that were written to, and with them their VMO: for each page.
pub fn unmap_touched(bench: &mut Bench) -> Result<Cost, Status> {
    struct UnmapTouched {
        root: sys::zx_handle_t,
        address: usize,
    }
    impl Operation for UnmapTouched {
        const RUNS: usize = 31;

        /// The handle of the VMO is closed, so that it lives by its mapping.
        fn prepare(&mut self) -> Result<(), Status> {
            let vmo = Vmo::create((TOUCHED * PAGE) as u64)?;
            let handle = vmo.raw_handle();
            // SAFETY:
            // 1. `self.address` is borrowed for writing.
            // 2. The kernel chooses a place that nothing uses.
            zx::ok(unsafe {
                let address = &mut self.address;
                sys::zx_vmar_map(self.root, READ_WRITE, 0, handle, 0, TOUCHED * PAGE, address)
            })?;
            (0..TOUCHED).for_each(|page| write(self.address + page * PAGE));
            Ok(())
        }

        fn run(&mut self) -> sys::zx_status_t {
            // SAFETY: nobody uses what `prepare` has mapped.
            unsafe { sys::zx_vmar_unmap(self.root, self.address, TOUCHED * PAGE) }
        }
    }
    let root = root();
    bench.cost_per(TOUCHED, &mut UnmapTouched { root, address: 0 })
}
