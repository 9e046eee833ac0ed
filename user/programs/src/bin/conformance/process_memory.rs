//! `zx_process_read_memory` and `zx_process_write_memory`: `docs/spec/objects.md` §9.

pub mod arguments;
pub mod copies;
