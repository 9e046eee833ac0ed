//! Changing permissions.

use zx::{Status, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation};
use crate::window::{READ_WRITE, Window, root};

/// Pages of the mapping of which one page changes.
const WHOLE: usize = 16;

/// Pages that change at once.
const ALL: usize = 256;

/// Pages that are written to and then change their permissions.
struct Pages {
    window: Window,
    root: sys::zx_handle_t,
    address: usize,
    count: usize,
}

impl Pages {
    /// Page `first` and those after it, `count` in all, of a window of `pages`.
    fn new(pages: usize, first: usize, count: usize) -> Result<Self, Status> {
        let window = Window::new(pages)?;
        window.write_pages(0..pages);
        Ok(Self {
            root: root(),
            address: window.page(first),
            count,
            window,
        })
    }

    fn all() -> Result<Self, Status> {
        Self::new(ALL, 0, ALL)
    }

    #[inline(always)]
    fn protect(&self, permissions: sys::zx_vm_option_t) -> sys::zx_status_t {
        // SAFETY: nobody keeps anything in the window.
        unsafe { sys::zx_vmar_protect(self.root, permissions, self.address, self.count * PAGE) }
    }
}

/// Taking the permission to write from one page in the middle of a mapping, and giving it back.
pub fn middle(bench: &mut Bench) -> Result<Cost, Status> {
    struct Middle(Pages);
    impl Operation for Middle {
        fn run(&mut self) -> sys::zx_status_t {
            self.0.protect(sys::ZX_VM_PERM_READ) | self.0.protect(READ_WRITE)
        }
        /// The page tables follow the permissions when the page is written to.
        fn clean(&mut self) -> Result<(), Status> {
            self.0.window.write_pages(0..WHOLE);
            Ok(())
        }
    }
    bench.cost(&mut Middle(Pages::new(WHOLE, WHOLE / 2, 1)?))
}

/// Taking the permission to write from many pages that were written to: for each page.
pub fn down(bench: &mut Bench) -> Result<Cost, Status> {
    struct Down(Pages);
    impl Operation for Down {
        fn prepare(&mut self) -> Result<(), Status> {
            zx::ok(self.0.protect(READ_WRITE))?;
            self.0.window.write_pages(0..ALL);
            Ok(())
        }
        fn run(&mut self) -> sys::zx_status_t {
            self.0.protect(sys::ZX_VM_PERM_READ)
        }
    }
    bench.cost_per(ALL, &mut Down(Pages::all()?))
}

/// Giving the permission to write to as many pages: for each page.
pub fn up(bench: &mut Bench) -> Result<Cost, Status> {
    struct Up(Pages);
    impl Operation for Up {
        fn prepare(&mut self) -> Result<(), Status> {
            self.0.window.write_pages(0..ALL);
            zx::ok(self.0.protect(sys::ZX_VM_PERM_READ))
        }
        fn run(&mut self) -> sys::zx_status_t {
            self.0.protect(READ_WRITE)
        }
    }
    bench.cost_per(ALL, &mut Up(Pages::all()?))
}

/// The same with writing to each page, which shows what was left for the faults: for each page.
pub fn up_write(bench: &mut Bench) -> Result<Cost, Status> {
    struct UpWrite(Pages);
    impl Operation for UpWrite {
        fn prepare(&mut self) -> Result<(), Status> {
            zx::ok(self.0.protect(sys::ZX_VM_PERM_READ))
        }
        fn run(&mut self) -> sys::zx_status_t {
            let status = self.0.protect(READ_WRITE);
            self.0.window.write_pages(0..ALL);
            status
        }
    }
    bench.cost_per(ALL, &mut UpWrite(Pages::all()?))
}
