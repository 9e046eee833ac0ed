//! `vmo`: one VMO, its family, who has which of its pages, and where it is mapped.
//!
//! ```text
//!   family
//!     1040 'original' anonymous of 64k, from page 0 on: 32k committed, 8k private, 20k scaled
//!   *   1041 'copy' snapshot of 64k, from page 0 on: 28k committed, 4k private, 16k scaled
//!   pages of 1041
//!              0-3                 4  with 1040
//!              4-4                 1  alone
//!   mappings of 1041
//!     00000000004a0000-00000000004b0000 rw- from byte 0x0 on, 'family' (koid 1030)
//! ```
//!
//! `pages` puts runs together, `mappings` goes through all address spaces; `text` and `json` show them piece by
//! piece, with nothing locked, so that there may be any number.

mod json;
mod mappings;
mod pages;
#[cfg(test)]
mod tests;
mod text;

use core::str::SplitWhitespace;

use syscall::{Koid, Result, Status};

use super::json::to_console;
use super::vmos::{Holder, Line, find};
use super::words::{Format, Words};

/// `vmo KOID [--json]`.
pub fn vmo(words: SplitWhitespace<'_>) -> Result<()> {
    let words = Words::parse("vmo", words)?;
    let Some(word) = words.at_most_one()? else {
        println!("vmo: which one? `vmos` lists them with their koids");
        return Err(Status::INVALID_ARGS);
    };
    let Ok(koid) = word.parse().map(Koid::from_raw) else {
        println!("vmo: `{word}` is no koid; `vmos` lists VMOs with their koids");
        return Err(Status::INVALID_ARGS);
    };
    let holders = Holder::list(None)?;
    let vmo = find(&holders, koid).inspect_err(|status| {
        if *status == Status::NOT_FOUND {
            println!("vmo: nobody has a VMO {word}; `vmos` lists those that there are");
        }
    })?;
    match words.format {
        Format::Text => text::print(&vmo, &holders),
        Format::Json => json::print(&vmo, &holders, &mut to_console),
    }
}
