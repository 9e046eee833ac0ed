//! Jacinth's virtual memory: page database, VMARs, VMOs, faults.
//!
//! Nothing here knows an architecture, a handle or a scheduler. What a machine can do comes in through
//! [`mmu::Mmu`], so that all of it also runs on the host, on the simulated machine of `sim`. Read
//! [`vmar::Vmar`] and [`vmo::Vmo`] first, then [`aspace::AddressSpace`], which has the lock and the page
//! table of a tree of VMARs.
//!
//! ```text
//!   Vmar ─► tree of regions ─► mapping ─► Vmo ─► pages of the PageDatabase
//!                                 ╎
//!                                 ╎ entered by faults, ahead of them, or by operations
//!                                 ▼
//!                            page tables, which only ever lag behind
//! ```
//!
//! | modules | what is there |
//! |---|---|
//! | [`addr`] | addresses, counts of pages and ranges, as types |
//! | [`vmar`], [`aspace`], [`region_tree`], [`wavl`] | which addresses show what; the tree under it, for any use |
//! | [`vmo`], [`pages`], [`heap`], [`try_alloc`] | contents and the frames they are in; memory of the kernel |
//! | [`reclaim`] | getting pages back when memory runs short |
//! | [`mmu`], [`paging`], [`cpu`] | page tables, the same for all architectures, and what CPUs remember of them |
//! | [`locate`], [`explain`], [`verdict`], [`counters`] | what is shown where, why an access fails, and how often things happened |

#![cfg_attr(not(any(test, feature = "sim")), no_std)]

extern crate alloc;

pub mod addr;
pub mod aspace;
#[cfg(test)]
mod concurrency;
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
pub mod reclaim;
pub mod region_tree;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod sync;
#[cfg(test)]
mod testing;
mod tlb;
pub mod try_alloc;
pub mod verdict;
pub mod vmar;
pub mod vmo;
pub mod wavl;
