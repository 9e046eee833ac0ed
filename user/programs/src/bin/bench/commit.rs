//! Making pages before anybody touches them.

use zx::{AsHandleRef, Status, Vmo, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation};
use crate::window::{READ_WRITE, root};

/// The pages of 64 MiB.
const PAGES: usize = (64 << 20) / PAGE;

/// Making all pages of a mapping and entering them: for each page.
pub fn commit(bench: &mut Bench) -> Result<Cost, Status> {
    bench.cost_per(PAGES, &mut Commit::with(READ_WRITE))
}

/// The same where large pages could be used: for each base page.
pub fn commit_aligned(bench: &mut Bench) -> Result<Cost, Status> {
    bench.cost_per(PAGES, &mut Commit::with(READ_WRITE | sys::ZX_VM_ALIGN_2MB))
}

/// Commits a mapping that was made with these options.
struct Commit {
    options: sys::zx_vm_option_t,
    root: sys::zx_handle_t,
    address: usize,
}

impl Commit {
    fn with(options: sys::zx_vm_option_t) -> Self {
        Self {
            options,
            root: root(),
            address: 0,
        }
    }
}

impl Operation for Commit {
    const RUNS: usize = 5;

    /// The handle of the VMO is closed, so that it lives by its mapping.
    fn prepare(&mut self) -> Result<(), Status> {
        let vmo = Vmo::create((PAGES * PAGE) as u64)?;
        let handle = vmo.raw_handle();
        // SAFETY:
        // 1. `self.address` is borrowed for writing.
        // 2. The kernel chooses a place that nothing uses.
        zx::ok(unsafe {
            let address = &mut self.address;
            sys::zx_vmar_map(self.root, self.options, 0, handle, 0, PAGES * PAGE, address)
        })
    }

    fn run(&mut self) -> sys::zx_status_t {
        let length = PAGES * PAGE;
        let nothing = core::ptr::null_mut();
        // SAFETY: committing changes no contents.
        unsafe {
            sys::zx_vmar_op_range(
                self.root,
                sys::ZX_VMAR_OP_COMMIT,
                self.address,
                length,
                nothing,
                0,
            )
        }
    }

    fn clean(&mut self) -> Result<(), Status> {
        // SAFETY: nobody uses what `prepare` has mapped.
        zx::ok(unsafe { sys::zx_vmar_unmap(self.root, self.address, PAGES * PAGE) })
    }
}
