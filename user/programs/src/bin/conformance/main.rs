//! Conformance: one test per documented behaviour of each system call, from user space.
//!
//! Words given to the program are filters: a test runs if its name contains one of them. Each test prints
//! one line, `TEST ok NAME` or `TEST fail NAME file:line what`, and the last line counts them. Read
//! [`harness`] for what a test is and [`fixtures`] for what tests are made of. Each other module is
//! about one call and follows the order of its section in `docs/spec/`.
//!
//! What ends a process (an unresolved fault, `process_exit`, a bad buffer for `cprng_draw`) cannot be
//! seen from inside it and is tested elsewhere.

#![no_std]
#![no_main]

extern crate alloc;

mod calls;
mod competing;
mod execute_only;
mod features;
mod fixtures;
mod handles;
mod harness;
mod info;
mod large_pages;
mod maps;
mod maps_records;
mod monitor;
mod numbers;
mod object_signal;
mod object_wait_one;
mod process_create;
mod process_end;
mod process_maps;
mod process_memory;
mod process_vmos;
mod processes;
mod property;
mod random_calls;
mod system;
mod task_stats;
mod vmar_allocate;
mod vmar_dead;
mod vmar_destroy;
mod vmar_edges;
mod vmar_examples;
mod vmar_faults;
mod vmar_handles;
mod vmar_hostile;
mod vmar_large;
mod vmar_map;
mod vmar_merge;
mod vmar_nesting;
mod vmar_op_range;
mod vmar_overwrite;
mod vmar_placement;
mod vmar_protect;
mod vmar_rights;
mod vmar_spread;
mod vmar_unmap;
mod vmo_cache;
mod vmo_children;
mod vmo_contiguous;
mod vmo_copy;
mod vmo_create;
mod vmo_discardable;
mod vmo_executable;
mod vmo_op_range;
mod vmo_physical;
mod vmo_signals;
mod vmo_size;
mod vmo_stream_size;
mod vmo_transfer;

rt::main!(main);

/// The tests of every module, in the order in which they run.
const MODULES: &[&[harness::Test]] = &[
    vmar_allocate::arguments::TESTS,
    vmar_allocate::places::TESTS,
    vmar_allocate::order::TESTS,
    vmar_allocate::pairs::TESTS,
    vmar_allocate::effects::TESTS,
    vmar_placement::TESTS,
    vmar_spread::TESTS,
    vmar_map::arguments::TESTS,
    vmar_map::places::TESTS,
    vmar_map::order::TESTS,
    vmar_map::pairs::TESTS,
    vmar_map::effects::TESTS,
    vmar_map::map_range::TESTS,
    vmar_overwrite::TESTS,
    vmar_unmap::TESTS,
    vmar_unmap::pairs::TESTS,
    vmar_protect::arguments::TESTS,
    vmar_protect::mappings::TESTS,
    vmar_protect::order::TESTS,
    vmar_protect::pairs::TESTS,
    vmar_protect::walk::TESTS,
    vmar_protect::effects::TESTS,
    vmar_merge::TESTS,
    vmar_op_range::arguments::TESTS,
    vmar_op_range::mappings::TESTS,
    vmar_op_range::order::TESTS,
    vmar_op_range::effects::TESTS,
    vmar_op_range::sizes::TESTS,
    execute_only::TESTS,
    vmar_destroy::TESTS,
    vmar_dead::TESTS,
    vmar_edges::TESTS,
    vmar_examples::TESTS,
    vmar_rights::TESTS,
    vmar_faults::TESTS,
    vmar_large::TESTS,
    large_pages::TESTS,
    vmar_handles::TESTS,
    vmar_nesting::TESTS,
    vmar_hostile::TESTS,
    vmo_create::TESTS,
    vmo_children::arguments::TESTS,
    vmo_children::rights::TESTS,
    vmo_children::cow::TESTS,
    vmo_children::ranges::TESTS,
    vmo_children::views::TESTS,
    vmo_children::families::TESTS,
    vmo_children::accounts::TESTS,
    vmo_copy::TESTS,
    vmo_executable::TESTS,
    vmo_signals::TESTS,
    vmo_size::TESTS,
    vmo_op_range::arguments::TESTS,
    vmo_op_range::commit::TESTS,
    vmo_op_range::decommit::TESTS,
    vmo_op_range::zero::TESTS,
    vmo_discardable::TESTS,
    vmo_op_range::locks::TESTS,
    vmo_cache::TESTS,
    vmo_contiguous::TESTS,
    vmo_physical::TESTS,
    vmo_transfer::TESTS,
    vmo_stream_size::TESTS,
    handles::TESTS,
    object_signal::TESTS,
    object_wait_one::TESTS,
    info::TESTS,
    maps::TESTS,
    maps_records::TESTS,
    process_create::TESTS,
    process_end::TESTS,
    process_maps::TESTS,
    process_vmos::TESTS,
    task_stats::TESTS,
    process_memory::arguments::TESTS,
    process_memory::copies::TESTS,
    property::TESTS,
    system::TESTS,
    features::TESTS,
    monitor::TESTS,
    numbers::TESTS,
    random_calls::TESTS,
];

fn main() -> i64 {
    harness::run(MODULES)
}
