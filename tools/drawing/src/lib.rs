//! What the programs share that draw the monitor's JSON as SVG.
//!
//! ```text
//!   console ─► JSON ─► a document of the program's own ─► its picture ─► SVG
//!   (console)  (format, json)                             (text)         (canvas)
//!   └──────────────────────────── command ─────────────────────────────────┘
//! ```
//!
//! Each program names the [`format::Format`] that it reads; [`command::Program::run`] does the rest around its
//! drawing.

pub mod canvas;
pub mod command;
pub mod console;
pub mod format;
#[cfg(feature = "inspect")]
pub mod inspect;
pub mod json;
pub mod text;
