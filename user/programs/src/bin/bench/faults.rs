//! Page faults.

use zx::{Status, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation, RUNS};
use crate::window::{Window, read, write};

/// The pages that the kernel enters at once if they are there.
const AROUND: usize = 16;

/// Two addresses of the population that are touched one after the other are so many mappings apart: a prime,
/// so that none is touched twice.
const STRIDE: usize = 7919;

/// One in so many mappings is touched beforehand, so that the others find a page table.
const TABLES: usize = 256;

/// Writing to a page that nobody has touched.
pub fn write_absent(bench: &mut Bench) -> Result<Cost, Status> {
    struct WriteAbsent(Pages);
    impl Operation for WriteAbsent {
        fn run(&mut self) -> sys::zx_status_t {
            write(self.0.address);
            sys::ZX_OK
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.0.advance(1);
            Ok(())
        }
    }
    let window = Window::new(RUNS + 1)?;
    bench.cost(&mut WriteAbsent(Pages::new(window)))
}

/// Reading a page that nobody has touched.
pub fn read_absent(bench: &mut Bench) -> Result<Cost, Status> {
    struct ReadAbsent(Pages);
    impl Operation for ReadAbsent {
        fn run(&mut self) -> sys::zx_status_t {
            read(self.0.address);
            sys::ZX_OK
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.0.advance(1);
            Ok(())
        }
    }
    let window = Window::new(RUNS + 1)?;
    bench.cost(&mut ReadAbsent(Pages::new(window)))
}

/// Reading a page of a VMO that has it and its neighbours, which are all entered.
pub fn read_neighbours(bench: &mut Bench) -> Result<Cost, Status> {
    struct ReadNeighbours(Pages);
    impl Operation for ReadNeighbours {
        fn run(&mut self) -> sys::zx_status_t {
            read(self.0.address);
            sys::ZX_OK
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.0.advance(AROUND);
            Ok(())
        }
    }
    let pages = (RUNS + 2) * AROUND;
    let window = Window::new(pages)?;
    for page in 0..pages {
        window.vmo().write(&[1], (page * PAGE) as u64)?;
    }
    let mut pages = Pages::new(window);
    while !pages.address.is_multiple_of(AROUND * PAGE) {
        pages.advance(1);
    }
    bench.cost(&mut ReadNeighbours(pages))
}

/// Reading, for the first time, one of the mappings of the population.
///
/// Mappings that lie side by side have their page tables by then.
pub fn read_one_of_many(bench: &mut Bench) -> Result<Cost, Status> {
    struct ReadOneOfMany<'a> {
        addresses: &'a [usize],
        index: usize,
    }
    impl Operation for ReadOneOfMany<'_> {
        fn prepare(&mut self) -> Result<(), Status> {
            self.index = (self.index + STRIDE) % self.addresses.len();
            if self.index.is_multiple_of(TABLES) {
                self.index += 1;
            }
            Ok(())
        }
        fn run(&mut self) -> sys::zx_status_t {
            read(self.addresses[self.index]);
            sys::ZX_OK
        }
    }
    let addresses = bench.population.addresses().to_vec();
    for &address in addresses.iter().step_by(TABLES) {
        read(address);
    }
    bench.cost(&mut ReadOneOfMany {
        addresses: &addresses,
        index: 0,
    })
}

/// The pages of a window, one after the other.
struct Pages {
    window: Window,
    page: usize,
    address: usize,
}

impl Pages {
    fn new(window: Window) -> Self {
        let address = window.page(0);
        Self {
            window,
            page: 0,
            address,
        }
    }

    /// Goes on by `pages`.
    fn advance(&mut self, pages: usize) {
        self.page += pages;
        self.address = self.window.page(self.page);
    }
}
