//! Snapshots: taking them, writing where they share, and what the kernel keeps for them.

use alloc::vec::Vec;

use zx::{AsHandleRef, HandleBased, Status, Vmo, VmoChildOptions, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation, RUNS};
use crate::population::used_heap;
use crate::window::{Window, read, write};

/// The pages of 64 MiB.
const MANY_PAGES: usize = (64 << 20) / PAGE;

/// 64 GiB, of which a page is there every 64 MiB.
const SPARSE_BYTES: u64 = 64 << 30;
const SPARSE_STEP: u64 = 64 << 20;

/// How many snapshots the kernel's memory for one is measured with.
const SNAPSHOTS: usize = 1000;

/// A snapshot of all of `vmo`.
///
/// # Errors
/// What the call answers.
pub fn snapshot_of(vmo: &Vmo) -> Result<Vmo, Status> {
    vmo.create_child(VmoChildOptions::SNAPSHOT, 0, vmo.get_size()?)
}

/// Taking a snapshot of a page.
pub fn take_small(bench: &mut Bench) -> Result<Cost, Status> {
    take(bench, committed(1)?)
}

/// Taking a snapshot of 64 MiB.
pub fn take_large(bench: &mut Bench) -> Result<Cost, Status> {
    take(bench, committed(MANY_PAGES)?)
}

/// Taking a snapshot of 64 GiB with few pages.
pub fn take_sparse(bench: &mut Bench) -> Result<Cost, Status> {
    take(bench, sparse()?)
}

/// Closing a snapshot of 64 MiB that shares all of it.
pub fn close_large(bench: &mut Bench) -> Result<Cost, Status> {
    struct Close {
        vmo: Vmo,
        snapshot: sys::zx_handle_t,
    }
    impl Operation for Close {
        fn prepare(&mut self) -> Result<(), Status> {
            self.snapshot = snapshot_of(&self.vmo)?.into_raw();
            Ok(())
        }
        fn run(&mut self) -> sys::zx_status_t {
            // SAFETY: `prepare` made the handle, and nobody else knows it.
            unsafe { sys::zx_handle_close(self.snapshot) }
        }
    }
    bench.cost(&mut Close {
        vmo: committed(MANY_PAGES)?,
        snapshot: sys::ZX_HANDLE_INVALID,
    })
}

fn take(bench: &mut Bench, vmo: Vmo) -> Result<Cost, Status> {
    struct Take {
        vmo: Vmo,
        size: u64,
        snapshot: sys::zx_handle_t,
    }
    impl Operation for Take {
        fn run(&mut self) -> sys::zx_status_t {
            let (vmo, options) = (self.vmo.raw_handle(), VmoChildOptions::SNAPSHOT.bits());
            // SAFETY: the handle goes to a place that is borrowed for writing.
            unsafe { sys::zx_vmo_create_child(vmo, options, 0, self.size, &mut self.snapshot) }
        }
        fn clean(&mut self) -> Result<(), Status> {
            // SAFETY: the run made the handle, and nobody else knows it.
            zx::ok(unsafe { sys::zx_handle_close(self.snapshot) })
        }
    }
    let size = vmo.get_size()?;
    bench.cost(&mut Take {
        vmo,
        size,
        snapshot: sys::ZX_HANDLE_INVALID,
    })
}

/// Writing to a page that a snapshot shares, and that is entered for reading.
pub fn write_copied(bench: &mut Bench) -> Result<Cost, Status> {
    let (window, snapshot) = shared_window()?;
    let cost = write_pages(bench, &window);
    drop(snapshot);
    cost
}

/// Writing to a page that is entered for reading because a snapshot shared it, which is gone.
pub fn write_left(bench: &mut Bench) -> Result<Cost, Status> {
    let (window, snapshot) = shared_window()?;
    drop(snapshot);
    write_pages(bench, &window)
}

/// A window whose pages have been written, and read after the snapshot of them was taken.
fn shared_window() -> Result<(Window, Vmo), Status> {
    let window = Window::new(RUNS + 1)?;
    window.write_pages(0..RUNS + 1);
    let snapshot = snapshot_of(window.vmo())?;
    (0..=RUNS).for_each(|page| read(window.page(page)));
    Ok((window, snapshot))
}

fn write_pages(bench: &mut Bench, window: &Window) -> Result<Cost, Status> {
    struct Write<'a> {
        window: &'a Window,
        page: usize,
    }
    impl Operation for Write<'_> {
        fn run(&mut self) -> sys::zx_status_t {
            write(self.window.page(self.page));
            sys::ZX_OK
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.page += 1;
            Ok(())
        }
    }
    bench.cost(&mut Write { window, page: 0 })
}

/// Writing a page by call into a VMO that shares it with a snapshot.
pub fn call_write_copied(bench: &mut Bench) -> Result<Cost, Status> {
    struct Write {
        vmo: Vmo,
        buffer: [u8; PAGE],
        offset: u64,
    }
    impl Operation for Write {
        fn run(&mut self) -> sys::zx_status_t {
            let buffer = self.buffer.as_ptr();
            // SAFETY: the buffer is readable and has this length.
            unsafe { sys::zx_vmo_write(self.vmo.raw_handle(), buffer, self.offset, PAGE) }
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.offset += PAGE as u64;
            Ok(())
        }
    }
    let vmo = committed(RUNS + 1)?;
    let snapshot = snapshot_of(&vmo)?;
    let cost = bench.cost(&mut Write {
        vmo,
        buffer: [1; PAGE],
        offset: 0,
    });
    drop(snapshot);
    cost
}

/// What the kernel keeps for a snapshot of 64 MiB that shares all of it, in bytes.
pub fn memory_per_snapshot(_: &mut Bench) -> Result<Cost, Status> {
    let system = rt::system_resource();
    let vmo = committed(MANY_PAGES)?;
    let mut snapshots = Vec::with_capacity(SNAPSHOTS);
    // Touches the list, and has the kernel found the family.
    snapshots.push(snapshot_of(&vmo)?);
    let before = used_heap(&system)?;
    for _ in 1..SNAPSHOTS {
        snapshots.push(snapshot_of(&vmo)?);
    }
    Ok(Cost {
        median: used_heap(&system)? - before,
        divisor: SNAPSHOTS as u64 - 1,
    })
}

/// A VMO of so many pages, all of which are there.
///
/// # Errors
/// What creating or committing answers.
pub fn committed(pages: usize) -> Result<Vmo, Status> {
    let bytes = (pages * PAGE) as u64;
    let vmo = Vmo::create(bytes)?;
    vmo.op_range(zx::VmoOp::COMMIT, 0, bytes)?;
    Ok(vmo)
}

fn sparse() -> Result<Vmo, Status> {
    let vmo = Vmo::create(SPARSE_BYTES)?;
    for offset in (0..SPARSE_BYTES).step_by(SPARSE_STEP as usize) {
        vmo.write(&[1], offset)?;
    }
    Ok(vmo)
}
