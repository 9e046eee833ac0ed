//! A simulated machine, so that everything above the hardware runs under `cargo test`.

mod memory;

pub use memory::database;
