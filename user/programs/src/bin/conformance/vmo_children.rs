//! Children of VMOs: `docs/spec/vmo.md` §7 to §10 and §12, through calls and through mappings.

pub mod accounts;
pub mod arguments;
pub mod cow;
mod faces;
pub mod families;
pub mod ranges;
pub mod rights;
pub mod views;
