//! What the calls of `docs/spec/vmar.md` come to, page by page: a model that is easy to believe.
//!
//! ```text
//!   seed ─► Generator ─► Step ─┬─► the kernel, or `vm` on a simulated machine ─► answer
//!                              └─► Model ◄───────────────────────────────────────┘
//!                                    └─► the answer is the right one, and so are all records
//! ```
//!
//! A [`Model`] is one region, the window, of which it knows every page: which region has it, which page of
//! which VMO it shows, and what may be done with it. It knows no tree, no gaps, no runs and no page
//! tables, which is where mistakes are made. Read [`Step`] for what can happen, and [`Model::judge`] for
//! what is compared.
//!
//! The host tests of `vm` and the program `model` drive it, so both mean the same by "right".
//!
//! Families of VMOs have a model of their own, in [`vmo`].

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod contents;
mod generator;
mod pages;
mod place;
mod random;
mod records;
mod regions;
mod step;
mod world;

pub mod vmo;

pub use generator::Generator;
pub use random::Random;
pub use records::{Kind, Record};
pub use step::{
    Allocation, Handle, Mapping, Operation, Protection, Reach, Removal, Step, Touch, capabilities,
};
pub use world::{Mismatch, Model, Shape};

/// The size of a page in bytes.
pub const PAGE: usize = syscall::PAGE_SIZE;
