//! Jacinth's virtual memory: page database, VMARs, VMOs, faults.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod addr;
pub mod heap;
pub mod region_tree;
pub mod try_alloc;
pub mod wavl;
