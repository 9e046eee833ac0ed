//! Jacinth's virtual memory: page database, VMARs, VMOs, faults.

#![cfg_attr(not(any(test, feature = "sim")), no_std)]

extern crate alloc;

pub mod addr;
pub mod cpu;
pub mod heap;
pub mod mmu;
pub mod pages;
pub mod region_tree;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod tlb;
pub mod try_alloc;
pub mod wavl;
