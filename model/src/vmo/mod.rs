//! What the calls of `docs/spec/vmo.md` come to: families of VMOs that copy everything.
//!
//! ```text
//!   seed ─► Generator ─► Step ─┬─► the kernel, or `vm` on a simulated machine ─► answer, facts
//!                              └─► Families ◄──────────────────────────────────────┘
//! ```
//!
//! [`Families`] knows every byte of every VMO. A snapshot copies all pages there and then, and marks the
//! copies with the same number, which says that they are in one frame: that is all there is to say about
//! sharing, and who shares what, and how much memory is in use, is counted from it. There is no tree, no
//! reference count and no lock. Read [`Step`] for what can happen, [`Families::judge`] for what is compared,
//! and [`Facts`] for what is known about a VMO besides its bytes.

mod account;
mod calls;
mod child;
mod contents;
mod families;
mod generator;
mod step;
#[cfg(test)]
mod tests;
mod window;

pub use account::{Facts, Memory, Sharers};
pub use families::Families;
pub use generator::Generator;
pub use step::{
    Answer, Bytes, Child, Handle, Mapping, Place, RangeOp, Step, Touch, Transfer, pattern,
};
pub use window::Shown;

/// How many windows there are to map into.
pub const WINDOWS: usize = 2;

/// The pages of each window.
pub const WINDOW_PAGES: usize = 24;

/// The size of the largest VMO in bytes.
pub const MAX_SIZE: u64 = 0_u64.wrapping_sub(64 * crate::PAGE as u64);
