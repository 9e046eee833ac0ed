//! Jacinth's virtual memory: page database, VMARs, VMOs, faults.

#![cfg_attr(not(any(test, feature = "sim")), no_std)]

extern crate alloc;

pub mod addr;
pub mod aspace;
pub mod counters;
pub mod cpu;
pub mod explain;
mod fault;
pub mod heap;
pub mod locate;
mod locked;
pub mod mmu;
pub mod pages;
pub mod paging;
pub mod region_tree;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
#[cfg(test)]
mod testing;
mod tlb;
pub mod try_alloc;
pub mod verdict;
pub mod vmar;
pub mod vmo;
pub mod wavl;
