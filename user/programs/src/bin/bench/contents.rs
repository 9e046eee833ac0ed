//! Operations on the contents of VMOs, and VMOs that come and go.

use zx::{AsHandleRef, Status, Vmo, VmoOp, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation};
use crate::population::used_heap;
use crate::snapshots::committed;

/// The pages of 64 MiB.
const PAGES: usize = (64 << 20) / PAGE;

/// Creating a VMO and closing it.
pub fn create_close(bench: &mut Bench) -> Result<Cost, Status> {
    struct CreateClose;
    impl Operation for CreateClose {
        fn run(&mut self) -> sys::zx_status_t {
            let mut vmo = sys::ZX_HANDLE_INVALID;
            // SAFETY: `vmo` is a live local.
            let created = unsafe { sys::zx_vmo_create(PAGE as u64, 0, &mut vmo) };
            // SAFETY: the handle was made above, and nobody else knows it.
            created | unsafe { sys::zx_handle_close(vmo) }
        }
    }
    bench.cost(&mut CreateClose)
}

/// Making the pages of 64 MiB by call: for each page.
pub fn commit(bench: &mut Bench) -> Result<Cost, Status> {
    operate(bench, VmoOp::COMMIT, || Vmo::create((PAGES * PAGE) as u64))
}

/// Giving the pages of 64 MiB back: for each page.
pub fn decommit(bench: &mut Bench) -> Result<Cost, Status> {
    operate(bench, VmoOp::DECOMMIT, || committed(PAGES))
}

/// Zeroing 64 MiB: for each page.
pub fn zero(bench: &mut Bench) -> Result<Cost, Status> {
    operate(bench, VmoOp::ZERO, || committed(PAGES))
}

/// What `op` takes for each page of a VMO that `make` makes.
fn operate(
    bench: &mut Bench,
    op: VmoOp,
    make: fn() -> Result<Vmo, Status>,
) -> Result<Cost, Status> {
    struct Operate {
        op: VmoOp,
        make: fn() -> Result<Vmo, Status>,
        vmo: Option<Vmo>,
        handle: sys::zx_handle_t,
    }
    impl Operation for Operate {
        const RUNS: usize = 5;

        fn prepare(&mut self) -> Result<(), Status> {
            let vmo = (self.make)()?;
            self.handle = vmo.raw_handle();
            self.vmo = Some(vmo);
            Ok(())
        }

        fn run(&mut self) -> sys::zx_status_t {
            let bytes = (PAGES * PAGE) as u64;
            let nothing = core::ptr::null_mut();
            // SAFETY: there is no buffer, and nobody keeps anything in the VMO.
            unsafe { sys::zx_vmo_op_range(self.handle, self.op.into_raw(), 0, bytes, nothing, 0) }
        }

        fn clean(&mut self) -> Result<(), Status> {
            self.vmo = None;
            Ok(())
        }
    }
    bench.cost_per(
        PAGES,
        &mut Operate {
            op,
            make,
            vmo: None,
            handle: sys::ZX_HANDLE_INVALID,
        },
    )
}

/// What the kernel keeps for a page of a VMO besides the page, in bytes.
pub fn memory_per_page(_: &mut Bench) -> Result<Cost, Status> {
    let system = rt::system_resource();
    let before = used_heap(&system)?;
    let vmo = committed(PAGES)?;
    let all = used_heap(&system)? - before;
    drop(vmo);
    Ok(Cost {
        median: all,
        divisor: PAGES as u64,
    })
}
