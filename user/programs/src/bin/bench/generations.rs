//! Faults in a VMO that is the last of a line of snapshots, each taken of the one before.

use alloc::vec::Vec;

use zx::{Status, Vmo, sys};

use crate::PAGE;
use crate::measure::{Bench, Cost, Operation, RUNS};
use crate::snapshots::snapshot_of;
use crate::window::{Window, read, write};

/// So many pages lie between two that are there: the kernel enters no neighbours, because there are none.
const APART: usize = 16;

/// Pages that a fault goes to.
const PAGES: usize = RUNS + 1;

/// Reading a page that the first of `GENERATIONS` + 1 VMOs in a line has.
pub fn read_through<const GENERATIONS: usize>(bench: &mut Bench) -> Result<Cost, Status> {
    touch_through(bench, GENERATIONS, read)
}

/// Writing to such a page.
pub fn write_through<const GENERATIONS: usize>(bench: &mut Bench) -> Result<Cost, Status> {
    touch_through(bench, GENERATIONS, write)
}

fn touch_through(bench: &mut Bench, generations: usize, touch: fn(usize)) -> Result<Cost, Status> {
    struct Touch {
        window: Window,
        page: usize,
        touch: fn(usize),
    }
    impl Operation for Touch {
        fn run(&mut self) -> sys::zx_status_t {
            (self.touch)(self.window.page(self.page));
            sys::ZX_OK
        }
        fn clean(&mut self) -> Result<(), Status> {
            self.page += APART;
            Ok(())
        }
    }
    let mut line = line(generations)?;
    let last = line.pop().ok_or(Status::INTERNAL)?;
    let window = Window::showing(last, PAGES * APART)?;
    // The page table of the first pages is there.
    read(window.page(1));
    let cost = bench.cost(&mut Touch {
        window,
        page: 0,
        touch,
    });
    drop(line);
    cost
}

/// A VMO and a line of its snapshots; each has written to a page of its own.
fn line(generations: usize) -> Result<Vec<Vmo>, Status> {
    let bytes = ((PAGES * APART + generations) * PAGE) as u64;
    let first = Vmo::create(bytes)?;
    for page in 0..PAGES {
        first.write(&[1], (page * APART * PAGE) as u64)?;
    }
    let mut line = Vec::with_capacity(generations + 1);
    line.push(first);
    for generation in 0..generations {
        let next = snapshot_of(&line[generation])?;
        next.write(&[1], ((PAGES * APART + generation) * PAGE) as u64)?;
        line.push(next);
    }
    Ok(line)
}
