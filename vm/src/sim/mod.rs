//! A simulated machine, so that everything above the hardware runs under `cargo test`.
//!
//! [`Machine`] has memory and several processors, which threads play; [`SimMmu`] is its page tables. Each
//! processor remembers every translation it has used, and some nearby, until it is told to forget. A load
//! or store through a translation whose frame has been freed since panics, so a missing shootdown or a frame
//! that is freed too early fails the test. Frames are filled with `0xa5` when they are freed.
//!
//! ```text
//!   machine.run_on(1, || machine.store(address, b"…", |address, access| space.fault(address, access)))
//!                                   └─► TLB ─► tables ─► fault ─► again
//! ```

mod caches;
mod format;
mod machine;
mod memory;
#[cfg(test)]
mod tests;
mod tlb;

pub use caches::{Maintained, take_maintained};
pub use format::SimFormat;
#[cfg(test)]
pub(crate) use machine::stay;
pub use machine::{Machine, SimMmu, USER_BASE, USER_END, current_cpu};
pub use memory::database;
