//! Calls that have nothing to do with mappings.

use zx::{AsHandleRef, Status, Vmo, sys};

use crate::measure::{Bench, Cost, Operation};
use crate::{PAGE, machine};

/// A number that no call has.
const NO_CALL: usize = 0xffff;

/// The cheapest call that does what it is there for.
pub fn null(bench: &mut Bench) -> Result<Cost, Status> {
    struct Null;
    impl Operation for Null {
        fn run(&mut self) -> sys::zx_status_t {
            // SAFETY: the call has no arguments and changes nothing.
            unsafe { sys::zx_system_get_page_size() as sys::zx_status_t }
        }
    }
    bench.cost(&mut Null)
}

/// The way into the kernel and out again.
pub fn entry(bench: &mut Bench) -> Result<Cost, Status> {
    struct Entry;
    impl Operation for Entry {
        fn run(&mut self) -> sys::zx_status_t {
            // SAFETY: there is no such call.
            let status = unsafe { machine::bare_call(NO_CALL) } as sys::zx_status_t;
            status - sys::ZX_ERR_BAD_SYSCALL
        }
    }
    bench.cost(&mut Entry)
}

/// Writing a page into a VMO that has it.
pub fn vmo_write(bench: &mut Bench) -> Result<Cost, Status> {
    struct Write(Vmo, [u8; PAGE]);
    impl Operation for Write {
        fn run(&mut self) -> sys::zx_status_t {
            // SAFETY: the buffer is readable and has this length.
            unsafe { sys::zx_vmo_write(self.0.raw_handle(), self.1.as_ptr(), 0, PAGE) }
        }
    }
    bench.cost(&mut Write(resident()?, [1; PAGE]))
}

/// Reading a page out of a VMO that has it.
pub fn vmo_read(bench: &mut Bench) -> Result<Cost, Status> {
    struct Read(Vmo, [u8; PAGE]);
    impl Operation for Read {
        fn run(&mut self) -> sys::zx_status_t {
            // SAFETY: the buffer is borrowed for writing and has this length.
            unsafe { sys::zx_vmo_read(self.0.raw_handle(), self.1.as_mut_ptr(), 0, PAGE) }
        }
    }
    bench.cost(&mut Read(resident()?, [1; PAGE]))
}

/// A VMO of one page that is there.
fn resident() -> Result<Vmo, Status> {
    let vmo = Vmo::create(PAGE as u64)?;
    vmo.write(&[1; PAGE], 0)?;
    Ok(vmo)
}
