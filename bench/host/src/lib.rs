//! The region tree of `vm` beside other ordered structures that could keep the regions of an address space.
//!
//! [`Structure`] is what is asked of each, [`Workload`] the regions and the questions, and [`measure`] the loops
//! that are counted under callgrind and timed by criterion. The program of this crate makes the table.

pub mod measure;
pub mod structures;
pub mod workload;

pub use structures::Structure;
pub use workload::Workload;
